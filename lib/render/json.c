/* SPDX-License-Identifier: MIT */
/*
 * One packet as one JSON object, flat where jq users look first. The keys are a contract, written
 * down in <nfl/render.h>. A member is there when its value is known, so absent is told from zero.
 *

 * Every member begins with a comma; close_at() writes the opening bracket over the first one, so no
 * member needs to know whether it is the first.
 */
#include <nfl/render.h>

#include <netinet/in.h>
#include <stdbool.h>

#include "parts.h"
#include "utf8.h"
#include "writer.h"

#define VLAN_ID_MASK 0x0fff
#define TIME_BYTES   40 /* of an RFC 3339 time */

/* A member's name with all that surrounds it, as one piece for the compiler to copy. */
#define KEY(name) ",\"" name "\":"
/* The same in front of a string, with its first quote. */
#define STRING_KEY(name) KEY(name) "\""

static inline void put_number(struct text *t, const char *key, uint64_t value)
{
	text_string(t, key);
	text_number(t, value);
}

static inline void put_true(struct text *t, const char *key)
{
	text_string(t, key);
	text_literal(t, "true");
}

/* Text of our own, which needs no escapes. */
static inline void put_string(struct text *t, const char *key, const char *value)
{
	text_string(t, key);
	text_string(t, value);
	text_char(t, '"');
}

static inline void put_escaped(struct text *t, const char *key, struct nfl_bytes value)
{
	text_string(t, key);
	text_escaped_json(t, value.data, value.len);
	text_char(t, '"');
}

static inline void put_hex(struct text *t, const char *key, struct nfl_bytes value)
{
	text_string(t, key);
	text_hex(t, value);
	text_char(t, '"');
}

static inline void put_address(struct text *t, const char *key, const uint8_t *address, size_t len)
{
	text_string(t, key);
	text_address(t, address, len);
	text_char(t, '"');
}

/* Ends the object or array whose members began at `start`. */
static void close_at(struct text *t, size_t start, const char brackets[2])
{
	if (t->len == start)
		text_char(t, brackets[0]);
	else
		text_replace(t, start, brackets[0]);
	text_char(t, brackets[1]);
}

/* "time" is one of the two others, so it is rendered once and copied. */
static void put_times(struct text *t, const struct nfl_record *r, uint32_t flags)
{
	char stamp[TIME_BYTES];
	size_t len = nfl_render_time(stamp, sizeof(stamp), packet_time(r), flags);

	text_string(t, STRING_KEY("time"));
	text_bytes(t, stamp, len);
	if (r->present & NFL_HAS_PACKET_TIME) {
		text_string(t, "\"" STRING_KEY("packet_time"));
		text_bytes(t, stamp, len);
		text_string(t, "\"" STRING_KEY("receive_time"));
		text_time(t, r->receive_time_ns, flags);
	} else {
		text_string(t, "\"" STRING_KEY("receive_time"));
		text_bytes(t, stamp, len);
	}
	text_char(t, '"');
}

static void put_source(struct text *t, const struct nfl_packet *p,
		       const struct nfl_render_source *source)
{
	if (source && source->netns && *source->netns) {
		text_string(t, STRING_KEY("netns"));
		text_escaped_json(t, source->netns, strlen(source->netns));
		text_char(t, '"');
	}
	put_number(t, KEY("group"), source ? source->group : p->record.group);
	if (p->source_id)
		put_number(t, KEY("source_id"), p->source_id);
	if (p->sequence)
		put_number(t, KEY("sequence"), p->sequence);
}

static void put_hook(struct text *t, const struct nfl_record *r)
{
	enum nfl_hook hook = nfl_record_hook(r);

	put_string(t, STRING_KEY("family"), nfl_family_name(r->family));
	if (hook != NFL_HOOK_UNSPECIFIED)
		put_string(t, STRING_KEY("hook"), nfl_hook_name(hook));
	put_number(t, KEY("hook_number"), r->hook_number);
}

static bool is_utf8(struct nfl_bytes bytes)
{
	uint32_t code;
	size_t n;

	for (size_t at = 0; at < bytes.len; at += n) {
		n = utf8_decode(bytes.data + at, bytes.len - at, &code);
		if (!n)
			return false;
	}
	return true;
}

/* Always there: a rule without a prefix has the empty one, for the kernel too. */
static void put_prefix(struct text *t, const struct nfl_packet *p)
{
	struct nfl_bytes prefix = {0};

	if (p->record.present & NFL_HAS_PREFIX)
		prefix = p->record.prefix;
	put_escaped(t, STRING_KEY("prefix"), prefix);
	if (p->prefix_raw.len)
		put_hex(t, STRING_KEY("prefix_raw"), p->prefix_raw);
	else if (!is_utf8(prefix))
		put_hex(t, STRING_KEY("prefix_raw"), prefix);
}

/* @key: up to the index */
static void put_device(struct text *t, const char *key, uint32_t index, struct nfl_bytes name)
{
	put_number(t, key, index);
	if (name.len)
		put_escaped(t, STRING_KEY("name"), name);
	text_char(t, '}');
}

static void put_devices(struct text *t, const struct nfl_packet *p)
{
	const struct nfl_record *r = &p->record;

	if (r->present & NFL_HAS_INDEV)
		put_device(t, KEY("input") "{\"index\":", r->indev, p->indev_name);
	if (r->present & NFL_HAS_OUTDEV)
		put_device(t, KEY("output") "{\"index\":", r->outdev, p->outdev_name);
	if (r->present & NFL_HAS_PHYSINDEV)
		put_device(t, KEY("physical_input") "{\"index\":", r->physindev, p->physindev_name);
	if (r->present & NFL_HAS_PHYSOUTDEV)
		put_device(t, KEY("physical_output") "{\"index\":", r->physoutdev,
			   p->physoutdev_name);
}

static void put_vlan(struct text *t, const struct nfl_record *r)
{
	size_t start;

	if (!(r->present & (NFL_HAS_VLAN_TCI | NFL_HAS_VLAN_PROTO)))
		return;
	text_string(t, KEY("vlan"));
	start = t->len;
	if (r->present & NFL_HAS_VLAN_PROTO)
		put_number(t, KEY("protocol"), r->vlan_proto);
	if (r->present & NFL_HAS_VLAN_TCI) {
		put_number(t, KEY("tci"), r->vlan_tci);
		put_number(t, KEY("id"), r->vlan_tci & VLAN_ID_MASK);
	}
	close_at(t, start, "{}");
}

static void put_link_layer(struct text *t, const struct nfl_record *r)
{
	if (r->hw_protocol)
		put_number(t, KEY("hw_protocol"), r->hw_protocol);
	if (r->present & NFL_HAS_HW_TYPE)
		put_number(t, KEY("hw_type"), r->hw_type);
	if (r->present & NFL_HAS_HW_ADDRESS) {
		text_string(t, STRING_KEY("hw_address"));
		text_mac(t, r->hw_address);
		text_char(t, '"');
	}
	if (r->present & NFL_HAS_HW_LENGTH)
		put_number(t, KEY("hw_header_length"), r->hw_length);
	if (r->present & NFL_HAS_HW_HEADER)
		put_hex(t, STRING_KEY("hw_header"), r->hw_header);
	put_vlan(t, r);
	if (r->present & NFL_HAS_L2_HEADER)
		put_hex(t, STRING_KEY("l2_header"), r->l2_header);
}

static void put_metadata(struct text *t, const struct nfl_record *r)
{
	if (r->present & NFL_HAS_MARK)
		put_number(t, KEY("mark"), r->mark);
	if (r->present & NFL_HAS_UID)
		put_number(t, KEY("uid"), r->uid);
	if (r->present & NFL_HAS_GID)
		put_number(t, KEY("gid"), r->gid);
	if (r->present & NFL_HAS_SEQ)
		put_number(t, KEY("kernel_sequence"), r->seq);
	if (r->present & NFL_HAS_SEQ_GLOBAL)
		put_number(t, KEY("kernel_global_sequence"), r->seq_global);
}

static void put_protocol(struct text *t, uint8_t protocol)
{
	const char *name = nfl_protocol_name(protocol);

	put_number(t, KEY("protocol"), protocol);
	if (name)
		put_string(t, STRING_KEY("protocol_name"), name);
}

static void put_ip(struct text *t, const struct nfl_decoded *d)
{
	if (d->ip_version)
		put_number(t, KEY("ip_version"), d->ip_version);
	if (d->present & NFL_HAS_ADDRESSES) {
		put_address(t, STRING_KEY("src"), d->source, d->address_len);
		put_address(t, STRING_KEY("dst"), d->destination, d->address_len);
	}
	if (d->present & NFL_HAS_PROTOCOL)
		put_protocol(t, d->protocol);
	if (d->present & NFL_HAS_IP) {
		put_number(t, KEY("ttl"), d->ttl);
		put_number(t, KEY("traffic_class"), d->traffic_class);
	}
	if (d->present & NFL_HAS_FLOW_LABEL)
		put_number(t, KEY("flow_label"), d->flow_label);
	if (d->present & NFL_HAS_IDENTIFICATION)
		put_number(t, KEY("identification"), d->identification);
	if (is_fragment(d))
		put_number(t, KEY("fragment_offset"), d->fragment_offset);
	if (is_fragment(d) && d->more_fragments)
		put_true(t, KEY("more_fragments"));
}

static void put_tcp(struct text *t, const struct nfl_decoded *d)
{
	size_t start;

	text_string(t, KEY("tcp_flags"));
	start = t->len;
	for (unsigned i = 0; i < TCP_FLAG_COUNT; i++)
		if (d->tcp_flags & 1U << i)
			put_string(t, ",\"", tcp_flag_names[i]);
	close_at(t, start, "[]");
	put_number(t, KEY("tcp_sequence"), d->tcp_sequence);
	put_number(t, KEY("tcp_ack"), d->tcp_ack);
	put_number(t, KEY("tcp_window"), d->tcp_window);
}

static void put_icmp(struct text *t, const struct nfl_decoded *d)
{
	const char *name = icmp_name(d->protocol == IPPROTO_ICMPV6, d->icmp_type, d->icmp_code);

	put_number(t, KEY("icmp_type"), d->icmp_type);
	put_number(t, KEY("icmp_code"), d->icmp_code);
	if (name)
		put_string(t, STRING_KEY("icmp_name"), name);
}

static void put_transport(struct text *t, const struct nfl_decoded *d)
{
	if (d->present & NFL_HAS_PORTS) {
		put_number(t, KEY("sport"), d->source_port);
		put_number(t, KEY("dport"), d->destination_port);
	}
	if (d->present & NFL_HAS_TCP)
		put_tcp(t, d);
	if (d->present & NFL_HAS_UDP_LENGTH)
		put_number(t, KEY("udp_length"), d->udp_length);
	if (d->present & NFL_HAS_ICMP)
		put_icmp(t, d);
	if (d->present & NFL_HAS_ARP)
		put_number(t, KEY("arp_operation"), d->arp_operation);
	if (d->present & NFL_HAS_GRE)
		put_number(t, KEY("gre_protocol"), d->gre_protocol);
	if (d->present & NFL_HAS_SPI)
		put_number(t, KEY("spi"), d->spi);
	if (d->present & NFL_HAS_INNER_VLAN)
		put_number(t, KEY("inner_vlan_id"), d->inner_vlan_tci & VLAN_ID_MASK);
	if (d->truncated)
		put_true(t, KEY("truncated"));
}

static void put_tuple(struct text *t, const char *key, const struct nfl_tuple *tuple)
{
	size_t start;

	text_string(t, key);
	start = t->len;
	if (tuple->address_len) {
		put_address(t, STRING_KEY("src"), tuple->source, tuple->address_len);
		put_address(t, STRING_KEY("dst"), tuple->destination, tuple->address_len);
	}
	put_protocol(t, tuple->protocol);
	if (tuple->source_port || tuple->destination_port) {
		put_number(t, KEY("sport"), tuple->source_port);
		put_number(t, KEY("dport"), tuple->destination_port);
	}
	close_at(t, start, "{}");
}

static void put_conntrack(struct text *t, const struct nfl_record *r,
			  const struct nfl_conntrack *ct)
{
	bool has_info = r->present & NFL_HAS_CT_INFO;
	size_t start;

	if (!has_info && !ct->present)
		return;
	text_string(t, KEY("conntrack"));
	start = t->len;
	if (has_info) {
		put_number(t, KEY("info"), r->ct_info);
		put_string(t, STRING_KEY("state"), nfl_ct_info_name(r->ct_info));
	}
	if (ct->present & NFL_HAS_CT_ID)
		put_number(t, KEY("id"), ct->id);
	if (ct->present & NFL_HAS_CT_STATUS)
		put_number(t, KEY("status"), ct->status);
	if (ct->present & NFL_HAS_CT_MARK)
		put_number(t, KEY("mark"), ct->mark);
	if (ct->present & NFL_HAS_CT_ZONE)
		put_number(t, KEY("zone"), ct->zone);
	if (ct->present & NFL_HAS_CT_ORIGINAL)
		put_tuple(t, KEY("original"), &ct->original);
	if (ct->present & NFL_HAS_CT_REPLY)
		put_tuple(t, KEY("reply"), &ct->reply);
	close_at(t, start, "{}");
}

static void put_unknown(struct text *t, const struct nfl_record *r)
{
	size_t start;

	if (!r->unknown_count)
		return;
	text_string(t, KEY("unknown_attributes"));
	start = t->len;
	for (size_t i = 0; i < r->unknown_count; i++)
		put_hex(t, ",\"", r->unknown[i]);
	close_at(t, start, "[]");
}

size_t nfl_render_json(char *buf, size_t cap, const struct nfl_packet *packet,
		       const struct nfl_render_source *source, uint32_t flags)
{
	const struct nfl_record *r = &packet->record;
	struct text t = text_start(buf, cap);

	put_times(&t, r, flags);
	put_source(&t, packet, source);
	put_hook(&t, r);
	put_prefix(&t, packet);
	put_devices(&t, packet);
	put_ip(&t, &packet->decoded);
	put_transport(&t, &packet->decoded);
	if (packet_length(packet))
		put_number(&t, KEY("length"), packet_length(packet));
	put_metadata(&t, r);
	put_link_layer(&t, r);
	put_conntrack(&t, r, &packet->conntrack);
	if (r->present & NFL_HAS_PAYLOAD)
		put_hex(&t, STRING_KEY("payload"), r->payload);
	put_unknown(&t, r);
	close_at(&t, 0, "{}");
	return text_end(&t);
}

/* Bytes of all keys, numbers, names and addresses together: the most that was ever seen is below
 * 2000, a test renders a packet that has everything. */
#define FIXED_BOUND 4096
/* One byte becomes \u0000 at worst. */
#define ESCAPED_BOUND 6

size_t nfl_render_json_bound(const struct nfl_packet *packet,
			     const struct nfl_render_source *source)
{
	const struct nfl_record *r = &packet->record;
	size_t escaped = source && source->netns ? strlen(source->netns) : 0;
	size_t hex = packet->prefix_raw.len;

	escaped += packet->indev_name.len + packet->outdev_name.len;
	escaped += packet->physindev_name.len + packet->physoutdev_name.len;
	if (r->present & NFL_HAS_PREFIX) {
		escaped += r->prefix.len;
		hex += r->prefix.len;
	}
	if (r->present & NFL_HAS_PAYLOAD)
		hex += r->payload.len;
	if (r->present & NFL_HAS_HW_HEADER)
		hex += r->hw_header.len;
	if (r->present & NFL_HAS_L2_HEADER)
		hex += r->l2_header.len;
	if (r->present & NFL_HAS_HW_ADDRESS)
		hex += 2 * (size_t)r->hw_address.len;
	for (size_t i = 0; i < r->unknown_count; i++)
		hex += r->unknown[i].len + 2; /* quotes and a comma */
	return FIXED_BOUND + ESCAPED_BOUND * escaped + 2 * hex;
}
