/* SPDX-License-Identifier: MIT */
/*
 * rpc/subscription.h - one live Subscribe call, and the list of them all
 *
 * A subscription owns no packets: it is a set of cursors and a few counters, however slow its
 * client is.
 *
 * Threads: a subscription is its completion queue's; the identity is const, counters are atomic,
 * cursors have the lock, so that GetStats may read them from another thread. Lock order: list,
 * subscription, history log.
 */
#ifndef RPC_SUBSCRIPTION_H
#define RPC_SUBSCRIPTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"
#include "follow.h"
#include "rate.h"
#include "request.h"
#include "select.h"

#define SUBSCRIPTION_ID_MAX 17

struct nfl_filter;
struct source;
struct source_list;
struct subscription;
struct wire_stored;

/* All live ones. */
struct subscriptions {
	pthread_mutex_t lock;
	struct subscription *first; /* [lock] */
	uint32_t count;             /* [lock] */
	struct tally *tallies;      /* [lock]; owned; of all tenants there have been */
};

struct subscription {
	struct subscription *next, *previous; /* [list's lock] */
	struct subscriptions *list;           /* const; borrowed */
	struct call *call;                    /* const; borrowed: the call owns the subscription */

	/* const */
	char id[SUBSCRIPTION_ID_MAX];
	char label[REQUEST_LABEL_MAX + 1];
	char peer[CALL_PEER_MAX];
	char *tenant_name;     /* owned */
	struct tally *tally;   /* borrowed from the list */
	int64_t start_time_ns; /* CLOCK_REALTIME */
	struct terms terms;

	struct nfl_filter *filter;  /* owned; const; NULL: the request has none */
	struct selection selection; /* owned; const: sources that appear are held against it */

	/* Written by the queue's thread under the lock, which may read without. */
	pthread_mutex_t lock;
	struct follow **follows; /* owned, each owned, by source id; their cursors: [lock] */
	size_t follow_count;
	size_t follow_room; /* of follows and heap */

	/* each has one writer, the queue's thread */
	_Atomic uint64_t packets_sent;
	_Atomic uint64_t packets_lost;                 /* reported */
	_Atomic uint64_t packets_lost_at[LOSS_STAGES]; /* the same, by stage */
	_Atomic uint64_t packets_filtered;
	_Atomic uint64_t bytes_sent;

	/* the queue's thread only, from here on */
	struct follow **heap; /* owned; room for all; by arrival of the next record */
	size_t heap_count;
	size_t losses_pending;       /* of (source, stage) */
	uint64_t change;             /* of registry_changes(): the next to look at */
	struct follow *untold_first; /* borrowed; queue of those whose state may have to be told */
	struct follow *untold_last;
	size_t gone_count;    /* follows whose source is gone */
	size_t revoked_count; /* follows to be let go of first of all */
	uint64_t order;       /* of arrival: every source with a record up to it is followed, or was
				until all of it was read; tokens rely on it */
	uint64_t order_done;  /* of arrival: every record up to it was taken */
	struct rate rate;     /* of terms.packets_per_second */
	uint64_t filtered_told; /* by heartbeats */
	uint64_t skip;     /* START_LAST: so many of the records found come before the last N */
	bool searching;    /* where the last N begin: nothing is sent before that is known */
	bool begun;        /* what is overwritten from now on was there to be read */
	bool replaying;    /* caught_up is still to be told */
	uint64_t replayed; /* packets of the history sent */
	Nflog__V1__ResumeStatus resume_status; /* for `started` */
	int64_t due_ns;        /* when the next batch is at the latest; times are monotonic */
	int64_t sent_ns;       /* when the last message was sent */
	int64_t rest_ns;       /* packets that come before are not looked at */
	uint64_t pending_seen; /* records that wait for more, at the last look */
	unsigned burst;        /* full batches sent in a row */
	bool lost_unknown;     /* to be reported: losses of sources that nobody knows any more */
	bool backlog;          /* the last batch was full: there may be more */
	bool draining;         /* the server stops: send what is there, then end */
	bool ending;           /* only losses are sent any more, then `end` */
	struct status end;
};

int subscriptions_init(struct subscriptions *list);
void subscriptions_done(struct subscriptions *list);
uint32_t subscriptions_count(struct subscriptions *list);

/**
 * subscription_new - begin to follow
 * @sources: its references are taken over on success
 * @max: live subscriptions of the tenant at most, 0: any number
 * Returns 0, -EUSERS when there are too many, or -ENOMEM.
 */
int subscription_new(struct subscriptions *list, struct call *call, const struct terms *terms,
		     const char *label, struct source_list *sources, uint32_t max,
		     struct subscription **ret);
void subscription_free(struct subscription *sub);

/* NULL: the source is not followed. */
struct follow *subscription_find(const struct subscription *sub, uint32_t source_id);
/* Follows one more source, from the end of its log; 0 or -ENOMEM. */
int subscription_follow(struct subscription *sub, struct source *source, struct follow **ret);
/* Stops to follow a source and frees the follow; not while it has losses or is untold. */
void subscription_unfollow(struct subscription *sub, struct follow *follow);

/* Records that wait to be sent, of all sources. */
uint64_t subscription_pending(const struct subscription *sub);
/* How far it is behind, in bytes of the history. Any thread. */
uint64_t subscription_lag_bytes(struct subscription *sub);

/* Notes a loss; returns true when it is to be reported before the source's next packet. */
bool subscription_lose(struct subscription *sub, struct follow *follow, enum loss_stage stage,
		       uint64_t count);
/* Notes what a record's header tells of losses before it; as subscription_lose(). */
bool subscription_check_record(struct subscription *sub, struct follow *follow,
			       const struct wire_stored *stored);
/* Notes what the source's counters tell, where there is no record after the loss. */
bool subscription_check_source(struct subscription *sub, struct follow *follow);

/* From now on no packet is sent, only pending losses and then this status. The text of an OK is for
 * the log only. */
void subscription_end(struct subscription *sub, grpc_status_code code, const char *text);

#endif
