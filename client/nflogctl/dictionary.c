/* SPDX-License-Identifier: MIT */
/* Bounded by the sources that exist: a later event of a source replaces the one before, and a source that
 * is gone has none. */
#include "dictionary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dictionary_entry {
	uint32_t source_id; /* 0: of `started` */
	void *bytes;        /* owned */
	size_t len;
};

void dictionary_done(struct dictionary *dictionary)
{
	for (size_t i = 0; i < dictionary->count; i++)
		free(dictionary->entries[i].bytes);
	free(dictionary->entries);
	*dictionary = (struct dictionary){0};
}

static void forget(struct dictionary *dictionary, uint32_t source_id)
{
	for (size_t i = 0; i < dictionary->count; i++) {
		if (dictionary->entries[i].source_id != source_id)
			continue;
		free(dictionary->entries[i].bytes);
		dictionary->count--;
		memmove(&dictionary->entries[i], &dictionary->entries[i + 1],
			(dictionary->count - i) * sizeof(*dictionary->entries));
		return;
	}
}

static int add(struct dictionary *dictionary, uint32_t source_id, struct nfl_bytes message)
{
	struct dictionary_entry *grown =
	    reallocarray(dictionary->entries, dictionary->count + 1, sizeof(*grown));
	void *copy;

	if (!grown)
		return -ENOMEM;
	dictionary->entries = grown;
	copy = malloc(message.len + 1U);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, message.data, message.len);
	grown[dictionary->count++] =
	    (struct dictionary_entry){.source_id = source_id, .bytes = copy, .len = message.len};
	return 0;
}

int dictionary_take(struct dictionary *dictionary, const struct nfl_client_event *event)
{
	if (event->type == NFL_CLIENT_STARTED) {
		dictionary_done(dictionary);
		return add(dictionary, 0, event->message);
	}
	if (event->type != NFL_CLIENT_SOURCE)
		return 0;
	forget(dictionary, event->source->id);
	if (event->source->state == NFL_CLIENT_SOURCE_GONE)
		return 0;
	return add(dictionary, event->source->id, event->message);
}

struct nfl_bytes dictionary_get(const struct dictionary *dictionary, size_t i)
{
	return (struct nfl_bytes){dictionary->entries[i].bytes,
				  (uint32_t)dictionary->entries[i].len};
}
