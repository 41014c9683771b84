/* SPDX-License-Identifier: MIT */
/*
 * Real datagrams of the kernel, rendered, against files that people have read. After a change that
 * is meant: NFL_GOLDEN_UPDATE=1 build/dev/bin/test_render_golden, then read the difference and
 * check with `jq -e . tests/data/golden/packets.jsonl`.
 */
#include <nfl/decode.h>
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
#define LINE_BYTES   32768

typedef size_t (*render_fn)(char *buf, size_t cap, const struct nfl_packet *packet,
			    const struct nfl_render_source *source, uint32_t flags);

/* What is rendered goes to `update` or is compared with the next line of `golden`. */
struct golden {
	render_fn render;
	FILE *expected;
	FILE *update;
	unsigned lines;
};

static void check_line(struct golden *g, const struct nfl_packet *packet, const char *name)
{
	static char line[LINE_BYTES], expected[LINE_BYTES];
	const struct nfl_render_source source = {.netns = name, .group = packet->record.group};
	size_t len = g->render(line, sizeof(line) - 1, packet, &source, NFL_RENDER_UTC);

	assert_true(len < sizeof(line) - 1);
	memcpy(line + len, "\n", 2);
	g->lines++;
	if (g->update) {
		assert_true(fputs(line, g->update) >= 0);
		return;
	}
	if (!fgets(expected, sizeof(expected), g->expected))
		fail_msg("%s: no line %u", name, g->lines);
	assert_string_equal(line, expected);
}

static void render_message(struct golden *g, const void *message, size_t len, const char *name)
{
	struct nfl_packet p = {0};

	assert_int_equal(nfl_decode_message(message, len, &p.record), 0);
	p.record.receive_time_ns = INT64_C(1795435200123456789);
	nfl_decode_payload(&p.record, &p.decoded);
	nfl_decode_conntrack(&p.record, &p.conntrack);
	check_line(g, &p, name);
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

	if (getenv("NFL_GOLDEN_UPDATE"))
		g.update = fopen(path, "we");
	else
		g.expected = fopen(path, "re");
	assert_true(g.update || g.expected);
	assert_true(count > 100);
	for (int i = 0; i < count; i++) {
		render_fixture(&g, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	if (g.expected) {
		assert_int_equal(fgetc(g.expected), EOF);
		(void)fclose(g.expected);
	} else {
		assert_int_equal(fclose(g.update), 0);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compact_lines_of_real_packets_are_the_golden_ones),
	    cmocka_unit_test(json_objects_of_real_packets_are_the_golden_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
