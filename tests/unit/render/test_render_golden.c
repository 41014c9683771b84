/* SPDX-License-Identifier: MIT */
/*
 * Real datagrams of the kernel, rendered, against files that people have read. After a change that
 * is meant: NFL_GOLDEN_UPDATE=1 build/dev/bin/test_render_golden, then read the difference and
 * check with `jq -e . tests/data/golden/packets.jsonl`.
 */
#include <nfl/decode.h>
#include <nfl/pcapng.h>
#include <nfl/render.h>

#include <dirent.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIXTURES     TEST_DATA "/fixtures/"
#define GOLDEN       TEST_DATA "/golden/"
#define PACKET_TYPE  0x0400
#define DATAGRAM_MAX 65536
#define LINE_BYTES   65536

typedef size_t (*render_fn)(char *buf, size_t cap, const struct nfl_packet *packet,
			    const struct nfl_render_source *source, uint32_t flags);

/* What is rendered goes to `update` or is compared with the next line of `golden`. */
struct golden {
	render_fn render;
	FILE *expected;
	FILE *update;
	unsigned lines;
};

static void compare(struct golden *g, const char *text, const char *name)
{
	static char expected[LINE_BYTES];

	g->lines++;
	if (g->update) {
		assert_true(fputs(text, g->update) >= 0);
		return;
	}
	if (fread(expected, 1, strlen(text), g->expected) != strlen(text))
		fail_msg("%s: no record %u", name, g->lines);
	expected[strlen(text)] = '\0';
	assert_string_equal(text, expected);
}

static void check_line(struct golden *g, const struct nfl_packet *packet, const char *name)
{
	static char line[LINE_BYTES];
	const struct nfl_render_source source = {.netns = name, .group = packet->record.group};
	size_t len = g->render(line, sizeof(line) - 1, packet, &source, NFL_RENDER_UTC);

	assert_true(len < sizeof(line) - 1);
	memcpy(line + len, "\n", 2);
	compare(g, line, name);
}

/* Undefined bytes of absent fields do not count. */
static void assert_same_record(const struct nfl_record *a, const struct nfl_record *b)
{
	assert_int_equal(a->present, b->present);
	assert_int_equal(a->family, b->family);
	assert_int_equal(a->group, b->group);
	assert_int_equal(a->hook_number, b->hook_number);
	assert_int_equal(a->hw_protocol, b->hw_protocol);
#define SAME(bit, field)                                                                           \
	do {                                                                                       \
		if (a->present & (bit))                                                            \
			assert_true(a->field == b->field);                                         \
	} while (0)
#define SAME_BYTES(bit, field)                                                                     \
	do {                                                                                       \
		if (!(a->present & (bit)))                                                         \
			break;                                                                     \
		assert_int_equal(a->field.len, b->field.len);                                      \
		if (a->field.len)                                                                  \
			assert_memory_equal(a->field.data, b->field.data, a->field.len);           \
	} while (0)
	SAME(NFL_HAS_MARK, mark);
	SAME(NFL_HAS_PACKET_TIME, packet_time_ns);
	SAME(NFL_HAS_INDEV, indev);
	SAME(NFL_HAS_OUTDEV, outdev);
	SAME(NFL_HAS_PHYSINDEV, physindev);
	SAME(NFL_HAS_PHYSOUTDEV, physoutdev);
	SAME(NFL_HAS_UID, uid);
	SAME(NFL_HAS_GID, gid);
	SAME(NFL_HAS_SEQ, seq);
	SAME(NFL_HAS_SEQ_GLOBAL, seq_global);
	SAME(NFL_HAS_HW_TYPE, hw_type);
	SAME(NFL_HAS_HW_LENGTH, hw_length);
	SAME(NFL_HAS_CT_INFO, ct_info);
	SAME(NFL_HAS_VLAN_TCI, vlan_tci);
	SAME(NFL_HAS_VLAN_PROTO, vlan_proto);
	SAME_BYTES(NFL_HAS_HW_ADDRESS, hw_address);
	SAME_BYTES(NFL_HAS_PAYLOAD, payload);
	SAME_BYTES(NFL_HAS_PREFIX, prefix);
	SAME_BYTES(NFL_HAS_HW_HEADER, hw_header);
	SAME_BYTES(NFL_HAS_CT, ct);
	SAME_BYTES(NFL_HAS_L2_HEADER, l2_header);
}

/* Where the packet begins in an enhanced packet block, and its length there. */
#define BLOCK_DATA_AT   28
#define BLOCK_CAPLEN_AT 20
#define MESSAGE_MAX     70000

/* The message in the capture, decoded, is the record that it was made of; and a packet of any length
 * fits the bound, or is not begun. */
static void check_message(const struct nfl_packet *p)
{
	static uint32_t block[MESSAGE_MAX / 4], message[MESSAGE_MAX / 4];
	struct nlmsghdr header = {.nlmsg_type = PACKET_TYPE};
	struct nfl_record again = {0};
	uint32_t len;
	size_t total = nfl_pcapng_packet(block, nfl_pcapng_packet_bound(p), NFL_PCAPNG_NFLOG, 0, p,
					 NULL, 0, NULL);

	assert_int_not_equal(total, 0);
	assert_int_equal(total % 4, 0);
	memcpy(&len, (const char *)block + BLOCK_CAPLEN_AT, sizeof(len));
	header.nlmsg_len = (uint32_t)sizeof(header) + len;
	memcpy(message, &header, sizeof(header));
	memcpy((char *)message + sizeof(header), (const char *)block + BLOCK_DATA_AT, len);
	assert_int_equal(nfl_decode_message(message, header.nlmsg_len, &again), 0);
	assert_same_record(&p->record, &again);
	for (size_t cap = 0; cap < total; cap += 4)
		assert_int_equal(
		    nfl_pcapng_packet(block, cap, NFL_PCAPNG_NFLOG, 0, p, NULL, 0, NULL), 0);
}

static void render_message(struct golden *g, const void *message, size_t len, const char *name)
{
	struct nfl_packet p = {0};

	assert_int_equal(nfl_decode_message(message, len, &p.record), 0);
	p.record.receive_time_ns = INT64_C(1795435200123456789);
	nfl_decode_payload(&p.record, &p.decoded);
	nfl_decode_conntrack(&p.record, &p.conntrack);
	if (g->render)
		check_line(g, &p, name);
	else
		check_message(&p);
}

static void render_fixture(struct golden *g, const char *file)
{
	static uint32_t datagram[DATAGRAM_MAX / sizeof(uint32_t)];
	const uint8_t *at = (const uint8_t *)datagram;
	char path[512], name[256];
	size_t left;
	FILE *stream;

	(void)snprintf(path, sizeof(path), FIXTURES "%s", file);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(".bin")), file);
	stream = fopen(path, "rbe");
	assert_non_null(stream);
	left = fread(datagram, 1, sizeof(datagram), stream);
	(void)fclose(stream);
	while (left >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr header;
		size_t step;

		memcpy(&header, at, sizeof(header));
		assert_in_range(header.nlmsg_len, sizeof(header), left);
		if (header.nlmsg_type == PACKET_TYPE)
			render_message(g, at, header.nlmsg_len, name);
		step = NLMSG_ALIGN(header.nlmsg_len);
		at += step < left ? step : left;
		left -= step < left ? step : left;
	}
}

static int is_datagram(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".bin") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void render_fixtures(const char *path, render_fn render)
{
	struct golden g = {.render = render};
	struct dirent **files;
	int count = scandir(FIXTURES, &files, is_datagram, by_name);

	if (!path)
		g.expected = NULL; /* nothing to compare with */
	else if (getenv("NFL_GOLDEN_UPDATE"))
		g.update = fopen(path, "we");
	else
		g.expected = fopen(path, "re");
	assert_true(!path || g.update || g.expected);
	assert_true(count > 100);
	for (int i = 0; i < count; i++) {
		render_fixture(&g, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	if (g.expected) {
		assert_int_equal(fgetc(g.expected), EOF);
		(void)fclose(g.expected);
	}
	if (g.update)
		assert_int_equal(fclose(g.update), 0);
}

static void compact_lines_of_real_packets_are_the_golden_ones(void **state)
{
	(void)state;
	render_fixtures(GOLDEN "packets.txt", nfl_render_compact);
}

static void json_objects_of_real_packets_are_the_golden_ones(void **state)
{
	(void)state;
	render_fixtures(GOLDEN "packets.jsonl", nfl_render_json);
}

static struct nfl_render_table table;

static size_t render_row(char *buf, size_t cap, const struct nfl_packet *packet,
			 const struct nfl_render_source *source, uint32_t flags)
{
	return nfl_render_table_row(buf, cap, &table, packet, source, flags);
}

static void rows_of_real_packets_are_the_golden_ones(void **state)
{
	(void)state;
	table = (struct nfl_render_table){0};
	render_fixtures(GOLDEN "packets.table", render_row);
}

static size_t render_bytes(char *buf, size_t cap, const struct nfl_packet *packet,
			   const struct nfl_render_source *source, uint32_t flags)
{
	const struct nfl_record *r = &packet->record;
	size_t payload = r->present & NFL_HAS_PAYLOAD ? r->payload.len : 0;
	size_t len = nfl_render_compact(buf, cap, packet, source, flags);

	buf[len++] = '\n';
	assert_true(len + nfl_render_hex_bound(payload) < cap);
	len += nfl_render_hex(buf + len, nfl_render_hex_bound(payload), r->payload.data, payload);
	return payload ? len : len - 1;
}

static void bytes_of_real_packets_are_the_golden_ones(void **state)
{
	(void)state;
	render_fixtures(GOLDEN "packets.hex", render_bytes);
}

static size_t render_numbers(char *buf, size_t cap, const struct nfl_packet *packet,
			     const struct nfl_render_source *source, uint32_t flags)
{
	return nfl_render_compact(buf, cap, packet, source,
				  flags | NFL_RENDER_NUMERIC | NFL_RENDER_EPOCH);
}

static void numbers_of_real_packets_are_the_golden_ones(void **state)
{
	(void)state;
	render_fixtures(GOLDEN "packets.numeric", render_numbers);
}

static void captured_messages_are_those_of_the_kernel(void **state)
{
	(void)state;
	render_fixtures(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compact_lines_of_real_packets_are_the_golden_ones),
	    cmocka_unit_test(json_objects_of_real_packets_are_the_golden_ones),
	    cmocka_unit_test(rows_of_real_packets_are_the_golden_ones),
	    cmocka_unit_test(bytes_of_real_packets_are_the_golden_ones),
	    cmocka_unit_test(numbers_of_real_packets_are_the_golden_ones),
	    cmocka_unit_test(captured_messages_are_those_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
