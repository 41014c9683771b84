/* SPDX-License-Identifier: MIT */
/* stand_in.c: sources and follows as a token tells of them. */
#include "stand_in.h"

#include <stdlib.h>

#include "follow.h"
#include "fuzz.h"
#include "history.h"
#include "server.h"
#include "source.h"
#include "token.h"
#include "wire.h"

/* A log that has had a record: a token names only sources that had one. */
static struct history_log *make_log(void)
{
	struct history_log *log;
	struct history *history;
	void *record;

	FUZZ_CHECK(history_new(1 << 20, &history) == 0);
	FUZZ_CHECK(history_log_new(history, NULL, 1 << 16, &log) == 0);
	record = history_reserve(log, sizeof(struct wire_stored));
	FUZZ_CHECK(record != NULL);
	*(struct wire_stored *)record = (struct wire_stored){.total = sizeof(struct wire_stored)};
	history_append(log, sizeof(struct wire_stored));
	history_publish(log);
	return log;
}

static void place(const struct token_place *place, struct source *source, struct follow *follow)
{
	*source = (struct source){.id = place->source_id};
	*follow = (struct follow){.source = source, .cursor.record = place->record};
	follow->lost[LOSS_KERNEL_SOCKET] = place->lost_kernel;
	follow->lost[LOSS_DECODE] = place->lost_decode;
	follow->losses[LOSS_HISTORY].pending = place->history;
	follow->losses[LOSS_RATE_LIMIT].pending = place->rate_limit;
}

grpc_slice stand_in_token(struct rpc *rpc, const struct token *token)
{
	static struct history_log *log;
	struct source *sources = calloc(token->count + 1, sizeof(*sources));
	struct follow *follows = calloc(token->count + 1, sizeof(*follows));
	struct follow **list = calloc(token->count + 1, sizeof(struct follow *));
	struct cq cq = {.rpc = rpc};
	struct call call = {.cq = &cq};
	struct subscription sub = {.call = &call,
				   .follows = list,
				   .follow_count = token->count,
				   .order = token->order,
				   .skip = token->skip,
				   .lost_unknown = token->lost_unknown};
	grpc_slice slice;

	FUZZ_CHECK(sources && follows && list);
	log = log ? log : make_log();
	for (size_t i = 0; i < token->count; i++) {
		place(&token->places[i], &sources[i], &follows[i]);
		sources[i].log = log;
		list[i] = &follows[i];
	}
	slice = token_slice(&sub);
	free(list);
	free(follows);
	free(sources);
	return slice;
}
