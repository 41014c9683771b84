/* SPDX-License-Identifier: MIT */
/* numbers.c: lists of ranges are sorted and joined when a filter is made, so that a packet costs a
 * binary search, however many there are. Called by check.c. */
#include "numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static int compare_ranges(const void *a, const void *b)
{
	const struct nfl_range *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

void numbers_init(struct numbers *numbers, struct nfl_range *ranges, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(ranges, count, sizeof(*ranges), compare_ranges);
	for (size_t i = 0; i < count; i++) {
		struct nfl_range *last = kept ? &ranges[kept - 1] : NULL;

		if (!last || ranges[i].first > last->last)
			ranges[kept++] = ranges[i];
		else if (ranges[i].last > last->last)
			last->last = ranges[i].last;
	}
	*numbers = (struct numbers){.ranges = ranges, .count = kept};
}

bool numbers_has(const struct numbers *numbers, uint32_t number)
{
	size_t low = 0, high = numbers->count; /* the first range that ends at or behind it */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (numbers->ranges[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < numbers->count && numbers->ranges[low].first <= number;
}

static int compare_ranges6(const void *a, const void *b)
{
	const struct range6 *left = a, *right = b;
	int order = memcmp(left->first, right->first, sizeof(left->first));

	return order ? order : memcmp(right->last, left->last, sizeof(left->last));
}

/* Networks are apart or one is in the other: a larger one comes before those in it. */
static void drop_contained(struct networks *networks)
{
	struct range6 *ranges = networks->ipv6;
	size_t kept = 0;

	for (size_t i = 0; i < networks->ipv6_count; i++)
		if (!kept || memcmp(ranges[i].first, ranges[kept - 1].last, 16) > 0)
			ranges[kept++] = ranges[i];
	networks->ipv6_count = kept;
}

static struct nfl_range range_of(const struct nfl_cidr *cidr)
{
	uint32_t first = read_be32(cidr->address);
	uint32_t rest =
	    cidr->length ? (uint32_t)((UINT64_C(1) << (32 - cidr->length)) - 1) : UINT32_MAX;

	return (struct nfl_range){first, first | rest};
}

static struct range6 range6_of(const struct nfl_cidr *cidr)
{
	struct range6 range;

	memcpy(range.first, cidr->address, 16);
	memcpy(range.last, cidr->address, 16);
	for (unsigned bit = cidr->length; bit < 128; bit++)
		range.last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return range;
}

int networks_init(struct networks *networks, const struct nfl_cidr *cidrs, size_t count)
{
	struct nfl_range *ipv4 = calloc(count, sizeof(*ipv4));
	size_t ipv4_count = 0;

	*networks = (struct networks){.ipv6 = calloc(count, sizeof(*networks->ipv6))};
	if (!ipv4 || !networks->ipv6) {
		free(ipv4);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		if (cidrs[i].address_len == 4)
			ipv4[ipv4_count++] = range_of(&cidrs[i]);
		else
			networks->ipv6[networks->ipv6_count++] = range6_of(&cidrs[i]);
	}
	numbers_init(&networks->ipv4, ipv4, ipv4_count);
	if (networks->ipv6_count > 0)
		qsort(networks->ipv6, networks->ipv6_count, sizeof(*networks->ipv6),
		      compare_ranges6);
	drop_contained(networks);
	return 0;
}

void networks_done(struct networks *networks)
{
	free(networks->ipv4.ranges);
	free(networks->ipv6);
}

static bool have_ipv6(const struct networks *networks, const uint8_t address[16])
{
	size_t low = 0, high = networks->ipv6_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(networks->ipv6[middle].last, address, 16) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < networks->ipv6_count && memcmp(networks->ipv6[low].first, address, 16) <= 0;
}

bool networks_have(const struct networks *networks, const uint8_t *address, uint8_t len)
{
	return len == 4 ? numbers_has(&networks->ipv4, read_be32(address))
			: have_ipv6(networks, address);
}

int masked_init(struct masked *masked, const struct nfl_masked *items, size_t count)
{
	struct nfl_masked *copy = calloc(count, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		copy[i] =
		    (struct nfl_masked){items[i].value, items[i].mask ? items[i].mask : UINT32_MAX};
	*masked = (struct masked){.items = copy, .count = count};
	return 0;
}

bool masked_has(const struct masked *masked, uint32_t value)
{
	for (size_t i = 0; i < masked->count; i++)
		if ((value & masked->items[i].mask) == masked->items[i].value)
			return true;
	return false;
}
