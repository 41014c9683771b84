/* SPDX-License-Identifier: MIT */
/* capture.h - the interfaces of a pcapng section: one for each source that it tells of */
#ifndef NFLOGCTL_CAPTURE_H
#define NFLOGCTL_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

/* What is to be told with the next packet of the interface. */
struct capture_interface {
	uint32_t source_id; /* 0: all sources */
	uint32_t number;    /* in the section */
	uint64_t lost;      /* since the section began */
	uint64_t lost_before_next;
};

struct capture {
	struct capture_interface *interfaces; /* owned; by source_id */
	size_t count;
	uint32_t numbers; /* interfaces of the section, also those whose source is forgotten */
	size_t last;      /* index of the one that was asked for last */
	const char *note; /* static text for the next packet, or NULL */
};

/* The interface of a source, or NULL: capture_add() it. */
struct capture_interface *capture_find(struct capture *capture, uint32_t source_id);
/* Returns NULL without memory. Others may move. */
struct capture_interface *capture_add(struct capture *capture, uint32_t source_id);

/* A new section has no interfaces yet. */
void capture_reset(struct capture *capture);
/* The ids mean other sources from now on; the section goes on. */
void capture_forget(struct capture *capture);

void capture_done(struct capture *capture);

#endif
