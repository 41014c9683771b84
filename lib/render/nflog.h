/* SPDX-License-Identifier: MIT */
/* render/nflog.h - a record as the kernel's message again, without its struct nlmsghdr */
#ifndef RENDER_NFLOG_H
#define RENDER_NFLOG_H

#include <nfl/record.h>

#include "block.h"

/* struct nfgenmsg and the attributes, in the order of the kernel. What is not known is left out. */
void nflog_put(struct block *b, const struct nfl_packet *packet);

/* Bytes that nflog_put() needs at most. */
size_t nflog_bound(const struct nfl_packet *packet);

#endif
