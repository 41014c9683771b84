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
#include <string.h>
#include <sys/stat.h>

struct peer {
	int fd;
	ino_t inode; /* of the socket; socket inodes are not soon used again */
	struct ucred who;
	gid_t *groups; /* owned; supplementary */
	size_t group_count;
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
	for (size_t i = 0; i < peers->count; i++)
		free(peers->items[i].groups);
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
	free(peers->items[i].groups);
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

/* [lock] Takes over the groups when it returns 0. */
static int add(struct peers *peers, const struct peer *peer)
{
	/* The number was free to be used again: whoever had it before is gone. */
	for (size_t i = peers->count; i-- > 0;)
		if (peers->items[i].fd == peer->fd)
			drop(peers, i);
	if (!has_room(peers, peer->who.uid)) {
		sweep(peers);
		if (!has_room(peers, peer->who.uid))
			return -EUSERS;
	}
	peers->items[peers->count++] = *peer;
	return 0;
}

static int copy_groups(const gid_t *groups, size_t count, gid_t **ret)
{
	*ret = NULL;
	if (count == 0)
		return 0;
	*ret = malloc(count * sizeof(gid_t));
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, groups, count * sizeof(gid_t));
	return 0;
}

/* Those of the moment when the peer connected, by the kernel (4.13 and newer). */
static int read_groups(int fd, struct peer *ret)
{
	gid_t groups[PEERS_GROUPS_MAX];
	socklen_t len = sizeof(groups);

	/* Fails for more groups than are looked at: then none of them is. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		len = 0;
	ret->group_count = len / sizeof(gid_t);
	return copy_groups(groups, ret->group_count, &ret->groups);
}

int peers_add(struct peers *peers, int fd, const struct ucred *who)
{
	struct peer peer = {.fd = fd, .who = *who};
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	peer.inode = st.st_ino;
	r = read_groups(fd, &peer);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&peers->lock);
	r = add(peers, &peer);
	(void)pthread_mutex_unlock(&peers->lock);
	if (r < 0)
		free(peer.groups);
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

int peers_find(struct peers *peers, const char *core_name, struct peer_credentials *ret)
{
	const struct peer *peer;
	int r = -ENOENT;

	(void)pthread_mutex_lock(&peers->lock);
	peer = find(peers, core_name);
	if (peer) {
		ret->who = peer->who;
		ret->group_count = peer->group_count;
		r = copy_groups(peer->groups, peer->group_count, &ret->groups);
	}
	(void)pthread_mutex_unlock(&peers->lock);
	return r;
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
