/* SPDX-License-Identifier: MIT */
/* Packets made by hand, one for each rule of the compact line and of the JSON object. */
#include <nfl/render.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t ip4_client[] = {10, 0, 1, 60};
static const uint8_t ip4_server[] = {10, 0, 1, 5};
static const uint8_t ip6_client[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x60};
static const uint8_t ip6_server[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static const struct nfl_render_source red = {.netns = "red", .group = 100};

static struct nfl_bytes bytes_of(const char *text)
{
	return (struct nfl_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

/* Metadata only, no interface: what every packet has. */
static struct nfl_packet bare_packet(void)
{
	return (struct nfl_packet){
	    .record = {.receive_time_ns = INT64_C(1795435200123456789),
		       .family = NFL_FAMILY_IPV4,
		       .hook_number = 2,
		       .group = 100,
		       .hw_protocol = 0x0800},
	};
}

/* The line of the manual: a TCP SYN that is forwarded. */
static struct nfl_packet tcp_packet(void)
{
	struct nfl_packet p = bare_packet();

	p.record.present = NFL_HAS_INDEV | NFL_HAS_OUTDEV | NFL_HAS_MARK | NFL_HAS_PREFIX;
	p.record.indev = 12;
	p.record.outdev = 2;
	p.record.mark = 0x100;
	p.record.prefix = bytes_of("fw-drop: ");
	p.indev_name = bytes_of("veth12");
	p.outdev_name = bytes_of("eth0");
	p.decoded = (struct nfl_decoded){
	    .present = NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | NFL_HAS_PORTS |
		       NFL_HAS_TCP | NFL_HAS_FRAGMENT,
	    .ip_version = 4,
	    .address_len = 4,
	    .protocol = 6,
	    .ttl = 63,
	    .tcp_flags = NFL_TCP_SYN,
	    .tcp_window = 64240,
	    .source_port = 44916,
	    .destination_port = 80,
	    .total_length = 60,
	    .source = ip4_client,
	    .destination = ip4_server,
	};
	return p;
}

static struct nfl_packet ip6_packet(uint8_t protocol, uint32_t present)
{
	struct nfl_packet p = bare_packet();

	p.record.family = NFL_FAMILY_IPV6;
	p.record.hw_protocol = 0x86dd;
	p.decoded = (struct nfl_decoded){
	    .present = NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL | present,
	    .ip_version = 6,
	    .address_len = 16,
	    .protocol = protocol,
	    .ttl = 64,
	    .source_port = 5353,
	    .destination_port = 53,
	    .total_length = 80,
	    .source = ip6_client,
	    .destination = ip6_server,
	};
	return p;
}

#define START "12:00:00.123456 red/100 FORWARD "

static void assert_line(const struct nfl_packet *p, uint32_t flags, const char *expected)
{
	char line[NFL_RENDER_MAX];

	assert_int_equal(nfl_render_compact(line, sizeof(line), p, &red, NFL_RENDER_UTC | flags),
			 strlen(expected));
	assert_string_equal(line, expected);
}

static void assert_json_has(const struct nfl_packet *p, const char *member)
{
	char json[8192];

	assert_true(nfl_render_json(json, sizeof(json), p, &red, NFL_RENDER_UTC) < sizeof(json));
	if (!strstr(json, member))
		fail_msg("no %s in %s", member, json);
}

static void assert_json_lacks(const struct nfl_packet *p, const char *key)
{
	char json[8192];

	assert_true(nfl_render_json(json, sizeof(json), p, &red, NFL_RENDER_UTC) < sizeof(json));
	if (strstr(json, key))
		fail_msg("%s in %s", key, json);
}

static void a_tcp_packet_is_the_line_of_the_manual(void **state)
{
	struct nfl_packet p = tcp_packet();

	(void)state;
	assert_line(&p, 0,
		    "12:00:00.123456 red/100 FORWARD veth12>eth0 10.0.1.60:44916 > 10.0.1.5:80 "
		    "TCP SYN len 60 ttl 63 mark 0x100 \"fw-drop: \"");
}

static void the_time_is_the_kernels_where_it_gave_one(void **state)
{
	struct nfl_packet p = bare_packet();

	(void)state;
	p.record.present = NFL_HAS_PACKET_TIME;
	p.record.packet_time_ns = INT64_C(1795435199999999000);
	assert_line(&p, NFL_RENDER_DATE, "2026-11-23 11:59:59.999999 red/100 FORWARD IPv4");
	assert_json_has(&p, "{\"time\":\"2026-11-23T11:59:59.999999000Z\","
			    "\"packet_time\":\"2026-11-23T11:59:59.999999000Z\","
			    "\"receive_time\":\"2026-11-23T12:00:00.123456789Z\",");
}

static void a_packet_without_a_source_is_known_by_its_group(void **state)
{
	struct nfl_packet p = bare_packet();
	char line[NFL_RENDER_MAX];

	(void)state;
	(void)nfl_render_compact(line, sizeof(line), &p, NULL, NFL_RENDER_UTC);
	assert_string_equal(line, "12:00:00.123456 100 FORWARD IPv4");
}

static void a_hook_of_a_newer_kernel_is_its_number(void **state)
{
	struct nfl_packet p = bare_packet();

	(void)state;
	p.record.hook_number = 9;
	assert_line(&p, 0, "12:00:00.123456 red/100 HOOK9 IPv4");
	assert_json_lacks(&p, "\"hook\"");
	assert_json_has(&p, "\"hook_number\":9");
}

static void interfaces_are_named_or_numbered_and_show_bridge_ports(void **state)
{
	struct nfl_packet p = bare_packet();

	(void)state;
	p.record.present = NFL_HAS_INDEV;
	p.record.indev = 2;
	assert_line(&p, 0, START "if2> IPv4");
	p.record.present = NFL_HAS_OUTDEV;
	p.outdev_name = bytes_of("eth0");
	assert_line(&p, 0, START ">eth0 IPv4");
	p.record.present |= NFL_HAS_INDEV | NFL_HAS_PHYSINDEV | NFL_HAS_PHYSOUTDEV;
	p.indev_name = bytes_of("br0");
	p.physindev_name = bytes_of("veth1");
	p.record.physoutdev = 7;
	assert_line(&p, 0, START "br0(veth1)>eth0(if7) IPv4");
	assert_json_has(&p, "\"input\":{\"index\":2,\"name\":\"br0\"},"
			    "\"output\":{\"index\":0,\"name\":\"eth0\"},"
			    "\"physical_input\":{\"index\":0,\"name\":\"veth1\"},"
			    "\"physical_output\":{\"index\":7}");
}

static void ports_of_ip6_stand_behind_brackets(void **state)
{
	struct nfl_packet p = ip6_packet(17, NFL_HAS_PORTS);

	(void)state;
	assert_line(&p, 0, START "[2001:db8::60]:5353 > [2001:db8::1]:53 UDP len 80 ttl 64");
	p = ip6_packet(17, 0);
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 UDP len 80 ttl 64");
}

static void tcp_flags_are_named_in_order(void **state)
{
	struct nfl_packet p = tcp_packet();

	(void)state;
	p.record.present = 0;
	p.decoded.tcp_flags = 0x1ff;
	assert_line(&p, 0,
		    START "10.0.1.60:44916 > 10.0.1.5:80 TCP FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,AE "
			  "len 60 ttl 63");
	assert_json_has(&p, "\"tcp_flags\":[\"FIN\",\"SYN\",\"RST\",\"PSH\",\"ACK\",\"URG\","
			    "\"ECE\",\"CWR\",\"AE\"]");
	p.decoded.tcp_flags = 0;
	assert_line(&p, 0, START "10.0.1.60:44916 > 10.0.1.5:80 TCP none len 60 ttl 63");
	assert_json_has(&p, "\"tcp_flags\":[]");
}

static void icmp_messages_have_names_by_version(void **state)
{
	struct nfl_packet p = ip6_packet(58, NFL_HAS_ICMP);

	(void)state;
	p.decoded.icmp_type = 135;
	assert_line(&p, 0,
		    START "2001:db8::60 > 2001:db8::1 ICMPv6 neighbor solicitation len 80 ttl 64");
	p.decoded.icmp_type = 8; /* IPv4's echo request is nothing here */
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 ICMPv6 type 8 code 0 len 80 ttl 64");
	p.decoded.protocol = 1;
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 ICMP echo request len 80 ttl 64");
	p.decoded.icmp_type = 3;
	p.decoded.icmp_code = 3;
	assert_json_has(&p, "\"icmp_type\":3,\"icmp_code\":3,\"icmp_name\":\"port unreachable\"");
}

static void arp_asks_and_answers(void **state)
{
	struct nfl_packet p = bare_packet();

	(void)state;
	p.record.family = NFL_FAMILY_ARP;
	p.record.hook_number = 0;
	p.record.hw_protocol = 0x0806;
	p.decoded = (struct nfl_decoded){.present = NFL_HAS_ARP | NFL_HAS_ADDRESSES,
					 .address_len = 4,
					 .arp_operation = 1,
					 .source = ip4_client,
					 .destination = ip4_server};
	assert_line(&p, 0, "12:00:00.123456 red/100 INPUT ARP who-has 10.0.1.5 tell 10.0.1.60");
	p.decoded.arp_operation = 2;
	assert_line(&p, 0, "12:00:00.123456 red/100 INPUT ARP reply 10.0.1.60 to 10.0.1.5");
	p.decoded.arp_operation = 9;
	assert_line(&p, 0, "12:00:00.123456 red/100 INPUT ARP operation 9 10.0.1.60 > 10.0.1.5");
	p.decoded.present = NFL_HAS_ARP;
	p.decoded.arp_operation = 1;
	assert_line(&p, 0, "12:00:00.123456 red/100 INPUT ARP who-has");
}

static void fragments_tell_their_offset_and_whether_more_follow(void **state)
{
	struct nfl_packet p = ip6_packet(17, NFL_HAS_FRAGMENT);

	(void)state;
	assert_json_lacks(&p, "fragment_offset");
	p.decoded.more_fragments = true;
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 UDP frag 0+ len 80 ttl 64");
	assert_json_has(&p, "\"fragment_offset\":0,\"more_fragments\":true");
	p.decoded.fragment_offset = 1480;
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 UDP frag 1480+ len 80 ttl 64");
	p.decoded.more_fragments = false;
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 UDP frag 1480 len 80 ttl 64");
	assert_json_lacks(&p, "more_fragments");
}

static void tunnels_and_nameless_protocols_tell_what_is_known(void **state)
{
	struct nfl_packet p = ip6_packet(47, NFL_HAS_GRE);

	(void)state;
	p.decoded.gre_protocol = 0x0800;
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 GRE ethertype 0x0800 len 80 ttl 64");
	p = ip6_packet(50, NFL_HAS_SPI);
	p.decoded.spi = 0xc0ffee;
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 ESP spi 0x00c0ffee len 80 ttl 64");
	p = ip6_packet(253, 0);
	assert_line(&p, 0, START "2001:db8::60 > 2001:db8::1 proto 253 len 80 ttl 64");
	assert_json_has(&p, "\"protocol\":253,\"ttl\"");
}

static void what_is_no_ip_is_its_ethertype(void **state)
{
	static const uint8_t lldp[60];
	struct nfl_packet p = bare_packet();

	(void)state;
	p.record.family = NFL_FAMILY_NETDEV;
	p.record.hook_number = 0;
	p.record.hw_protocol = 0x88cc;
	p.record.present = NFL_HAS_PAYLOAD | NFL_HAS_VLAN_TCI;
	p.record.vlan_tci = 0xe00a; /* priority 7, id 10 */
	p.record.payload = (struct nfl_bytes){lldp, sizeof(lldp)};
	p.decoded.inner_vlan_tci = 20;
	p.decoded.present = NFL_HAS_INNER_VLAN;
	assert_line(&p, 0,
		    "12:00:00.123456 red/100 INGRESS ethertype 0x88cc len 60 vlan 10 vlan 20");
	assert_json_has(&p, "\"vlan\":{\"tci\":57354,\"id\":10}");
	assert_json_has(&p, "\"inner_vlan_id\":20");
}

static void an_inner_tag_of_zero_is_shown_and_an_absent_one_is_not(void **state)
{
	struct nfl_packet p = bare_packet();

	(void)state;
	p.record.hw_protocol = 0x88cc;
	p.decoded.present = NFL_HAS_INNER_VLAN;
	assert_line(&p, 0, "12:00:00.123456 red/100 FORWARD ethertype 0x88cc vlan 0");
	assert_json_has(&p, "\"inner_vlan_id\":0");
	p.decoded.present = 0;
	p.decoded.inner_vlan_tci = 20; /* undefined, as its bit is not set */
	assert_line(&p, 0, "12:00:00.123456 red/100 FORWARD ethertype 0x88cc");
}

static void a_header_that_was_cut_is_told(void **state)
{
	struct nfl_packet p = tcp_packet();

	(void)state;
	p.record.present = 0;
	p.decoded.present = NFL_HAS_IP | NFL_HAS_ADDRESSES | NFL_HAS_PROTOCOL;
	p.decoded.truncated = true;
	assert_line(&p, 0, START "10.0.1.60 > 10.0.1.5 TCP len 60 ttl 63 (truncated)");
	p.decoded.present = 0;
	assert_line(&p, 0, START "IPv4 (truncated)");
	assert_json_has(&p, "\"truncated\":true");
}

static void root_and_established_are_values_not_absence(void **state)
{
	struct nfl_packet p = bare_packet();

	(void)state;
	assert_json_lacks(&p, "uid");
	assert_json_lacks(&p, "conntrack");
	assert_json_lacks(&p, "mark");
	assert_json_lacks(&p, "kernel_sequence");
	p.record.present = NFL_HAS_UID | NFL_HAS_GID | NFL_HAS_CT_INFO | NFL_HAS_SEQ;
	assert_line(&p, 0, START "IPv4 uid 0 gid 0 ct ESTABLISHED");
	assert_json_has(&p, "\"uid\":0,\"gid\":0,\"kernel_sequence\":0");
	assert_json_has(&p, "\"conntrack\":{\"info\":0,\"state\":\"ESTABLISHED\"}");
}

static void hostile_names_are_escaped_everywhere(void **state)
{
	const struct nfl_render_source source = {.netns = "a\x1b]0;b", .group = 1};
	struct nfl_packet p = bare_packet();
	char out[8192];

	(void)state;
	p.record.present = NFL_HAS_PREFIX | NFL_HAS_INDEV;
	p.record.prefix = bytes_of("\x1b[2J\"\xff");
	p.indev_name = bytes_of("e\x9b");
	(void)nfl_render_compact(out, sizeof(out), &p, &source, NFL_RENDER_UTC);
	assert_string_equal(out, "12:00:00.123456 a\\x1b]0;b/1 FORWARD e\\x9b> IPv4 "
				 "\"\\x1b[2J\\\"\\xff\"");
	(void)nfl_render_json(out, sizeof(out), &p, &source, NFL_RENDER_UTC);
	assert_non_null(strstr(out, "\"netns\":\"a\\u001b]0;b\",\"group\":1,"));
	assert_non_null(strstr(out, "\"prefix\":\"\\u001b[2J\\\"\xef\xbf\xbd\","
				    "\"prefix_raw\":\"1b5b324a22ff\","));
	assert_non_null(strstr(out, "\"name\":\"e\xef\xbf\xbd\""));
}

static void a_repaired_prefix_shows_the_bytes_it_was_made_of(void **state)
{
	struct nfl_packet p = tcp_packet();

	(void)state;
	assert_json_lacks(&p, "prefix_raw");
	p.record.prefix = bytes_of("a\xef\xbf\xbd");
	p.prefix_raw = bytes_of("a\xff");
	assert_json_has(&p, "\"prefix\":\"a\xef\xbf\xbd\",\"prefix_raw\":\"61ff\"");
}

static void colours_only_surround_what_is_there_without_them(void **state)
{
	struct nfl_packet p = tcp_packet();
	char plain[NFL_RENDER_MAX], stripped[NFL_RENDER_MAX], coloured[NFL_RENDER_MAX];
	size_t len = 0;

	(void)state;
	(void)nfl_render_compact(plain, sizeof(plain), &p, &red, NFL_RENDER_UTC);
	(void)nfl_render_compact(coloured, sizeof(coloured), &p, &red,
				 NFL_RENDER_UTC | NFL_RENDER_COLOR);
	assert_null(strchr(plain, '\x1b'));
	assert_non_null(strchr(coloured, '\x1b'));
	for (const char *c = coloured; *c; c++) {
		if (*c == '\x1b')
			c = strchr(c, 'm');
		else
			stripped[len++] = *c;
	}
	stripped[len] = '\0';
	assert_string_equal(stripped, plain);
}

/* Everything at once, of the greatest size each. */
static struct nfl_packet full_packet(void)
{
	static const uint8_t bytes[400] = {1, 2, 0xff};
	struct nfl_packet p = tcp_packet();
	struct nfl_record *r = &p.record;
	const struct nfl_tuple tuple = {16, 6, UINT16_MAX, UINT16_MAX, ip6_client, ip6_server};

	memset(&p.decoded, 0xff, sizeof(p.decoded));
	p.decoded.truncated = p.decoded.more_fragments = true;
	p.decoded.ip_version = 6;
	p.decoded.address_len = 16;
	p.decoded.protocol = 58;
	p.decoded.icmp_type = 143;
	p.decoded.source = ip6_client;
	p.decoded.destination = ip6_server;
	p.sequence = UINT64_MAX;
	p.source_id = p.original_length = UINT32_MAX;
	r->present = UINT64_MAX;
	r->packet_time_ns = INT64_MIN;
	r->hw_type = r->hw_length = r->vlan_tci = r->vlan_proto = UINT16_MAX;
	r->mark = r->uid = r->gid = r->seq = r->seq_global = r->ct_info = UINT32_MAX;
	r->indev = r->outdev = r->physindev = r->physoutdev = UINT32_MAX;
	r->hw_address = (struct nfl_bytes){bytes, 8};
	r->payload = r->prefix = r->hw_header = r->l2_header = (struct nfl_bytes){bytes, 400};
	r->unknown_count = NFL_UNKNOWN_MAX;
	for (size_t i = 0; i < NFL_UNKNOWN_MAX; i++)
		r->unknown[i] = (struct nfl_bytes){bytes, (uint32_t)(4 + i)};
	p.indev_name = p.outdev_name = (struct nfl_bytes){bytes, 15};
	p.physindev_name = p.physoutdev_name = (struct nfl_bytes){bytes, 15};
	p.conntrack = (struct nfl_conntrack){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
					     UINT16_MAX, tuple,      tuple};
	return p;
}

static void the_bound_is_enough_for_a_packet_with_everything(void **state)
{
	struct nfl_packet p = full_packet();
	size_t bound = nfl_render_json_bound(&p, &red);
	size_t variable;
	size_t len = nfl_render_json(NULL, 0, &p, &red, 0);

	(void)state;
	assert_true(len < bound);
	/* half of the fixed part is left when nothing else has any bytes */
	p.record.payload.len = p.record.prefix.len = 0;
	p.record.hw_header.len = p.record.l2_header.len = 0;
	variable = nfl_render_json_bound(&p, &red) - 4096;
	assert_true(nfl_render_json(NULL, 0, &p, &red, 0) < 2048 + variable);
}

/* A heap buffer of exactly this size: a byte too many is found by the address sanitizer. */
typedef size_t (*render_fn)(char *buf, size_t cap, const struct nfl_packet *packet,
			    const struct nfl_render_source *source, uint32_t flags);

static void cut_at_every_cap(render_fn render, const struct nfl_packet *p)
{
	static char whole[32768];
	size_t len = render(whole, sizeof(whole), p, &red, NFL_RENDER_UTC | NFL_RENDER_COLOR);

	assert_true(len < sizeof(whole));
	for (size_t cap = 0; cap <= len + 1; cap++) {
		char *buf = malloc(cap ? cap : 1);

		assert_non_null(buf);
		buf[0] = 'x';
		assert_int_equal(render(buf, cap, p, &red, NFL_RENDER_UTC | NFL_RENDER_COLOR), len);
		if (cap) {
			size_t kept = cap - 1;

			while (kept < len && ((unsigned char)whole[kept] & 0xc0) == 0x80)
				kept--; /* no part of a character */
			assert_int_equal(strlen(buf), kept < len ? kept : len);
			assert_memory_equal(buf, whole, strlen(buf));
		} else {
			assert_int_equal(buf[0], 'x');
		}
		free(buf);
	}
}

static void a_text_cut_anywhere_is_the_beginning_of_the_whole(void **state)
{
	struct nfl_packet full = full_packet();
	struct nfl_packet tcp = tcp_packet();

	(void)state;
	cut_at_every_cap(nfl_render_compact, &full);
	cut_at_every_cap(nfl_render_compact, &tcp);
	cut_at_every_cap(nfl_render_json, &full);
	cut_at_every_cap(nfl_render_json, &tcp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tcp_packet_is_the_line_of_the_manual),
	    cmocka_unit_test(the_time_is_the_kernels_where_it_gave_one),
	    cmocka_unit_test(a_packet_without_a_source_is_known_by_its_group),
	    cmocka_unit_test(a_hook_of_a_newer_kernel_is_its_number),
	    cmocka_unit_test(interfaces_are_named_or_numbered_and_show_bridge_ports),
	    cmocka_unit_test(ports_of_ip6_stand_behind_brackets),
	    cmocka_unit_test(tcp_flags_are_named_in_order),
	    cmocka_unit_test(icmp_messages_have_names_by_version),
	    cmocka_unit_test(arp_asks_and_answers),
	    cmocka_unit_test(fragments_tell_their_offset_and_whether_more_follow),
	    cmocka_unit_test(tunnels_and_nameless_protocols_tell_what_is_known),
	    cmocka_unit_test(what_is_no_ip_is_its_ethertype),
	    cmocka_unit_test(an_inner_tag_of_zero_is_shown_and_an_absent_one_is_not),
	    cmocka_unit_test(a_header_that_was_cut_is_told),
	    cmocka_unit_test(root_and_established_are_values_not_absence),
	    cmocka_unit_test(hostile_names_are_escaped_everywhere),
	    cmocka_unit_test(a_repaired_prefix_shows_the_bytes_it_was_made_of),
	    cmocka_unit_test(colours_only_surround_what_is_there_without_them),
	    cmocka_unit_test(the_bound_is_enough_for_a_packet_with_everything),
	    cmocka_unit_test(a_text_cut_anywhere_is_the_beginning_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
