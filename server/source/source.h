/* SPDX-License-Identifier: MIT */
/*
 * source/source.h - what can be subscribed to: one NFLOG group of one namespace, and their registry
 *
 * A source joins what intake writes (records, counters, state) and what rpc reads. It knows neither
 * netlink nor gRPC. Sources are shared (counted): the registry, intake and each subscription hold
 * one.
 *
 * Threads: any; counters are atomic, state has the source's lock, the list the registry's.
 */
#ifndef SOURCE_SOURCE_H
#define SOURCE_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;
struct history_log;

/* Values of nflog.v1.SourceState. */
enum source_state {
	SOURCE_LISTENING = 1,
	SOURCE_WAITING = 2, /* the namespace does not exist yet */
	SOURCE_FAILED = 3,  /* cannot be bound; detail says why */
	SOURCE_GONE = 4,
};

struct source {
	uint32_t id;             /* const; from 1, random in the epoch: no hint of other tenants */
	uint16_t group;          /* const */
	const char *netns;       /* const, owned */
	struct history_log *log; /* const, owned */

	_Atomic uint64_t packets; /* received and stored; also the last sequence given */
	_Atomic uint64_t bytes;   /* of datagrams */
	_Atomic uint64_t lost_kernel;
	_Atomic uint64_t lost_decode; /* malformed or cut datagrams, and no memory to store */
	_Atomic uint64_t overruns;
	_Atomic int64_t last_packet_ns; /* CLOCK_REALTIME, 0: none yet */
	_Atomic uint64_t netns_inode;   /* 0: not known */
};

struct source_status {
	enum source_state state;
	int64_t since_ns; /* CLOCK_REALTIME */
	char detail[256]; /* why, when not listening; else empty */
};

struct registry;

int registry_new(struct history *history, struct registry **ret);
void registry_free(struct registry *registry);

/* Adds a source in state WAITING. -EEXIST when (netns, group) is there already. @ret is borrowed
 * from the registry. */
int registry_add(struct registry *registry, const char *netns, uint16_t group, size_t log_bytes,
		 struct source **ret);

struct source *source_ref(struct source *source);
struct source *source_unref(struct source *source); /* returns NULL */
/* For CLEANUP(source_unrefp). */
void source_unrefp(struct source **source);

void source_set_state(struct source *source, enum source_state state, const char *detail);
void source_status(struct source *source, struct source_status *ret);

/* An array of referenced sources in the order (netns, group). */
struct source_list {
	struct source **items;
	size_t count;
};

/**
 * registry_select - the sources that match
 * @netns: exact names; @netns_count 0: all
 * @groups: @group_count 0: all
 * Returns 0 or -ENOMEM; done with source_list_done().
 */
int registry_select(struct registry *registry, const char *const *netns, size_t netns_count,
		    const uint32_t *groups, size_t group_count, struct source_list *ret);
void source_list_done(struct source_list *list);

#endif
