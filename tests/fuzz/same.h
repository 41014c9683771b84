/* SPDX-License-Identifier: MIT */
/* same.h - are two records of the same message the same? */
#ifndef TEST_FUZZ_SAME_H
#define TEST_FUZZ_SAME_H

#include <nfl/record.h>

/* But for @head; bytes are the same when they are at the same place. */
bool same_records(const struct nfl_record *a, const struct nfl_record *b);

#endif
