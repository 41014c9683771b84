/* SPDX-License-Identifier: MIT */
/* packets.c: decodes packets from text and compares them field by field. */
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>
#include <nfl/decode.h>

uint32_t packet_bytes(const char *hex, uint8_t bytes[PACKET_BYTES_MAX])
{
	uint32_t len = 0;
	unsigned value;

	while (*(hex += strspn(hex, " "))) {
		assert_true(len < PACKET_BYTES_MAX);
		assert_int_equal(sscanf(hex, "%2x", &value), 1);
		bytes[len++] = (uint8_t)value;
		hex += 2;
	}
	return len;
}

struct nfl_decoded packet_decode(const struct packet_case *packet, const uint8_t *bytes,
				 uint32_t len, uint8_t addresses[2][16])
{
	uint8_t *copy = malloc(len ? len : 1);
	struct nfl_record record = {
	    .present = NFL_HAS_PAYLOAD,
	    .family = packet->family ? packet->family : NFL_FAMILY_IPV4,
	    .hook_number = packet->hook,
	    .hw_protocol = packet->hw_protocol,
	    .payload = {copy, len},
	};
	struct nfl_decoded decoded;

	memcpy(copy, bytes, len);
	memset(&decoded, 0xa5, sizeof(decoded));
	nfl_decode_payload(&record, &decoded);
	if (decoded.present & NFL_HAS_ADDRESSES) {
		assert_true(decoded.address_len == 4 || decoded.address_len == 16);
		memcpy(addresses[0], decoded.source, decoded.address_len);
		memcpy(addresses[1], decoded.destination, decoded.address_len);
		decoded.source = addresses[0];
		decoded.destination = addresses[1];
	}
	free(copy);
	return decoded;
}

static void assert_field(const char *name, const char *field, uint32_t value, uint32_t expected)
{
	if (value != expected)
		fail_msg("%s: %s is %u (%#x), not %u (%#x)", name, field, value, value, expected,
			 expected);
}

#define ASSERT_FIELD(field) assert_field(name, #field, got->field, expected->field)

static void assert_same(const char *name, const struct nfl_decoded *got,
			const struct nfl_decoded *expected)
{
	ASSERT_FIELD(present);
	ASSERT_FIELD(truncated);
	ASSERT_FIELD(more_fragments);
	ASSERT_FIELD(ip_version);
	ASSERT_FIELD(address_len);
	ASSERT_FIELD(protocol);
	ASSERT_FIELD(icmp_type);
	ASSERT_FIELD(icmp_code);
	ASSERT_FIELD(ttl);
	ASSERT_FIELD(traffic_class);
	ASSERT_FIELD(tcp_flags);
	ASSERT_FIELD(tcp_window);
	ASSERT_FIELD(source_port);
	ASSERT_FIELD(destination_port);
	ASSERT_FIELD(arp_operation);
	ASSERT_FIELD(gre_protocol);
	ASSERT_FIELD(udp_length);
	ASSERT_FIELD(inner_vlan_tci);
	ASSERT_FIELD(total_length);
	ASSERT_FIELD(flow_label);
	ASSERT_FIELD(identification);
	ASSERT_FIELD(fragment_offset);
	ASSERT_FIELD(tcp_sequence);
	ASSERT_FIELD(tcp_ack);
	ASSERT_FIELD(spi);
	ASSERT_FIELD(transport_offset);
}

static void assert_addresses(const struct packet_case *packet, const struct nfl_decoded *got)
{
	int family = got->address_len == 4 ? AF_INET : AF_INET6;
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], both[2 * INET6_ADDRSTRLEN];

	assert_int_equal(!!packet->addresses, !!(got->present & NFL_HAS_ADDRESSES));
	if (!packet->addresses)
		return;
	(void)snprintf(both, sizeof(both), "%s %s",
		       inet_ntop(family, got->source, source, sizeof(source)),
		       inet_ntop(family, got->destination, destination, sizeof(destination)));
	assert_string_equal(both, packet->addresses);
}

void packet_assert_decoded(const struct packet_case *packet)
{
	uint8_t bytes[PACKET_BYTES_MAX], addresses[2][16];
	uint32_t len = packet_bytes(packet->hex, bytes);
	struct nfl_decoded got = packet_decode(packet, bytes, len, addresses);

	assert_same(packet->name, &got, &packet->expect);
	assert_addresses(packet, &got);
}

/* What a cut packet may not have: a bit, or a value, that the whole one has not. */
static void assert_part(const char *name, const struct nfl_decoded *got,
			const struct nfl_decoded *whole)
{
	struct nfl_decoded filled = *got;

	assert_int_equal(got->present & ~whole->present, 0);
	filled.present = whole->present;
	filled.truncated = whole->truncated;
#define FILL(field) (filled.field = filled.field ? filled.field : whole->field)
	FILL(more_fragments);
	FILL(ip_version);
	FILL(address_len);
	FILL(protocol);
	FILL(icmp_type);
	FILL(icmp_code);
	FILL(ttl);
	FILL(traffic_class);
	FILL(tcp_flags);
	FILL(tcp_window);
	FILL(source_port);
	FILL(destination_port);
	FILL(arp_operation);
	FILL(gre_protocol);
	FILL(udp_length);
	FILL(inner_vlan_tci);
	FILL(total_length);
	FILL(flow_label);
	FILL(identification);
	FILL(fragment_offset);
	FILL(tcp_sequence);
	FILL(tcp_ack);
	FILL(spi);
	FILL(transport_offset);
#undef FILL
	assert_same(name, &filled, whole);
}

void packet_assert_cuts(const struct packet_case *packet)
{
	uint8_t bytes[PACKET_BYTES_MAX], addresses[2][16];
	uint32_t whole_len = packet_bytes(packet->hex, bytes);

	for (uint32_t len = 1; len <= whole_len; len++) {
		struct nfl_decoded got = packet_decode(packet, bytes, len, addresses);

		assert_part(packet->name, &got, &packet->expect);
		if (len < packet->headers_len && !got.truncated)
			fail_msg("%s: cut to %u is not truncated", packet->name, len);
		if (len >= packet->headers_len && got.truncated)
			fail_msg("%s: cut to %u is truncated", packet->name, len);
		if (len >= packet->headers_len && got.present != packet->expect.present)
			fail_msg("%s: cut to %u lacks a field", packet->name, len);
	}
}
