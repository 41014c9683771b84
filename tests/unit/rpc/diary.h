/* SPDX-License-Identifier: MIT */
/* diary.h - what came on one stream after the other of a client that resumes */
#ifndef DIARY_H
#define DIARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

#include "caller.h"
#include "hall.h"

#define DIARY_SOURCES   8
#define DIARY_TOKEN_MAX 4096

/* Of one source. */
struct diary_page {
	uint32_t source_id;
	uint64_t last;    /* sequence of the last packet */
	uint64_t packets; /* each one once, in order: the test fails otherwise */
	uint64_t lost[5]; /* by LossStage */
};

struct diary {
	struct diary_page pages[DIARY_SOURCES];
	size_t count;
	uint64_t packets;   /* of all sources */
	uint64_t caught_up; /* packets_replayed plus 1 */
	unsigned unknown;   /* losses that nobody can count */
	uint64_t responses;
	uint8_t token[DIARY_TOKEN_MAX];
	size_t token_len;
};

/* Never NULL. */
struct diary_page *diary_page(struct diary *diary, uint32_t source_id);

/* Takes in an event, and frees it. A token must be there where the contract promises one. */
void diary_note(struct diary *diary, Nflog__V1__SubscribeResponse *event);

/* Opens a stream; `started` is in the diary, too. With a token in it and a request without a start,
 * where the token says. Returns the resume status. */
Nflog__V1__ResumeStatus diary_open(struct diary *diary, struct hall *hall, struct caller *caller,
				   const Nflog__V1__SubscribeRequest *request);
/* Reads one event; false at the end of the stream. */
bool diary_read(struct diary *diary, struct caller *caller);
/* Reads to the end, which is OK. */
void diary_read_all(struct diary *diary, struct caller *caller);
/* Reads until so many packets and losses of a source are noted. */
void diary_read_until(struct diary *diary, struct caller *caller, const struct source *source,
		      uint64_t total);

/* Everything that the source has had is in the diary: as packet or as loss. */
void diary_expect_whole(struct diary *diary, const struct source *source);

#endif
