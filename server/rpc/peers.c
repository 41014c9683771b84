/* SPDX-License-Identifier: MIT */
/*
 * The table of unix connections. gRPC owns a descriptor once it has it and does not say when it
 * closes it; so when the table is full, entries whose descriptor no longer is the same socket go.
 */
#include "peers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct peer {
	int fd;
	ino_t inode; /* of the socket; socket inodes are not soon used again */
	struct ucred who;
};

struct peers {
	pthread_mutex_t lock;
	uint32_t max;          /* const */
	uint32_t max_per_user; /* const */
	size_t count;          /* [lock] */
	struct peer items[];   /* [lock] in no order */
};

struct peers *peers_new(uint32_t max, uint32_t max_per_user)
{
	struct peers *peers = calloc(1, sizeof(*peers) + max * sizeof(struct peer));

	if (!peers)
		return NULL;
	peers->max = max;
	peers->max_per_user = max_per_user;
	if (pthread_mutex_init(&peers->lock, NULL) != 0) {
		free(peers);
		return NULL;
	}
	return peers;
}

void peers_free(struct peers *peers)
{
	if (!peers)
		return;
	(void)pthread_mutex_destroy(&peers->lock);
	free(peers);
}

static bool is_open(const struct peer *peer)
{
	struct stat st;

	return fstat(peer->fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == peer->inode;
}

/* [lock] */
static void drop(struct peers *peers, size_t i)
{
	peers->items[i] = peers->items[--peers->count];
}

/* [lock] Forgets connections that are closed. */
static void sweep(struct peers *peers)
{
	for (size_t i = peers->count; i-- > 0;)
		if (!is_open(&peers->items[i]))
			drop(peers, i);
}

/* [lock] Is there room for one more of this user? */
static bool has_room(const struct peers *peers, uid_t uid)
{
	size_t same = 0;

	for (size_t i = 0; i < peers->count; i++)
		same += peers->items[i].who.uid == uid;
	return peers->count < peers->max && same < peers->max_per_user;
}

/* [lock] */
static int add(struct peers *peers, int fd, ino_t inode, const struct ucred *who)
{
	/* The number was free to be used again: whoever had it before is gone. */
	for (size_t i = peers->count; i-- > 0;)
		if (peers->items[i].fd == fd)
			drop(peers, i);
	if (!has_room(peers, who->uid)) {
		sweep(peers);
		if (!has_room(peers, who->uid))
			return -EUSERS;
	}
	peers->items[peers->count++] = (struct peer){.fd = fd, .inode = inode, .who = *who};
	return 0;
}

int peers_add(struct peers *peers, int fd, const struct ucred *who)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	(void)pthread_mutex_lock(&peers->lock);
	r = add(peers, fd, st.st_ino, who);
	(void)pthread_mutex_unlock(&peers->lock);
	return r;
}

/* [lock] NULL: it is none of the unix socket's. */
static const struct peer *find(const struct peers *peers, const char *core_name)
{
	int fd = -1;

	if (!core_name || sscanf(core_name, "fd:%d", &fd) != 1)
		return NULL;
	for (size_t i = 0; i < peers->count; i++)
		if (peers->items[i].fd == fd)
			return &peers->items[i];
	return NULL;
}

void peers_describe(struct peers *peers, const char *core_name, char *buf, size_t cap)
{
	const struct peer *peer;

	(void)snprintf(buf, cap, "%s", core_name ? core_name : "unknown");
	(void)pthread_mutex_lock(&peers->lock);
	peer = find(peers, core_name);
	if (peer)
		(void)snprintf(buf, cap, "unix uid %u pid %d", peer->who.uid, peer->who.pid);
	(void)pthread_mutex_unlock(&peers->lock);
}

void peers_cut(struct peers *peers, const char *core_name)
{
	const struct peer *peer;

	(void)pthread_mutex_lock(&peers->lock);
	peer = find(peers, core_name);
	if (peer && is_open(peer))
		(void)shutdown(peer->fd, SHUT_RDWR); /* gRPC closes it */
	(void)pthread_mutex_unlock(&peers->lock);
}
