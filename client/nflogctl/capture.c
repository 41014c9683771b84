/* SPDX-License-Identifier: MIT */
/* A sorted array: packets of one source come in runs, so the last one found is nearly always right. */
#include "capture.h"

#include <stdlib.h>
#include <string.h>

/* The first interface of this id or a greater one. */
static size_t position(const struct capture *capture, uint32_t source_id)
{
	size_t low = 0, high = capture->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (capture->interfaces[middle].source_id < source_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct capture_interface *capture_find(struct capture *capture, uint32_t source_id)
{
	if (capture->last < capture->count &&
	    capture->interfaces[capture->last].source_id == source_id)
		return &capture->interfaces[capture->last];
	capture->last = position(capture, source_id);
	if (capture->last < capture->count &&
	    capture->interfaces[capture->last].source_id == source_id)
		return &capture->interfaces[capture->last];
	return NULL;
}

struct capture_interface *capture_add(struct capture *capture, uint32_t source_id)
{
	size_t at = position(capture, source_id);
	struct capture_interface *grown =
	    reallocarray(capture->interfaces, capture->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	capture->interfaces = grown;
	memmove(grown + at + 1, grown + at, (capture->count - at) * sizeof(*grown));
	grown[at] =
	    (struct capture_interface){.source_id = source_id, .number = capture->numbers++};
	capture->count++;
	return &grown[at];
}

void capture_forget(struct capture *capture)
{
	capture->count = 0;
}

void capture_reset(struct capture *capture)
{
	capture_forget(capture);
	capture->numbers = 0;
}

void capture_done(struct capture *capture)
{
	free(capture->interfaces);
	*capture = (struct capture){0};
}
