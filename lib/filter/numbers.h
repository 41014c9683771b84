/* SPDX-License-Identifier: MIT */
/*
 * filter/numbers.h - sets of numbers, of networks and of masked values, made once and then searched
 *
 * Numbers and networks are kept as ranges that are sorted and do not overlap: one binary search.
 */
#ifndef FILTER_NUMBERS_H
#define FILTER_NUMBERS_H

#include <nfl/filter.h>

struct numbers {
	struct nfl_range *ranges; /* owned */
	size_t count;
};

struct range6 { /* both ends included, network order */
	uint8_t first[16];
	uint8_t last[16];
};

struct networks {
	struct numbers ipv4;
	struct range6 *ipv6; /* owned */
	size_t ipv6_count;
};

struct masked {
	struct nfl_masked *items; /* owned; masks are not 0 */
	size_t count;
};

/* @ranges: taken over, also on failure; first <= last in each. Cannot fail. */
void numbers_init(struct numbers *numbers, struct nfl_range *ranges, size_t count);
bool numbers_has(const struct numbers *numbers, uint32_t number);

/* @cidrs: valid, borrowed. 0 or -ENOMEM; networks_done() ends it in both cases. */
int networks_init(struct networks *networks, const struct nfl_cidr *cidrs, size_t count);
void networks_done(struct networks *networks);
bool networks_have(const struct networks *networks, const uint8_t *address, uint8_t len);

int masked_init(struct masked *masked, const struct nfl_masked *items, size_t count);
bool masked_has(const struct masked *masked, uint32_t value);

#endif
