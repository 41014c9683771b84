/* SPDX-License-Identifier: MIT */
/*
 * dictionary.h - what names the sources, for formats whose packets only have numbers of them
 *
 * Keeps the stream's `started` and what has changed since, as the server sent it, so that each file
 * can begin with it.
 */
#ifndef NFLOGCTL_DICTIONARY_H
#define NFLOGCTL_DICTIONARY_H

#include <stddef.h>

#include <nfl/client.h>

struct dictionary_entry;

struct dictionary {
	struct dictionary_entry *entries; /* owned */
	size_t count;
};

/* Keeps the event if it names sources. Returns 0 or -ENOMEM. */
int dictionary_take(struct dictionary *dictionary, const struct nfl_client_event *event);

/* Message number i; i is less than count. */
struct nfl_bytes dictionary_get(const struct dictionary *dictionary, size_t i);

void dictionary_done(struct dictionary *dictionary);

#endif
