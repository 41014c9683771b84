/* SPDX-License-Identifier: MIT */
/* stamp.h - times that are counted from another packet, in front of a line */
#ifndef NFLOGCTL_STAMP_H
#define NFLOGCTL_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

enum stamp_kind {
	STAMP_NONE,  /* the line has its own time, or none */
	STAMP_FIRST, /* since the first packet */
	STAMP_LAST,  /* since the packet before */
};

#define STAMP_BYTES 32

struct stamp {
	enum stamp_kind kind;
	bool is_set; /* there was a packet */
	int64_t from_ns;
};

/* "   0.000123 ", with STAMP_NONE nothing. Returns the length; @buf has room for STAMP_BYTES. */
size_t stamp_put(struct stamp *stamp, char *buf, const struct nfl_packet *packet);

/* As wide, for the head of a column. */
size_t stamp_head(const struct stamp *stamp, char *buf);

#endif
