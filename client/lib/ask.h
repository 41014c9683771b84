/* SPDX-License-Identifier: MIT */
/*
 * ask.h - calls with one answer
 *
 * An answer is unpacked into an arena that lives as long as the result, so that the result's texts
 * need no copy. Lists come in pages; all of them are fetched.
 */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include <nfl/client.h>

#include "arena.h"

/* What the caller gets is the first member, so that its address is the answer's. */
struct answer {
	union {
		struct nfl_client_netns_list netns;
		struct nfl_client_source_list sources;
		struct nfl_client_stats stats;
		struct nfl_client_server_info info;
	};
	struct arena arena;
};

/* NULL is allowed. */
void answer_free(void *answer);

struct question {
	struct nfl_client *client;    /* borrowed */
	int64_t deadline_ns;          /* of all its calls together */
	struct nfl_client_error *err; /* borrowed, or NULL */
	struct answer *answer;        /* owned */
	void *items;                  /* of a list, in the arena */
	size_t count;
};

/* @ret: where the result will go, to be looked at for NULL. 0, -EINVAL or -ENOMEM. */
int question_begin(struct question *q, struct nfl_client *client, int timeout_ms, const void *ret,
		   struct nfl_client_error *err);
void question_done(struct question *q);

/* Fills the error for an answer that cannot be used; returns -EBADMSG, or -ENOMEM where its arena was
 * short of memory. */
int question_unusable(const struct question *q);

/**
 * ask - one call
 * @type: of the answer
 * @ret: a pointer to the generated struct of that type, in the arena
 * Returns 0, -EREMOTEIO, -EBADMSG or -ENOMEM, the last three with the error filled.
 */
int ask(const struct question *q, const char *method, const ProtobufCMessage *request,
	const ProtobufCMessageDescriptor *type, void *ret);

/* Fetches one page into q->items; *token is the page's and becomes the next one's, "" at the end. */
typedef int (*page_fn)(struct question *q, char **token);

int ask_pages(struct question *q, page_fn page);

/* Room for more items of a list; NULL past what a client takes. */
void *question_extend(struct question *q, size_t more, size_t item_size);

#endif
