/* SPDX-License-Identifier: MIT */
/* The packets of the fixtures: what a real kernel put into NFULA_PAYLOAD at each kind of hook decodes
 * to what was sent, and cut anywhere stays within itself. tshark agrees with these values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>
#include <nfl/decode.h>

#include "fixtures.h"

#define PORTS (NFL_HAS_PROTOCOL | NFL_HAS_PORTS)

static const struct captured {
	const char *file;
	uint32_t present; /* among others */
	uint32_t absent;
	bool truncated;
	uint8_t ip_version;
	uint8_t protocol;
	uint16_t source_port, destination_port;
	uint32_t total_length;
	const char *source;
} captured[] = {
    {"netdev-egress-udp.bin", PORTS, 0, false, 4, 17, 47551, 5001, 44, "10.9.1.2"},
    {"bridge-forward-qinq.bin", PORTS | NFL_HAS_INNER_VLAN, 0, false, 4, 17, 5000, 5001, 36,
     "10.9.1.2"},
    {"netdev-ingress-vlan0.bin", PORTS, NFL_HAS_INNER_VLAN, false, 4, 17, 5000, 5001, 36,
     "10.9.1.2"},
    {"netdev-ingress-ip6ext.bin", PORTS, NFL_HAS_FRAGMENT, false, 6, 17, 5000, 5001, 72,
     "fd09:1::2"},
    {"netdev-ingress-ipopt.bin", PORTS, 0, false, 4, 17, 5000, 5001, 40, "10.9.1.2"},
    {"bridge-forward-icmp6.bin", NFL_HAS_ICMP, NFL_HAS_PORTS, false, 6, 58, 0, 0, 104, "fd09:3::2"},
    {"frag4-00.bin", PORTS, 0, false, 4, 17, 51033, 5001, 1500, "10.9.1.2"},
    {"frag4-02.bin", NFL_HAS_FRAGMENT, NFL_HAS_PORTS, false, 4, 17, 0, 0, 68, "10.9.1.2"},
    {"proto-136.bin", PORTS, NFL_HAS_UDP_LENGTH, false, 4, 136, 16706, 17220, 60, "10.9.1.2"},
    {"copy-range-20.bin", NFL_HAS_PROTOCOL, NFL_HAS_PORTS, true, 4, 17, 0, 0, 128, "10.9.1.2"},
    {"snaplen-30.bin", PORTS, 0, false, 4, 17, 60586, 5001, 128, "10.9.1.2"},
    {"copy-range-1.bin", 0, NFL_HAS_IP, true, 0, 0, 0, 0, 0, NULL},
    {"copy-meta.bin", 0, NFL_HAS_IP, false, 0, 0, 0, 0, 0, NULL},
    {"netdev-ingress-1byte.bin", 0, NFL_HAS_IP, false, 0, 0, 0, 0, 0, NULL},
    {"netdev-ingress-pppoe.bin", 0, NFL_HAS_IP, false, 0, 0, 0, 0, 0, NULL},
    {"netdev-ingress-mpls.bin", 0, NFL_HAS_IP, false, 0, 0, 0, 0, 0, NULL},
    {"netdev-ingress-llc.bin", 0, NFL_HAS_IP, false, 0, 0, 0, 0, 0, NULL},
    {"arp-input.bin", NFL_HAS_ARP, NFL_HAS_IP, false, 0, 0, 0, 0, 0, "10.9.1.2"},
    {"arp-output.bin", NFL_HAS_ARP, NFL_HAS_IP, false, 0, 0, 0, 0, 0, "10.9.1.1"},
};

static void assert_source(const struct captured *c, const struct nfl_decoded *decoded)
{
	int family = decoded->address_len == 4 ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	assert_int_equal(!!(decoded->present & NFL_HAS_ADDRESSES), !!c->source);
	if (!c->source)
		return;
	assert_non_null(inet_ntop(family, decoded->source, text, sizeof(text)));
	assert_string_equal(text, c->source);
}

static void captured_packets_decode_to_what_was_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(captured) / sizeof(captured[0]); i++) {
		const struct captured *c = &captured[i];
		struct fixture_message m = fixture_message_load(c->file);
		struct nfl_decoded decoded;
		struct nfl_record record;

		assert_int_equal(nfl_decode_message(m.bytes, m.len, &record), 0);
		nfl_decode_payload(&record, &decoded);
		if ((decoded.present & c->present) != c->present || decoded.present & c->absent)
			fail_msg("%s: present is %#x", c->file, decoded.present);
		assert_int_equal(decoded.truncated, c->truncated);
		assert_int_equal(decoded.ip_version, c->ip_version);
		assert_int_equal(decoded.protocol, c->protocol);
		assert_int_equal(decoded.source_port, c->source_port);
		assert_int_equal(decoded.destination_port, c->destination_port);
		assert_int_equal(decoded.total_length, c->total_length);
		assert_source(c, &decoded);
		fixture_message_free(&m);
	}
}

static volatile unsigned bytes_touched; /* keeps the reads below from being optimised away */

static void cut_payload(const struct fixture_message *m)
{
	struct nfl_decoded decoded;
	struct nfl_record record;
	const uint8_t *payload;
	uint32_t whole;

	assert_int_equal(nfl_decode_message(m->bytes, m->len, &record), 0);
	payload = record.payload.data;
	whole = record.payload.len;
	for (uint32_t len = 0; len <= whole && len < 200; len++) {
		uint8_t *copy = malloc(len ? len : 1);

		if (len)
			memcpy(copy, payload, len);
		record.payload = (struct nfl_bytes){copy, len};
		nfl_decode_payload(&record, &decoded);
		if (decoded.present & NFL_HAS_ADDRESSES)
			for (unsigned at = 0; at < decoded.address_len; at++)
				bytes_touched += decoded.source[at] + decoded.destination[at];
		assert_true(decoded.transport_offset <= len);
		free(copy);
	}
}

static void captured_packets_cut_anywhere_stay_within_themselves(void **state)
{
	size_t files;

	(void)state;
	fixture_for_each_message(cut_payload, &files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(captured_packets_decode_to_what_was_sent),
	    cmocka_unit_test(captured_packets_cut_anywhere_stay_within_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
