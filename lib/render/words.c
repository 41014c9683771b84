/* SPDX-License-Identifier: MIT */
/* What the compact line, the table and the comments of a capture say alike. Words that do not apply
 * are left out; addresses and ports are never resolved to names. */
#include "words.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include "parts.h"

#define VLAN_ID_MASK 0x0fff

void word_number(struct text *t, const char *key, uint64_t value)
{
	text_char(t, ' ');
	text_string(t, key);
	text_char(t, ' ');
	text_number(t, value);
}

void word_hex(struct text *t, const char *key, uint32_t value, unsigned min_digits)
{
	text_char(t, ' ');
	text_string(t, key);
	text_literal(t, " 0x");
	text_hex_number(t, value, min_digits);
}

void words_source(struct text *t, const struct nfl_packet *p,
		  const struct nfl_render_source *source)
{
	if (source && source->netns && *source->netns) {
		text_escaped(t, source->netns, strlen(source->netns));
		text_char(t, '/');
	}
	text_number(t, source ? source->group : p->record.group);
}

void words_hook(struct text *t, const struct nfl_record *r, uint32_t flags)
{
	enum nfl_hook hook = nfl_record_hook(r);

	if (hook != NFL_HOOK_UNSPECIFIED && !(flags & NFL_RENDER_NUMERIC)) {
		text_string(t, nfl_hook_name(hook));
	} else {
		text_literal(t, "HOOK");
		text_number(t, r->hook_number);
	}
}

static void put_name(struct text *t, uint32_t index, struct nfl_bytes name, uint32_t flags)
{
	if (name.len && !(flags & NFL_RENDER_NUMERIC)) {
		text_escaped(t, name.data, name.len);
	} else {
		text_literal(t, "if");
		text_number(t, index);
	}
}

void words_device(struct text *t, const struct nfl_packet *p, bool is_input, uint32_t flags)
{
	const struct nfl_record *r = &p->record;

	if (r->present & (is_input ? NFL_HAS_INDEV : NFL_HAS_OUTDEV))
		put_name(t, is_input ? r->indev : r->outdev,
			 is_input ? p->indev_name : p->outdev_name, flags);
	if (!(r->present & (is_input ? NFL_HAS_PHYSINDEV : NFL_HAS_PHYSOUTDEV)))
		return;
	text_char(t, '(');
	put_name(t, is_input ? r->physindev : r->physoutdev,
		 is_input ? p->physindev_name : p->physoutdev_name, flags);
	text_char(t, ')');
}

void words_devices(struct text *t, const struct nfl_packet *p, uint32_t flags)
{
	if (!(p->record.present &
	      (NFL_HAS_INDEV | NFL_HAS_OUTDEV | NFL_HAS_PHYSINDEV | NFL_HAS_PHYSOUTDEV)))
		return;
	text_char(t, ' ');
	words_device(t, p, true, flags);
	text_char(t, '>');
	words_device(t, p, false, flags);
}

void words_endpoint(struct text *t, const struct nfl_decoded *d, bool is_source)
{
	bool has_ports = d->present & NFL_HAS_PORTS;
	bool has_brackets = has_ports && d->address_len == 16;

	if (has_brackets)
		text_char(t, '[');
	text_address(t, is_source ? d->source : d->destination, d->address_len);
	if (has_brackets)
		text_char(t, ']');
	if (has_ports) {
		text_char(t, ':');
		text_number(t, is_source ? d->source_port : d->destination_port);
	}
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

static void put_icmp(struct text *t, const struct nfl_decoded *d, uint32_t flags)
{
	const char *name = icmp_name(d->protocol == IPPROTO_ICMPV6, d->icmp_type, d->icmp_code);

	if (name && !(flags & NFL_RENDER_NUMERIC)) {
		text_char(t, ' ');
		text_string(t, name);
	} else {
		word_number(t, "type", d->icmp_type);
		word_number(t, "code", d->icmp_code);
	}
}

void words_protocol(struct text *t, const struct nfl_decoded *d, uint32_t flags)
{
	const char *name = flags & NFL_RENDER_NUMERIC ? NULL : nfl_protocol_name(d->protocol);

	if (name) {
		text_string(t, name);
	} else {
		text_literal(t, "proto ");
		text_number(t, d->protocol);
	}
	if (d->present & NFL_HAS_TCP && flags & NFL_RENDER_NUMERIC)
		word_hex(t, "flags", d->tcp_flags, 2);
	else if (d->present & NFL_HAS_TCP)
		put_tcp_flags(t, d->tcp_flags);
	if (d->present & NFL_HAS_ICMP)
		put_icmp(t, d, flags);
	if (d->present & NFL_HAS_GRE)
		word_hex(t, "ethertype", d->gre_protocol, 4);
	if (d->present & NFL_HAS_SPI)
		word_hex(t, "spi", d->spi, 8);
}

void words_kind(struct text *t, const struct nfl_record *r, const struct nfl_decoded *d)
{
	if (d->ip_version == 4 || (!d->ip_version && r->hw_protocol == ETH_P_IP)) {
		text_literal(t, "IPv4");
	} else if (d->ip_version == 6 || r->hw_protocol == ETH_P_IPV6) {
		text_literal(t, "IPv6");
	} else if (r->hw_protocol == ETH_P_ARP) {
		text_literal(t, "ARP");
	} else if (r->hw_protocol == ETH_P_802_2) {
		text_literal(t, "LLC");
	} else if (r->hw_protocol) {
		text_literal(t, "ethertype 0x");
		text_hex_number(t, r->hw_protocol, 4);
	} else if (r->family == NFL_FAMILY_IPV4) {
		text_literal(t, "IPv4");
	} else if (r->family == NFL_FAMILY_IPV6) {
		text_literal(t, "IPv6");
	}
}

static void put_connection(struct text *t, uint32_t info, uint32_t flags)
{
	if (flags & NFL_RENDER_NUMERIC) {
		word_number(t, "ct", info);
	} else {
		text_literal(t, " ct ");
		text_string(t, nfl_ct_info_name(info));
	}
}

void words_metadata(struct text *t, const struct nfl_packet *p, uint32_t flags)
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
	if (r->present & NFL_HAS_CT_INFO)
		put_connection(t, r->ct_info, flags);
	if (p->decoded.truncated)
		text_literal(t, " (truncated)");
}

void words_prefix(struct text *t, const struct nfl_packet *p)
{
	text_char(t, '"');
	text_escaped(t, p->record.prefix.data, p->record.prefix.len);
	text_char(t, '"');
}
