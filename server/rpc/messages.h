/* SPDX-License-Identifier: MIT */
/* rpc/messages.h - parts that several answers have, built in an arena; NULL without memory */
#ifndef RPC_MESSAGES_H
#define RPC_MESSAGES_H

#include <nflog/v1/nflog.pb-c.h>

struct arena;
struct history_cursor;
struct source;
struct source_status;

/* A text as valid UTF-8: the text itself, or a repaired copy. */
char *messages_text(struct arena *arena, const char *text);

Nflog__V1__Source *messages_source(struct arena *arena, struct source *source);
/* The same with a state that was read before. */
Nflog__V1__Source *messages_source_as(struct arena *arena, const struct source *source,
				      const struct source_status *status);

/* When the record at a cursor was received; NULL also where there is none. The cursor is a copy's:
 * it may move past records that are gone. */
Google__Protobuf__Timestamp *messages_record_time(struct arena *arena, const struct source *source,
						  struct history_cursor *cursor);

#endif
