/* SPDX-License-Identifier: MIT */
/* lab.h - a namespace that logs what is sent in it, and listeners on it */
#ifndef LAB_H
#define LAB_H

#include "handle.h"
#include "test_netns.h"

#define LAB_GROUP 5
#define LAB_PORT  1000 /* UDP to this port is logged to LAB_GROUP, once, on output */

struct lab {
	struct test_netns netns;
	int udp;
	uint32_t sent; /* packets so far; the next one's number */
};

/* Every test has a lab of its own: a failed one leaves its listeners to the old namespace. *state is
 * the struct lab. */
#define LAB_TEST(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)
int lab_setup(void **state);
int lab_teardown(void **state);

/* Options for LAB_GROUP in the lab's namespace with SEQ. Borrows the lab's name. */
struct nfl_listener_options lab_options(const struct lab *lab);
/* Fails the test where it cannot be opened. */
struct nfl_listener *lab_open(const struct nfl_listener_options *options);
struct nfl_listener_stats lab_stats(const struct nfl_listener *listener);

void lab_send(struct lab *lab, size_t count);

/* What a callback saw. Zero-initialised: nothing. */
struct seen {
	uint64_t count;
	uint64_t lost_kernel;
	uint64_t lost_decode;
	uint64_t unnumbered; /* records without SEQ */
	uint64_t present;    /* of the last record */
	uint32_t seq;        /* of the last record */
	uint32_t payload_max;
	uint32_t payload; /* bytes, of the last record */
	uint32_t first;   /* where there is a payload */
	uint32_t last;
	uint64_t out_of_order; /* records with a lower number than the one before */
	uint64_t stop_at;      /* return `value` with this record, 0: never */
	int value;
};

int lab_see(const struct nfl_record *record, void *seen);

/* Receives until the socket is empty. */
void lab_drain(struct nfl_listener *listener, struct seen *seen);
/* Runs until that many were seen or lost, and fails the test when they do not come. */
void lab_expect(struct nfl_listener *listener, struct seen *seen, uint64_t count);

int open_suite(void);
int delivery_suite(void);
int loss_suite(void);
int adopt_suite(void);
int run_suite(void);
int links_suite(void);
int example_suite(void);

#endif
