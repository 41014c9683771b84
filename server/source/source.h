/* SPDX-License-Identifier: MIT */
/*
 * source/source.h - what can be subscribed to: one NFLOG group of one namespace, and their registry
 *
 * A source joins what intake writes (records, counters, state) and what rpc reads. It knows neither
 * netlink nor gRPC. Sources are shared (counted): the registry, intake and each subscription hold
 * one.
 *
 * A source is one life of a namespace: deleted and made again under the same name, it is another
 * source with another id. What is deleted stays readable for a while.
 *
 * Threads: any; counters are atomic, state has the source's lock, the lists the registry's. Whoever
 * makes changes wakes those who read them.
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
	SOURCE_GONE = 4,    /* the namespace was deleted; no further packet comes */
};

struct source {
	uint32_t id;             /* const; from 1, random in the epoch: no hint of other tenants */
	uint16_t group;          /* const */
	const char *netns;       /* const, owned */
	struct history_log *log; /* const, owned */

	_Atomic uint64_t packets; /* received and stored; also the last sequence given */
	_Atomic uint64_t bytes;   /* of datagrams */
	/* Never goes down. While lost_tail is not 0 it is included here, as a lower bound: the next
	 * packet tells the exact number, which is never less. */
	_Atomic uint64_t lost_kernel;
	_Atomic uint64_t lost_tail;   /* lost after the last packet, at least; 0: settled */
	_Atomic uint64_t lost_decode; /* malformed or cut datagrams, and no memory to store */
	_Atomic uint64_t overruns;
	_Atomic uint64_t foreign;       /* datagrams of others than the kernel, dropped */
	_Atomic uint64_t last_order;    /* order of arrival of the newest record, set before it is
					   published; 0: none yet */
	_Atomic int64_t last_packet_ns; /* CLOCK_REALTIME, 0: none yet */
	_Atomic bool is_set_back;       /* the clock was, between two records that there were */
	_Atomic uint64_t netns_inode;   /* 0: not known */
};

struct source_status {
	enum source_state state;
	int64_t since_ns; /* CLOCK_REALTIME */
	char detail[256]; /* why, when not listening; else empty */
};

struct source *source_ref(struct source *source);
struct source *source_unref(struct source *source); /* returns NULL */
/* For CLEANUP(source_unrefp). */
void source_unrefp(struct source **source);

void source_status(struct source *source, struct source_status *ret);

/* --- the registry ------------------------------------------------------------------------ */

#define REGISTRY_GONE_MAX     4096 /* sources that are gone and still known, oldest out first */
#define REGISTRY_GONE_KEEP_NS INT64_C(60000000000) /* their packets can be read so long */

struct registry;
struct history_account;

int registry_new(struct history *history, struct registry **ret);
void registry_free(struct registry *registry);

struct source_spec {
	const char *netns; /* borrowed for the call */
	uint16_t group;
	size_t log_bytes;                /* budget of its history */
	struct history_account *account; /* borrowed, outlives the registry; NULL: none */
};

/* Adds a source in state WAITING, and tells of it as a change. -EEXIST when (netns, group) is there
 * already and not removed. @ret is borrowed from the registry; ref it to keep it. */
int registry_add(struct registry *registry, const struct source_spec *spec, struct source **ret);

/* Sets the state, and tells of it as a change when state or detail differ from before. GONE also
 * closes the source's log: intake must be done with it. */
void registry_set_state(struct registry *registry, struct source *source, enum source_state state,
			const char *detail);

/**
 * registry_remove - the namespace is gone: (netns, group) may be added again, as a new source
 * The source moves to those that are gone: found by registry_select() with `gone` only. Its packets
 * stay readable for REGISTRY_GONE_KEEP_NS. Its state is set by who reads it, once it is drained.
 * @now_ns: monotonic
 */
void registry_remove(struct registry *registry, struct source *source, int64_t now_ns);

/* Clears logs of sources that are gone for too long. Returns when to call again (monotonic), or
 * INT64_MAX. */
int64_t registry_expire(struct registry *registry, int64_t now_ns);

/* An array of referenced sources in the order (netns, group, age). */
struct source_list {
	struct source **items;
	size_t count;
	uint64_t change; /* of registry_changes(): the first one that the list does not have */
};

/**
 * struct source_query - which sources
 * @netns: exact names; @netns_count 0: all
 * @groups: @group_count 0: all
 * @gone: those that are gone too
 */
struct source_query {
	const char *const *netns;
	size_t netns_count;
	const uint32_t *groups;
	size_t group_count;
	bool gone;
};

/* 0 or -ENOMEM; done with source_list_done(). */
int registry_select(struct registry *registry, const struct source_query *query,
		    struct source_list *ret);
bool source_matches(const struct source *source, const struct source_query *query);
void source_list_done(struct source_list *list);

/* --- changes ----------------------------------------------------------------------------- */

/* A source was added, or its state is another. */
struct source_change {
	struct source *source; /* a reference of the holder's */
	struct source_status status;
};

/* Number of the next change; cheap, without the lock: a cursor below it has news. */
uint64_t registry_change_end(const struct registry *registry);

/**
 * registry_changes - the changes from a cursor on, oldest first
 * @cursor: moved past those returned
 * Returns how many were put into @ret (release each source), 0 at the end, or -EOVERFLOW when changes
 * at the cursor are forgotten already (the last 4096 are known): then select again, and begin at
 * the list's change.
 */
int registry_changes(struct registry *registry, uint64_t *cursor, struct source_change *ret,
		     size_t max);

/* --- order of arrival -------------------------------------------------------------------- */

/* Every record whose order is at most this one is published. Set by intake after it has published a
 * datagram; read before logs are, it bounds what can be merged in order. */
void registry_set_order(struct registry *registry, uint64_t order);
uint64_t registry_order(const struct registry *registry);

#endif
