/* SPDX-License-Identifier: MIT */
/*
 * bench_path STEP TIMES: one step of a packet's way, over all kernel messages of the fixtures
 *
 * What a packet costs in user space, without kernel, gRPC and noise: run it under callgrind with two
 * values of TIMES and the difference is instructions for each packet, the same in every run
 * (guard.py). By itself it prints ns for each packet, of the fastest of TIMES rounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/decode.h>
#include <nfl/filter.h>
#include <nfl/render.h>

#include "bytes.h"
#include "clock.h"
#include "fixtures.h"
#include "memo.h"
#include "nflog/v1/nflog.pb-c.h"
#include "wire.h"

#define PACKETS_MAX 256
#define BYTES_MAX   ((size_t)8 << 20)
#define RECEIVED_NS INT64_C(1795410156616271001)

static struct {
	uint8_t *messages[PACKETS_MAX]; /* owned for ever: the program ends with them */
	size_t lens[PACKETS_MAX];
	struct nfl_packet packets[PACKETS_MAX];
	struct wire_stored *stored[PACKETS_MAX];
	size_t count;
	uint8_t *batch;
	uint32_t batch_len;
	struct memo memo;
	struct wire_memo wire_memo;
	struct nfl_filter *filter;
	uint8_t *out;
} way;

static volatile size_t sink; /* keeps what is computed */

/* --- what the steps need -------------------------------------------------------------------- */

static void keep_message(const struct fixture_message *m)
{
	if (way.count == PACKETS_MAX)
		return;
	way.messages[way.count] = malloc(m->len);
	memcpy(way.messages[way.count], m->bytes, m->len);
	way.lens[way.count++] = m->len;
}

static void describe(struct nfl_packet *p, size_t n, bool with_memo)
{
	struct nfl_bytes name = {(const uint8_t *)"veth12", 6};

	if (with_memo)
		(void)memo_decode(way.messages[n], way.lens[n], &way.memo, &p->record);
	else
		(void)nfl_decode_message(way.messages[n], way.lens[n], &p->record);
	p->sequence = n + 1;
	p->source_id = 1;
	p->record.receive_time_ns = RECEIVED_NS;
	p->prefix_raw = (struct nfl_bytes){0};
	p->conntrack.present = 0;
	nfl_decode_payload(&p->record, &p->decoded);
	if (p->record.present & NFL_HAS_CT)
		nfl_decode_conntrack(&p->record, &p->conntrack);
	p->original_length = wire_original_length(p);
	p->indev_name = p->outdev_name = p->physindev_name = p->physoutdev_name = name;
}

static size_t compose_all(enum wire_view view, uint8_t *to)
{
	size_t len = 0;

	for (size_t n = 0; n < way.count; n++)
		len += wire_compose(to + len, way.stored[n], view, 0, NULL);
	return len;
}

static void make_filter(void)
{
	static const uint32_t udp = 17;
	static const struct nfl_range port = {5001, 5001};
	static const struct nfl_match prefix = {NFL_MATCH_STARTS_WITH, {(const uint8_t *)"fw-", 3}};
	const struct nfl_filter_term terms[] = {
	    {.size = sizeof(terms[0]), .protocol = {&udp, 1}, .any_port = {&port, 1}},
	    {.size = sizeof(terms[0]), .prefix = {&prefix, 1}},
	};
	struct nfl_error err;

	if (nfl_filter_new(terms, ARRAY_SIZE(terms), NULL, 0, &way.filter, &err) < 0) {
		fprintf(stderr, "bench_path: %s\n", err.text);
		exit(EXIT_FAILURE);
	}
}

static void set_up(void)
{
	size_t files;

	(void)fixture_for_each_message(keep_message, &files);
	way.out = malloc(BYTES_MAX);
	way.batch = malloc(BYTES_MAX);
	for (size_t n = 0; n < way.count; n++) {
		describe(&way.packets[n], n, false);
		way.stored[n] = malloc(wire_store_bound(&way.packets[n]));
		(void)wire_store(way.stored[n], &way.packets[n], NULL);
	}
	way.batch_len = (uint32_t)compose_all(WIRE_VIEW_FULL, way.batch);
	make_filter();
}

/* --- steps: each over all packets ------------------------------------------------------------ */

static void step_decode(void)
{
	struct nfl_packet packet;

	for (size_t n = 0; n < way.count; n++)
		describe(&packet, n, false);
	sink = packet.original_length;
}

/* As from a busy group: the same heads again and again. */
static void step_decode_known(void)
{
	struct nfl_packet packet;

	for (size_t n = 0; n < way.count; n++) {
		describe(&packet, n, true);
		describe(&packet, n, true);
	}
	sink = packet.original_length;
}

static void step_store(void)
{
	for (size_t n = 0; n < way.count; n++)
		sink = wire_store(way.out, &way.packets[n], NULL);
}

static void step_store_known(void)
{
	for (size_t n = 0; n < way.count; n++) {
		way.packets[n].record.head = 1 + (uint32_t)n;
		sink = wire_store(way.out, &way.packets[n], &way.wire_memo);
		sink = wire_store(way.out, &way.packets[n], &way.wire_memo);
	}
}

static void step_compose_basic(void)
{
	sink = compose_all(WIRE_VIEW_BASIC, way.out);
}

static void step_compose_full(void)
{
	sink = compose_all(WIRE_VIEW_FULL, way.out);
}

static void step_filter(void)
{
	for (size_t n = 0; n < way.count; n++) {
		struct nfl_packet packet;

		sink = wire_read_stored(way.stored[n], NULL, &packet) == 0 &&
		       nfl_filter_match(way.filter, &packet, "red", 100);
	}
}

static void step_read(void)
{
	struct nfl_bytes batch = {way.batch, way.batch_len};
	struct nfl_bytes bytes;
	struct nfl_packet packet;

	while (wire_batch_next(&batch, &bytes) > 0 && wire_read_packet(bytes, &packet) == 0)
		sink = packet.original_length;
}

/* The same bytes as step_read(), as a client would read them without libnfl-client. */
static void step_protobuf_c(void)
{
	Nflog__V1__PacketBatch *batch =
	    nflog__v1__packet_batch__unpack(NULL, way.batch_len, way.batch);

	sink = batch->n_packets;
	nflog__v1__packet_batch__free_unpacked(batch, NULL);
}

static void step_json(void)
{
	const struct nfl_render_source source = {"red", 100};

	for (size_t n = 0; n < way.count; n++)
		sink = nfl_render_json((char *)way.out, BYTES_MAX, &way.packets[n], &source, 0);
}

static void step_compact(void)
{
	const struct nfl_render_source source = {"red", 100};

	for (size_t n = 0; n < way.count; n++)
		sink = nfl_render_compact((char *)way.out, BYTES_MAX, &way.packets[n], &source,
					  NFL_RENDER_UTC);
}

/* Of the bytes kept, how many are on the wire: for history memory. */
static void print_sizes(void)
{
	size_t kept = 0, wire = 0;

	for (size_t n = 0; n < way.count; n++) {
		kept += way.stored[n]->total;
		wire += wire_composed_len(way.stored[n], WIRE_VIEW_FULL, 0, NULL);
	}
	printf("%.1f %.1f\n", (double)kept / (double)way.count, (double)wire / (double)way.count);
}

static const struct step {
	const char *name;
	void (*run)(void);
	unsigned packets; /* passes over all */
} steps[] = {
    {"decode", step_decode, 1},
    {"decode-known", step_decode_known, 2},
    {"store", step_store, 1},
    {"store-known", step_store_known, 2},
    {"compose-basic", step_compose_basic, 1},
    {"compose-full", step_compose_full, 1},
    {"filter", step_filter, 1},
    {"read", step_read, 1},
    {"protobuf-c", step_protobuf_c, 1},
    {"json", step_json, 1},
    {"compact", step_compact, 1},
};

static void run(const struct step *step, unsigned long times)
{
	double packets = (double)(way.count * step->packets);
	int64_t best_ns = INT64_MAX;

	for (unsigned long i = 0; i < times; i++) {
		int64_t start_ns = clock_now_ns(CLOCK_THREAD_CPUTIME_ID);
		int64_t took_ns;

		step->run();
		took_ns = clock_now_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
		if (took_ns < best_ns)
			best_ns = took_ns;
	}
	printf("%.0f %.2f\n", packets, (double)best_ns / packets);
}

int main(int argc, char **argv)
{
	unsigned long times = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	set_up();
	if (argc > 1 && strcmp(argv[1], "sizes") == 0) {
		print_sizes();
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (argc > 1 && strcmp(argv[1], steps[i].name) == 0 && times > 0) {
			run(&steps[i], times);
			return EXIT_SUCCESS;
		}
	}
	fprintf(stderr, "Usage: bench_path STEP TIMES, or: bench_path sizes\nSteps:");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		fprintf(stderr, " %s", steps[i].name);
	fprintf(stderr, "\n");
	return 2;
}
