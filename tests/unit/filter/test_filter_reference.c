/* SPDX-License-Identifier: MIT */
/*
 * Random filters over every packet that a kernel made, against an evaluator that is plain and slow.
 * The seed is fixed: a failure comes again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/decode.h>
#include <nfl/filter.h>

#include "bytes.h"
#include "fixtures.h"

#define FILTERS     20000
#define TERMS_MAX   3
#define VALUES_MAX  4
#define PACKETS_MAX 512

/* --- packets ------------------------------------------------------------------------------ */

struct packet {
	struct nfl_packet packet;
	uint8_t *bytes;
	char names[4][8];
};

static struct packet *packets;
static size_t packet_count;

static struct nfl_bytes name_of(struct packet *p, unsigned which, uint32_t index)
{
	int len = index ? snprintf(p->names[which], 8, "if%u", index % 1000) : 0;

	return (struct nfl_bytes){(const uint8_t *)p->names[which], (uint32_t)len};
}

static void keep_message(const struct fixture_message *message)
{
	struct packet *p = &packets[packet_count++];
	struct nfl_record *r = &p->packet.record;

	assert_true(packet_count <= PACKETS_MAX);
	p->bytes = malloc(message->len);
	assert_non_null(p->bytes);
	memcpy(p->bytes, message->bytes, message->len);
	assert_int_equal(nfl_decode_message(p->bytes, message->len, r), 0);
	nfl_decode_payload(r, &p->packet.decoded);
	p->packet.indev_name = name_of(p, 0, r->present & NFL_HAS_INDEV ? r->indev : 0);
	p->packet.outdev_name = name_of(p, 1, r->present & NFL_HAS_OUTDEV ? r->outdev : 0);
	p->packet.physindev_name = name_of(p, 2, r->present & NFL_HAS_PHYSINDEV ? r->physindev : 0);
	p->packet.physoutdev_name =
	    name_of(p, 3, r->present & NFL_HAS_PHYSOUTDEV ? r->physoutdev : 0);
}

static const char *netns_of(size_t index)
{
	return index % 2 ? "red" : "blue";
}

static uint16_t group_of(size_t index)
{
	return (uint16_t)(index % 3);
}

/* --- filters ------------------------------------------------------------------------------ */

static uint64_t seed = 20261123;

static uint32_t any(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % below;
}

/* The values of one term; each list may use some of them. */
struct values {
	uint32_t numbers[12][VALUES_MAX];
	struct nfl_cidr cidrs[3][VALUES_MAX];
	struct nfl_range ranges[3][VALUES_MAX];
	struct nfl_masked masked[2][VALUES_MAX];
	struct nfl_match matches[5][VALUES_MAX];
	struct nfl_bytes bytes[VALUES_MAX];
	uint8_t text[5][VALUES_MAX][256];
};

static uint32_t choose(uint32_t of_packet, uint32_t below)
{
	return any(4) ? of_packet : any(below);
}

static struct nfl_cidr any_cidr(const uint8_t *address, uint8_t len)
{
	uint8_t other = any(2) ? 4 : 16;
	struct nfl_cidr cidr = {.address_len = address && any(8) ? len : other};

	cidr.length = (uint8_t)any(cidr.address_len * 8U + 1);
	for (unsigned i = 0; i < cidr.address_len; i++)
		cidr.address[i] =
		    address && cidr.address_len == len ? address[i] : (uint8_t)any(256);
	for (unsigned bit = cidr.length; bit < cidr.address_len * 8U; bit++)
		cidr.address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return cidr;
}

static struct nfl_range any_range(uint16_t port)
{
	uint32_t first = port >= 2 && any(3) ? port - any(3) : any(65536);
	uint32_t last = first + any(65536 - first) % 100;

	return (struct nfl_range){first, last};
}

static struct nfl_masked any_masked(uint32_t value, uint32_t bits)
{
	uint32_t mask = any(3) ? any(bits + 1U) : 0;

	return (struct nfl_masked){any(4) ? value & (mask ? mask : UINT32_MAX) : any(bits), mask};
}

static struct nfl_match any_match(struct nfl_bytes text, uint8_t buf[256])
{
	enum nfl_match_kind kind = (enum nfl_match_kind)(1 + any(3));
	uint32_t len = text.len > 200 ? 200 : text.len;

	if (len)
		memcpy(buf, text.data, len);
	if (kind == NFL_MATCH_STARTS_WITH && len)
		len = any(len + 1);
	for (unsigned i = 0; kind == NFL_MATCH_GLOB && len && i < 2; i++)
		buf[any(len)] = any(2) ? '*' : '?';
	if (len && !any(8))
		buf[any(len)] = 'x';
	return (struct nfl_match){kind, {buf, len}};
}

/* The field is given one time in six, with one value or more. */
#define FILL(term, member, from, value)                                                            \
	do {                                                                                       \
		if (any(6) == 0) {                                                                 \
			size_t n_ = 1 + any(VALUES_MAX);                                           \
			for (size_t i = 0; i < n_; i++)                                            \
				(from)[i] = (value);                                               \
			(term)->member.items = (from);                                             \
			(term)->member.count = n_;                                                 \
		}                                                                                  \
	} while (0)

static void fill_decoded(struct nfl_filter_term *t, struct values *v, const struct nfl_decoded *d)
{
	bool has = d->present & NFL_HAS_ADDRESSES;
	const uint8_t *source = has ? d->source : NULL;
	const uint8_t *destination = has ? d->destination : NULL;

	FILL(t, any_address, v->cidrs[0], any_cidr(any(2) ? source : destination, d->address_len));
	FILL(t, source_address, v->cidrs[1], any_cidr(source, d->address_len));
	FILL(t, destination_address, v->cidrs[2], any_cidr(destination, d->address_len));
	FILL(t, any_port, v->ranges[0], any_range(any(2) ? d->source_port : d->destination_port));
	FILL(t, source_port, v->ranges[1], any_range(d->source_port));
	FILL(t, destination_port, v->ranges[2], any_range(d->destination_port));
	FILL(t, protocol, v->numbers[0], choose(d->protocol, 256));
	FILL(t, ip_version, v->numbers[1], any(2) ? 4 : 6);
	FILL(t, icmp_type, v->numbers[2], choose(d->icmp_type, 256));
	FILL(t, tcp_flags, v->masked[0], any_masked(d->tcp_flags, 0x1ff));
}

static void fill_record(struct nfl_filter_term *t, struct values *v, const struct nfl_packet *p)
{
	const struct nfl_record *r = &p->record;
	struct nfl_bytes prefix = r->present & NFL_HAS_PREFIX ? r->prefix : (struct nfl_bytes){0};

	FILL(t, hook, v->numbers[3], 1 + any(8));
	FILL(t, family, v->numbers[4], any(4) && r->family ? r->family : 1 + any(11));
	FILL(t, uid, v->numbers[5], choose(r->uid, 2000));
	FILL(t, gid, v->numbers[6], choose(r->gid, 2000));
	FILL(t, vlan_id, v->numbers[7], choose(r->vlan_tci & 0xfffU, 4096));
	FILL(t, hw_protocol, v->numbers[8], choose(r->hw_protocol, 65536));
	FILL(t, group, v->numbers[9], any(3));
	FILL(t, mark, v->masked[1], any_masked(r->mark, 0xffff));
	FILL(t, prefix, v->matches[0], any_match(prefix, v->text[0][i]));
	FILL(t, any_interface, v->matches[1], any_match(p->outdev_name, v->text[1][i]));
	FILL(t, input_interface, v->matches[2], any_match(p->indev_name, v->text[2][i]));
	FILL(t, output_interface, v->matches[3], any_match(p->outdev_name, v->text[3][i]));
	FILL(t, netns, v->matches[4],
	     ((struct nfl_match){NFL_MATCH_EXACT, {(const uint8_t *)netns_of(any(2)), 3}}));
	if (r->present & NFL_HAS_HW_ADDRESS)
		FILL(t, hw_address, v->bytes, r->hw_address);
}

/* --- the plain evaluator ------------------------------------------------------------------ */

static bool glob(const uint8_t *p, size_t p_len, const uint8_t *t, size_t t_len)
{
	if (!p_len)
		return !t_len;
	if (*p == '*')
		return glob(p + 1, p_len - 1, t, t_len) ||
		       (t_len && glob(p, p_len, t + 1, t_len - 1));
	return t_len && (*p == '?' || *p == *t) && glob(p + 1, p_len - 1, t + 1, t_len - 1);
}

static bool text_is(const struct nfl_match *m, struct nfl_bytes text)
{
	if (!text.len)
		return false;
	switch (m->kind) {
	case NFL_MATCH_EXACT:
		return m->text.len == text.len && !memcmp(m->text.data, text.data, text.len);
	case NFL_MATCH_STARTS_WITH:
		return m->text.len <= text.len && !memcmp(m->text.data, text.data, m->text.len);
	case NFL_MATCH_GLOB:
		return glob(m->text.data, m->text.len, text.data, text.len);
	}
	return false;
}

static bool address_is(const struct nfl_cidr *c, const uint8_t *address, uint8_t len)
{
	if (len != c->address_len)
		return false;
	for (unsigned bit = 0; bit < c->length; bit++)
		if ((address[bit / 8] ^ c->address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool mask_is(const struct nfl_masked *m, uint32_t value)
{
	return (m->mask ? value & m->mask : value) == m->value;
}

static bool port_is(const struct nfl_range *range, uint32_t port)
{
	return range->first <= port && port <= range->last;
}

/* Whether any value of the list, as `it`, makes the condition true; true without a list. */
#define ANY(term, member, condition)                                                               \
	({                                                                                         \
		bool any_ = (term)->member.count == 0;                                             \
		for (size_t i_ = 0; i_ < (term)->member.count; i_++) {                             \
			__typeof__((term)->member.items) it = &(term)->member.items[i_];           \
			any_ = any_ || (condition);                                                \
		}                                                                                  \
		any_;                                                                              \
	})

static bool decoded_is(const struct nfl_filter_term *t, const struct nfl_decoded *d)
{
	bool a = d->present & NFL_HAS_ADDRESSES, p = d->present & NFL_HAS_PORTS;
	uint8_t n = d->address_len;

	return ANY(t, any_address,
		   a && (address_is(it, d->source, n) || address_is(it, d->destination, n))) &&
	       ANY(t, source_address, a && address_is(it, d->source, n)) &&
	       ANY(t, destination_address, a && address_is(it, d->destination, n)) &&
	       ANY(t, any_port,
		   p && (port_is(it, d->source_port) || port_is(it, d->destination_port))) &&
	       ANY(t, source_port, p && port_is(it, d->source_port)) &&
	       ANY(t, destination_port, p && port_is(it, d->destination_port)) &&
	       ANY(t, protocol, d->present & NFL_HAS_PROTOCOL && *it == d->protocol) &&
	       ANY(t, ip_version, d->present & NFL_HAS_IP && *it == d->ip_version) &&
	       ANY(t, icmp_type, d->present & NFL_HAS_ICMP && *it == d->icmp_type) &&
	       ANY(t, tcp_flags, d->present & NFL_HAS_TCP && mask_is(it, d->tcp_flags));
}

static bool record_is(const struct nfl_filter_term *t, const struct nfl_packet *p)
{
	const struct nfl_record *r = &p->record;
	uint64_t has = r->present;

	return ANY(t, hook, nfl_record_hook(r) && *it == (uint32_t)nfl_record_hook(r)) &&
	       ANY(t, family, *it == r->family) &&
	       ANY(t, uid, has & NFL_HAS_UID && *it == r->uid) &&
	       ANY(t, gid, has & NFL_HAS_GID && *it == r->gid) &&
	       ANY(t, vlan_id, has & NFL_HAS_VLAN_TCI && *it == (r->vlan_tci & 0xfffU)) &&
	       ANY(t, hw_protocol, r->hw_protocol && *it == r->hw_protocol) &&
	       ANY(t, mark, mask_is(it, has & NFL_HAS_MARK ? r->mark : 0)) &&
	       ANY(t, prefix, has & NFL_HAS_PREFIX && text_is(it, r->prefix)) &&
	       ANY(t, hw_address,
		   has & NFL_HAS_HW_ADDRESS && it->len == r->hw_address.len &&
		       !memcmp(it->data, r->hw_address.data, it->len)) &&
	       ANY(t, any_interface,
		   text_is(it, p->indev_name) || text_is(it, p->outdev_name) ||
		       text_is(it, p->physindev_name) || text_is(it, p->physoutdev_name)) &&
	       ANY(t, input_interface,
		   text_is(it, p->indev_name) || text_is(it, p->physindev_name)) &&
	       ANY(t, output_interface,
		   text_is(it, p->outdev_name) || text_is(it, p->physoutdev_name));
}

static bool term_is(const struct nfl_filter_term *t, size_t index)
{
	const char *netns = netns_of(index);
	struct nfl_bytes name = {(const uint8_t *)netns, (uint32_t)strlen(netns)};
	uint16_t group = group_of(index);

	return decoded_is(t, &packets[index].packet.decoded) &&
	       record_is(t, &packets[index].packet) && ANY(t, netns, text_is(it, name)) &&
	       ANY(t, group, *it == group);
}

static bool any_is(const struct nfl_filter_term *terms, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (term_is(&terms[i], index))
			return true;
	return false;
}

/* --- both --------------------------------------------------------------------------------- */

static void random_filters_pass_what_the_plain_evaluator_passes(void **state)
{
	static struct values values[2 * TERMS_MAX];
	struct nfl_filter_term terms[2 * TERMS_MAX];
	size_t files, passed = 0, held = 0;

	(void)state;
	packets = calloc(PACKETS_MAX, sizeof(*packets));
	assert_non_null(packets);
	assert_true(fixture_for_each_message(keep_message, &files) >= 153);
	for (size_t n = 0; n < FILTERS; n++) {
		size_t include = any(TERMS_MAX + 1), exclude = any(TERMS_MAX + 1);
		struct nfl_filter *filter;
		struct nfl_error err = {""};

		for (size_t i = 0; i < include + exclude; i++) {
			const struct nfl_packet *like =
			    &packets[any((uint32_t)packet_count)].packet;

			terms[i] = (struct nfl_filter_term){.size = sizeof(terms[i])};
			fill_decoded(&terms[i], &values[i], &like->decoded);
			fill_record(&terms[i], &values[i], like);
		}
		if (nfl_filter_new(terms, include, terms + include, exclude, &filter, &err) < 0)
			fail_msg("filter %zu: %s", n, err.text);
		for (size_t i = n % 7; i < packet_count; i += 7) {
			bool expected = (!include || any_is(terms, include, i)) &&
					!any_is(terms + include, exclude, i);
			bool got =
			    nfl_filter_match(filter, &packets[i].packet, netns_of(i), group_of(i));

			if (got != expected)
				fail_msg("filter %zu, packet %zu: %d", n, i, got);
			passed += got;
			held += !got;
		}
		nfl_filter_free(filter);
	}
	assert_true(passed > 10000 && held > 10000); /* or it would show nothing */
	for (size_t i = 0; i < packet_count; i++)
		free(packets[i].bytes);
	free(packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_filters_pass_what_the_plain_evaluator_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
