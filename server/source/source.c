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
	uint64_t age;                /* const */
};

static struct source_box *box_of(struct source *source)
{
	return (struct source_box *)source;
}

int source_new(struct history *history, const struct source_spec *spec, uint32_t id, uint64_t age,
	       struct source **ret)
{
	CLEANUP(freep) struct source_box *box = calloc(1, sizeof(*box));
	CLEANUP(freep) char *name = strdup(spec->netns);
	int r;

	if (!box || !name)
		return -ENOMEM;
	r = pthread_mutex_init(&box->lock, NULL);
	if (r)
		return -r;
	r = history_log_new(history, spec->account, spec->log_bytes, &box->source.log);
	if (r < 0) {
		(void)pthread_mutex_destroy(&box->lock);
		return r;
	}
	atomic_init(&box->refs, 1);
	box->status = (struct source_status){.state = SOURCE_WAITING, .since_ns = realtime_ns()};
	box->netns = TAKE_PTR(name);
	box->source.netns = box->netns;
	box->age = age;
	box->source.group = spec->group;
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

uint64_t source_age(const struct source *source)
{
	return ((const struct source_box *)source)->age;
}

bool source_set_status(struct source *source, enum source_state state, const char *detail)
{
	struct source_box *box = box_of(source);
	struct source_status status = {.state = state, .since_ns = realtime_ns()};
	bool changed;

	/* A cut text is still a text. */
	(void)snprintf(status.detail, sizeof(status.detail), "%s", detail ? detail : "");
	(void)pthread_mutex_lock(&box->lock);
	if (box->status.state == state)
		status.since_ns = box->status.since_ns;
	changed = box->status.state != state || strcmp(box->status.detail, status.detail) != 0;
	box->status = status;
	(void)pthread_mutex_unlock(&box->lock);
	return changed;
}

void source_status(struct source *source, struct source_status *ret)
{
	struct source_box *box = box_of(source);

	(void)pthread_mutex_lock(&box->lock);
	*ret = box->status;
	(void)pthread_mutex_unlock(&box->lock);
}
