/* SPDX-License-Identifier: MIT */
/* One source: made by the registry, written by intake, read by rpc, freed by the last of them. */
#include "source.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "history.h"
#include "source_new.h"

/* What only this room sees of a source. */
struct source_box {
	struct source source; /* first: the two share an address */
	_Atomic uint32_t refs;
	pthread_mutex_t lock;
	struct source_status status; /* [lock] */
	char *netns;                 /* owned; source.netns */
};

static struct source_box *box_of(struct source *source)
{
	return (struct source_box *)source;
}

int source_new(struct history *history, size_t log_bytes, const char *netns, uint16_t group,
	       uint32_t id, struct source **ret)
{
	CLEANUP(freep) struct source_box *box = calloc(1, sizeof(*box));
	CLEANUP(freep) char *name = strdup(netns);
	int r;

	if (!box || !name)
		return -ENOMEM;
	r = pthread_mutex_init(&box->lock, NULL);
	if (r)
		return -r;
	r = history_log_new(history, log_bytes, &box->source.log);
	if (r < 0) {
		(void)pthread_mutex_destroy(&box->lock);
		return r;
	}
	atomic_init(&box->refs, 1);
	box->status = (struct source_status){.state = SOURCE_WAITING, .since_ns = realtime_ns()};
	box->netns = TAKE_PTR(name);
	box->source.netns = box->netns;
	box->source.group = group;
	box->source.id = id;
	*ret = &TAKE_PTR(box)->source;
	return 0;
}

struct source *source_ref(struct source *source)
{
	(void)atomic_fetch_add_explicit(&box_of(source)->refs, 1, memory_order_relaxed);
	return source;
}

struct source *source_unref(struct source *source)
{
	struct source_box *box = box_of(source);

	if (!source)
		return NULL;
	if (atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	history_log_free(source->log);
	free(box->netns);
	(void)pthread_mutex_destroy(&box->lock);
	free(box);
	return NULL;
}

void source_unrefp(struct source **source)
{
	*source = source_unref(*source);
}

void source_set_state(struct source *source, enum source_state state, const char *detail)
{
	struct source_box *box = box_of(source);
	int64_t now_ns = realtime_ns();

	(void)pthread_mutex_lock(&box->lock);
	if (box->status.state != state)
		box->status.since_ns = now_ns;
	box->status.state = state;
	/* A cut text is still a text. */
	(void)snprintf(box->status.detail, sizeof(box->status.detail), "%s", detail ? detail : "");
	(void)pthread_mutex_unlock(&box->lock);
}

void source_status(struct source *source, struct source_status *ret)
{
	struct source_box *box = box_of(source);

	(void)pthread_mutex_lock(&box->lock);
	*ret = box->status;
	(void)pthread_mutex_unlock(&box->lock);
}
