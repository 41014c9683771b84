/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PAYLOAD_BYTES   100
#define EXPECT_LIMIT_MS 30000

int lab_setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	lab->netns = test_netns_add("lab");
	test_nft(&lab->netns, "table inet t { chain c { type filter hook output priority 0;"
			      "udp dport 1000 log prefix \"lab\" group 5; }; }");
	lab->udp = test_udp_open(&lab->netns);
	*state = lab;
	return 0;
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	(void)close(lab->udp);
	test_netns_delete(&lab->netns);
	free(lab);
	return 0;
}

struct nfl_listener_options lab_options(const struct lab *lab)
{
	return (struct nfl_listener_options){
	    .size = sizeof(struct nfl_listener_options),
	    .netns = {.kind = NFL_NETNS_NAME, .name = lab->netns.name},
	    .group = LAB_GROUP,
	    .flags = NFL_FLAG_SEQ,
	};
}

struct nfl_listener *lab_open(const struct nfl_listener_options *options)
{
	struct nfl_listener *listener = NULL;
	struct nfl_error err = {0};

	if (nfl_listener_open(options, &listener, &err) < 0)
		fail_msg("%s", err.text);
	return listener;
}

struct nfl_listener_stats lab_stats(const struct nfl_listener *listener)
{
	struct nfl_listener_stats stats;

	nfl_listener_stats(listener, &stats);
	return stats;
}

void lab_send(struct lab *lab, size_t count)
{
	test_udp_send(lab->udp, LAB_PORT, PAYLOAD_BYTES, count, &lab->sent);
}

static void see_number(const struct nfl_record *record, struct seen *seen)
{
	uint32_t number;

	if (record->payload.len < TEST_UDP_NUMBER_OFFSET + sizeof(number))
		return;
	memcpy(&number, record->payload.data + TEST_UDP_NUMBER_OFFSET, sizeof(number));
	if (seen->count == 0)
		seen->first = number;
	else if (number < seen->last)
		seen->out_of_order++;
	seen->last = number;
}

int lab_see(const struct nfl_record *record, void *data)
{
	struct seen *seen = data;

	see_number(record, seen);
	seen->count++;
	seen->lost_kernel += record->lost_kernel;
	seen->lost_decode += record->lost_decode;
	seen->unnumbered += !(record->present & NFL_HAS_SEQ);
	seen->present = record->present;
	seen->seq = record->seq;
	seen->payload = record->present & NFL_HAS_PAYLOAD ? record->payload.len : 0;
	if (seen->payload > seen->payload_max)
		seen->payload_max = seen->payload;
	return seen->count == seen->stop_at ? seen->value : 0;
}

void lab_drain(struct nfl_listener *listener, struct seen *seen)
{
	int r;

	do {
		r = nfl_listener_receive(listener, NULL, 0, lab_see, seen);
	} while (r >= 0);
	assert_int_equal(r, -EAGAIN);
}

struct expectation {
	struct seen *seen;
	uint64_t count;
};

static int see_until(const struct nfl_record *record, void *data)
{
	struct expectation *e = data;
	int r = lab_see(record, e->seen);

	if (r)
		return r;
	return e->seen->count + e->seen->lost_kernel + e->seen->lost_decode >= e->count;
}

void lab_expect(struct nfl_listener *listener, struct seen *seen, uint64_t count)
{
	struct expectation e = {.seen = seen, .count = count};
	int r = nfl_listener_run(listener, see_until, &e, EXPECT_LIMIT_MS);

	if (r != 1)
		fail_msg("expected %llu records, saw %llu and lost %llu; run returned %d",
			 (unsigned long long)count, (unsigned long long)seen->count,
			 (unsigned long long)(seen->lost_kernel + seen->lost_decode), r);
}
