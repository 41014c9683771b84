/* SPDX-License-Identifier: MIT */
/* Parts of answers: texts that may be no UTF-8, sources with their state, times of records. */
#include "messages.h"

#include <string.h>

#include "arena.h"
#include "history.h"
#include "source.h"
#include "text.h"
#include "times.h"
#include "wire.h"

char *messages_text(struct arena *arena, const char *text)
{
	struct nfl_bytes bytes = {.data = (const uint8_t *)text, .len = (uint32_t)strlen(text)};
	uint8_t *copy = arena_alloc(arena, TEXT_REPAIR_GROWTH * (size_t)bytes.len + 1);

	if (copy)
		*text_repair(copy, bytes) = '\0';
	return (char *)copy;
}

Nflog__V1__Source *messages_source(struct arena *arena, struct source *source)
{
	struct source_status status;

	source_status(source, &status);
	return messages_source_as(arena, source, &status);
}

Nflog__V1__Source *messages_source_as(struct arena *arena, const struct source *source,
				      const struct source_status *status)
{
	Nflog__V1__Source *message = arena_alloc(arena, sizeof(*message));

	if (!message)
		return NULL;
	nflog__v1__source__init(message);
	message->source_id = source->id;
	message->netns = messages_text(arena, source->netns);
	message->group = source->group;
	message->state = (Nflog__V1__SourceState)status->state; /* the same values */
	message->detail = messages_text(arena, status->detail);
	message->state_time = times_new_timestamp(arena, status->since_ns);
	return message->netns && message->detail && message->state_time ? message : NULL;
}

Google__Protobuf__Timestamp *messages_record_time(struct arena *arena, const struct source *source,
						  struct history_cursor *cursor)
{
	struct history_span span;
	uint64_t lost;
	int64_t time_ns;

	if (!history_read(source->log, cursor, &span, &lost))
		return NULL;
	time_ns = ((const struct wire_stored *)(const void *)span.bytes)->time_ns;
	history_release(&span);
	return time_ns > 0 ? times_new_timestamp(arena, time_ns) : NULL;
}
