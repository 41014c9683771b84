/* SPDX-License-Identifier: MIT */
/* same.c: two records, field by field. */
#include "same.h"

#include <string.h>

#include "fuzz.h"

static bool same_bytes(struct nfl_bytes a, struct nfl_bytes b)
{
	return a.len == b.len && (a.len == 0 || a.data == b.data);
}

bool same_records(const struct nfl_record *a, const struct nfl_record *b)
{
	struct nfl_record numbers = *a;

	numbers.head = b->head;
	if (memcmp(&numbers, b, offsetof(struct nfl_record, hw_address)) != 0)
		return false;
	for (unsigned i = 0; i < a->unknown_count; i++)
		if (!same_bytes(a->unknown[i], b->unknown[i]))
			return false;
	return same_bytes(a->hw_address, b->hw_address) && same_bytes(a->payload, b->payload) &&
	       same_bytes(a->prefix, b->prefix) && same_bytes(a->hw_header, b->hw_header) &&
	       same_bytes(a->ct, b->ct) && same_bytes(a->l2_header, b->l2_header);
}
