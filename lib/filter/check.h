/* SPDX-License-Identifier: MIT */
/* filter/check.h - one field of a term, compiled */
#ifndef FILTER_CHECK_H
#define FILTER_CHECK_H

#include "filter_fields.h"
#include "numbers.h"
#include "texts.h"

struct check {
	enum field_id field;
	union {                           /* by the field's type */
		struct numbers numbers;   /* NUMBERS, RANGES */
		struct masked masked;     /* MASKED */
		struct networks networks; /* NETWORKS */
		struct texts texts;       /* BYTES, MATCHES */
	};
};

/* A packet and what it does not know of itself. */
struct subject {
	const struct nfl_packet *packet;
	struct nfl_bytes netns;
	uint16_t group;
};

/* @list: valid, not empty, borrowed. 0 or -ENOMEM; check_done() ends it in both cases. */
int check_init(struct check *check, enum field_id field, struct field_list list);
void check_done(struct check *check);

/* A packet without the field does not match. */
bool check_matches(const struct check *check, const struct subject *subject);

#endif
