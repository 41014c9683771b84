/* SPDX-License-Identifier: MIT */
/*
 * sources.h - the dictionary of a stream: which namespace and group a source id stands for
 *
 * Filled from `started` and source events, asked for every packet. A server may name any number of
 * sources with texts of any length, so that there is a limit. Zero-initialised is empty.
 */
#ifndef CLIENT_SOURCES_H
#define CLIENT_SOURCES_H

#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

#define SOURCES_MAX       65536
#define SOURCES_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct sources {
	struct nfl_client_source **items; /* owned, each owned, by ascending id */
	size_t count;
	size_t capacity;
	size_t held_bytes;
	const struct nfl_client_source *last; /* found last: packets come in runs; borrowed */
};

/**
 * sources_put - add a source, or replace what its id stood for
 * @source: copied
 * Returns 0, -ENOMEM, or -EBADMSG past the limit.
 */
int sources_put(struct sources *sources, const struct nfl_client_source *source);

/* NULL when not known. Valid until that id is put again. */
const struct nfl_client_source *sources_find(struct sources *sources, uint32_t id);

void sources_done(struct sources *sources);

#endif
