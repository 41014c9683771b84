/* SPDX-License-Identifier: MIT */
/* filters.h - terms of <nfl/filter.h> as the contract's PacketFilter */
#ifndef CLIENT_FILTERS_H
#define CLIENT_FILTERS_H

#include <stddef.h>

#include <nfl/filter.h>
#include <nflog/v1/nflog.pb-c.h>

#include "arena.h"

/* @terms: borrowed; @ret: a list in the arena, with copies of all. 0, -EINVAL (a term's size) or -ENOMEM. */
int filters_put(const struct nfl_filter_term *terms, size_t count, struct arena *arena,
		Nflog__V1__PacketFilter ***ret);

#endif
