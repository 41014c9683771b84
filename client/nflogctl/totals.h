/* SPDX-License-Identifier: MIT */
/*
 * totals.h - what a stream has delivered and lost, over all its connections
 *
 * A loss whose count is a lower bound is settled by the next report of the same source and stage
 * that is exact. What is lost while a server is restarted cannot be counted by anybody, so that from
 * then on the count is a lower bound for good.
 */
#ifndef NFLOGCTL_TOTALS_H
#define NFLOGCTL_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <nfl/client.h>

struct totals_open; /* a loss that is not settled */

struct totals {
	uint64_t packets;
	uint64_t lost;
	bool begun;               /* the stream has started once */
	bool uncounted;           /* some losses will never be counted */
	struct totals_open *open; /* owned */
	size_t open_count;
};

void totals_done(struct totals *totals);

void totals_take(struct totals *totals, const struct nfl_client_event *event);

/* The count of losses is a lower bound. */
bool totals_are_bounds(const struct totals *totals);

/* Something was lost, or may have been. */
bool totals_have_loss(const struct totals *totals);

/* "-- 5 packets, 3 lost", and ", at least" where the losses are a lower bound. @server: in
 * front of it, safe for a terminal; NULL: nothing. */
void totals_print(const struct totals *totals, const char *server, FILE *f);

#endif
