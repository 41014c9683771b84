/* SPDX-License-Identifier: MIT */
/*
 * One packet on one line, for people who know tcpdump: when, where, who to whom, what, and the
 * rule's prefix last. Words that do not apply are left out. Names that came from outside (prefix,
 * interfaces, namespace) are escaped; numbers are never resolved to names of hosts or services.
 */
#include <nfl/render.h>

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "parts.h"
#include "writer.h"

#define VLAN_ID_MASK 0x0fff

/* A line in the making: each word knows whether it is coloured. */
struct line {
	struct text text;
	const struct nfl_packet *packet;
	uint32_t flags;
};

#define COLOR_DIM    "2"  /* what is the same on most lines */
#define COLOR_SOURCE "36" /* cyan: namespace and group */
#define COLOR_PREFIX "33" /* yellow: what the rule's author wrote */

static void color_begin(struct line *l, const char *color)
{
	if (!(l->flags & NFL_RENDER_COLOR))
		return;
	text_literal(&l->text, "\x1b[");
	text_string(&l->text, color);
	text_char(&l->text, 'm');
}

static void color_end(struct line *l)
{
	if (l->flags & NFL_RENDER_COLOR)
		text_literal(&l->text, "\x1b[0m");
}

static void word_number(struct text *t, const char *key, uint64_t value)
{
	text_char(t, ' ');
	text_string(t, key);
	text_char(t, ' ');
	text_number(t, value);
}

static void word_hex(struct text *t, const char *key, uint32_t value, unsigned min_digits)
{
	text_char(t, ' ');
	text_string(t, key);
	text_literal(t, " 0x");
	text_hex_number(t, value, min_digits);
}

static void put_source(struct line *l, const struct nfl_render_source *source)
{
	struct text *t = &l->text;

	text_char(t, ' ');
	color_begin(l, COLOR_SOURCE);
	if (source && source->netns && *source->netns) {
		text_escaped(t, source->netns, strlen(source->netns));
		text_char(t, '/');
	}
	text_number(t, source ? source->group : l->packet->record.group);
	color_end(l);
}

static void put_hook(struct line *l)
{
	enum nfl_hook hook = nfl_record_hook(&l->packet->record);

	text_char(&l->text, ' ');
	if (hook != NFL_HOOK_UNSPECIFIED) {
		text_string(&l->text, nfl_hook_name(hook));
	} else {
		text_literal(&l->text, "HOOK");
		text_number(&l->text, l->packet->record.hook_number);
	}
}

static void put_name(struct text *t, uint32_t index, struct nfl_bytes name)
{
	if (name.len) {
		text_escaped(t, name.data, name.len);
	} else {
		text_literal(t, "if");
		text_number(t, index);
	}
}

/* veth0, br0(veth0) with the bridge's port, (veth0), or nothing. */
static void put_device(struct text *t, const struct nfl_packet *p, bool is_input)
{
	const struct nfl_record *r = &p->record;

	if (r->present & (is_input ? NFL_HAS_INDEV : NFL_HAS_OUTDEV))
		put_name(t, is_input ? r->indev : r->outdev,
			 is_input ? p->indev_name : p->outdev_name);
	if (!(r->present & (is_input ? NFL_HAS_PHYSINDEV : NFL_HAS_PHYSOUTDEV)))
		return;
	text_char(t, '(');
	put_name(t, is_input ? r->physindev : r->physoutdev,
		 is_input ? p->physindev_name : p->physoutdev_name);
	text_char(t, ')');
}

static void put_devices(struct line *l)
{
	if (!(l->packet->record.present &
	      (NFL_HAS_INDEV | NFL_HAS_OUTDEV | NFL_HAS_PHYSINDEV | NFL_HAS_PHYSOUTDEV)))
		return;
	text_char(&l->text, ' ');
	put_device(&l->text, l->packet, true);
	text_char(&l->text, '>');
	put_device(&l->text, l->packet, false);
}

/* 10.0.0.1:80, [2001:db8::1]:80, or the bare address. */
static void put_endpoint(struct text *t, const struct nfl_decoded *d, const uint8_t *address,
			 uint16_t port)
{
	bool has_ports = d->present & NFL_HAS_PORTS;
	bool has_brackets = has_ports && d->address_len == 16;

	if (has_brackets)
		text_char(t, '[');
	text_address(t, address, d->address_len);
	if (has_brackets)
		text_char(t, ']');
	if (has_ports) {
		text_char(t, ':');
		text_number(t, port);
	}
}

static void put_endpoints(struct text *t, const struct nfl_decoded *d)
{
	text_char(t, ' ');
	put_endpoint(t, d, d->source, d->source_port);
	text_literal(t, " > ");
	put_endpoint(t, d, d->destination, d->destination_port);
}

static void put_arp(struct text *t, const struct nfl_decoded *d)
{
	bool is_request = d->arp_operation == 1;
	bool is_reply = d->arp_operation == 2;

	if (is_request)
		text_literal(t, " ARP who-has");
	else if (is_reply)
		text_literal(t, " ARP reply");
	else
		word_number(t, "ARP operation", d->arp_operation);
	if (!(d->present & NFL_HAS_ADDRESSES))
		return;
	text_char(t, ' ');
	/* a request asks for the target's address, for the sender */
	text_address(t, is_request ? d->destination : d->source, d->address_len);
	text_string(t, is_request ? " tell " : is_reply ? " to " : " > ");
	text_address(t, is_request ? d->source : d->destination, d->address_len);
}

static void put_tcp_flags(struct text *t, uint16_t flags)
{
	char separator = ' ';

	if (!flags)
		text_literal(t, " none");
	for (unsigned i = 0; i < TCP_FLAG_COUNT; i++) {
		if (!(flags & 1U << i))
			continue;
		text_char(t, separator);
		text_string(t, tcp_flag_names[i]);
		separator = ',';
	}
}

static void put_icmp(struct text *t, const struct nfl_decoded *d)
{
	const char *name = icmp_name(d->protocol == IPPROTO_ICMPV6, d->icmp_type, d->icmp_code);

	if (name) {
		text_char(t, ' ');
		text_string(t, name);
	} else {
		word_number(t, "type", d->icmp_type);
		word_number(t, "code", d->icmp_code);
	}
}

static void put_protocol(struct text *t, const struct nfl_decoded *d)
{
	const char *name = nfl_protocol_name(d->protocol);

	if (!name) {
		word_number(t, "proto", d->protocol);
	} else {
		text_char(t, ' ');
		text_string(t, name);
	}
	if (d->present & NFL_HAS_TCP)
		put_tcp_flags(t, d->tcp_flags);
	if (d->present & NFL_HAS_ICMP)
		put_icmp(t, d);
	if (d->present & NFL_HAS_GRE)
		word_hex(t, "ethertype", d->gre_protocol, 4);
	if (d->present & NFL_HAS_SPI)
		word_hex(t, "spi", d->spi, 8);
}

/* What is logged when its own headers do not say: metadata only, or no IP at all. */
static void put_kind(struct text *t, const struct nfl_record *r, const struct nfl_decoded *d)
{
	if (d->ip_version == 4 || (!d->ip_version && r->hw_protocol == ETH_P_IP))
		text_literal(t, " IPv4");
	else if (d->ip_version == 6 || r->hw_protocol == ETH_P_IPV6)
		text_literal(t, " IPv6");
	else if (r->hw_protocol == ETH_P_ARP)
		text_literal(t, " ARP");
	else if (r->hw_protocol == ETH_P_802_2)
		text_literal(t, " LLC");
	else if (r->hw_protocol)
		word_hex(t, "ethertype", r->hw_protocol, 4);
	else if (r->family == NFL_FAMILY_IPV4)
		text_literal(t, " IPv4");
	else if (r->family == NFL_FAMILY_IPV6)
		text_literal(t, " IPv6");
}

static void put_headers(struct text *t, const struct nfl_packet *p)
{
	const struct nfl_decoded *d = &p->decoded;

	if (d->present & NFL_HAS_ARP) {
		put_arp(t, d);
		return;
	}
	if (d->present & NFL_HAS_ADDRESSES)
		put_endpoints(t, d);
	if (d->present & NFL_HAS_PROTOCOL)
		put_protocol(t, d);
	else
		put_kind(t, &p->record, d);
	if (is_fragment(d)) {
		word_number(t, "frag", d->fragment_offset);
		if (d->more_fragments)
			text_char(t, '+');
	}
	if (packet_length(p))
		word_number(t, "len", packet_length(p));
	if (d->present & NFL_HAS_IP)
		word_number(t, "ttl", d->ttl);
}

/* What the kernel knows beside the packet's bytes. */
static void put_metadata(struct text *t, const struct nfl_packet *p)
{
	const struct nfl_record *r = &p->record;

	if (r->present & NFL_HAS_MARK)
		word_hex(t, "mark", r->mark, 1);
	if (r->present & NFL_HAS_UID)
		word_number(t, "uid", r->uid);
	if (r->present & NFL_HAS_GID)
		word_number(t, "gid", r->gid);
	if (r->present & NFL_HAS_VLAN_TCI)
		word_number(t, "vlan", r->vlan_tci & VLAN_ID_MASK);
	if (p->decoded.present & NFL_HAS_INNER_VLAN)
		word_number(t, "vlan", p->decoded.inner_vlan_tci & VLAN_ID_MASK);
	if (r->present & NFL_HAS_CT_INFO) {
		text_literal(t, " ct ");
		text_string(t, nfl_ct_info_name(r->ct_info));
	}
	if (p->decoded.truncated)
		text_literal(t, " (truncated)");
}

static void put_prefix(struct line *l)
{
	const struct nfl_record *r = &l->packet->record;

	if (!(r->present & NFL_HAS_PREFIX) || !r->prefix.len)
		return;
	text_char(&l->text, ' ');
	color_begin(l, COLOR_PREFIX);
	text_char(&l->text, '"');
	text_escaped(&l->text, r->prefix.data, r->prefix.len);
	text_char(&l->text, '"');
	color_end(l);
}

size_t nfl_render_compact(char *buf, size_t cap, const struct nfl_packet *packet,
			  const struct nfl_render_source *source, uint32_t flags)
{
	struct line l = {.text = text_start(buf, cap), .packet = packet, .flags = flags};

	color_begin(&l, COLOR_DIM);
	text_clock(&l.text, packet_time(&packet->record), flags);
	color_end(&l);
	put_source(&l, source);
	put_hook(&l);
	put_devices(&l);
	put_headers(&l.text, packet);
	put_metadata(&l.text, packet);
	put_prefix(&l);
	return text_end(&l.text);
}
