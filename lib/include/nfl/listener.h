/* SPDX-License-Identifier: MIT */
/*
 * nfl/listener.h - one NFLOG group of one network namespace
 *
 * The kernel gives each (namespace, group) to one socket. A listener is that socket: it is created
 * inside the namespace with setns(2), bound and configured in one acknowledged request, and read
 * with one buffer that any number of listeners of a thread may share.
 *
 * Needs CAP_NET_ADMIN in the user namespace that owns the network namespace, and CAP_SYS_ADMIN to
 * enter a namespace other than the caller's own. Only the open and the unbind do: a process that has
 * both capabilities can make the socket, nfl_socket_open(), and pass it to one that has none, which
 * makes a listener of it, nfl_listener_adopt().
 *
 * Threads: a listener belongs to one thread at a time; nfl_listener_cancel() is for any thread.
 */
#ifndef NFL_LISTENER_H
#define NFL_LISTENER_H

#include <sys/types.h>

#include <nfl/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which network namespace. Zero-initialised: the caller's own. */
enum nfl_netns_kind {
	NFL_NETNS_SELF = 0, /* of the calling thread */
	NFL_NETNS_NAME = 1, /* a name in /run/netns, as `ip netns` shows it */
	NFL_NETNS_PATH = 2, /* a file of nsfs: /proc/PID/ns/net, /var/run/docker/netns/X */
	NFL_NETNS_PID = 3,  /* the namespace of a process */
	NFL_NETNS_FD = 4,   /* an open nsfs descriptor, borrowed for the call */
};

struct nfl_netns {
	enum nfl_netns_kind kind;
	const char *name; /* NAME and PATH; borrowed for the call */
	pid_t pid;
	int fd;
};

enum nfl_copy_mode {
	NFL_COPY_PACKET = 0, /* metadata and up to copy_range bytes of the packet */
	NFL_COPY_META = 1,   /* metadata only */
	NFL_COPY_NONE = 2,   /* as META; the kernel treats both alike */
};

/* Presets for batch size and delay; single settings override them. Figures: docs of nflogd. */
enum nfl_profile {
	NFL_PROFILE_BALANCED = 0,   /* qthresh 4096, timeout 10 ms, nlbufsiz 65216 */
	NFL_PROFILE_LATENCY = 1,    /* qthresh 1, timeout 0, kernel's nlbufsiz */
	NFL_PROFILE_THROUGHPUT = 2, /* qthresh 4096, timeout 100 ms, nlbufsiz 130752 */
	/* As LATENCY, until its reader gives it other settings by nfl_socket_configure(): nflogd
	 * does, as fast as packets come. */
	NFL_PROFILE_ADAPTIVE = 3,
};

#define NFL_FLAG_SEQ        UINT32_C(1) /* NFULNL_CFG_F_SEQ: number every packet, find every loss */
#define NFL_FLAG_SEQ_GLOBAL UINT32_C(2) /* NFULNL_CFG_F_SEQ_GLOBAL: number over all groups */
#define NFL_FLAG_CONNTRACK  UINT32_C(4) /* NFULNL_CFG_F_CONNTRACK: attach the connection */

#define NFL_COPY_RANGE_MAX UINT32_C(65531) /* more is clipped by the kernel */
#define NFL_NLBUFSIZ_MIN   UINT32_C(3776)
#define NFL_NLBUFSIZ_MAX   UINT32_C(131072)
#define NFL_TIMEOUT_MAX_MS UINT32_C(3600000) /* the kernel's arithmetic wraps far above */
#define NFL_RECEIVE_BUFFER ((size_t)262144)  /* holds the largest datagram of any setting */
#define NFL_RCVBUF_DEFAULT UINT32_C(8388608)

/* Bits of nfl_listener_options.set: settings that override the profile. */
#define NFL_SET_QTHRESH    UINT32_C(1)
#define NFL_SET_TIMEOUT    UINT32_C(2)
#define NFL_SET_NLBUFSIZ   UINT32_C(4)
#define NFL_SET_RCVBUF     UINT32_C(8)
#define NFL_SET_COPY_RANGE UINT32_C(16)

/**
 * struct nfl_listener_options - zero-initialise, set size, fill what differs
 * @size: sizeof(struct nfl_listener_options)
 * @set: NFL_SET_* of the fields below that are given; absent ones come from the profile
 * @flags: NFL_FLAG_*, any combination; an unknown bit is -EINVAL (the kernel would accept it)
 * @group: NFLOG group, 0..65535
 * @copy_range: bytes of each packet, 0..65531; 0 means all, as does not setting it
 * @qthresh: packets before the kernel sends a datagram; 0 acts as 1
 * @timeout_ms: the longest a packet waits in the kernel, in ms, 0..NFL_TIMEOUT_MAX_MS; rounded up
 *              to 10 ms
 * @nlbufsiz: bytes of the kernel's batch buffer, NFL_NLBUFSIZ_MIN..MAX
 * @rcvbuf: socket receive buffer, bytes, as given to SO_RCVBUFFORCE (the kernel doubles it)
 */
struct nfl_listener_options {
	size_t size;
	uint32_t set;
	uint32_t flags;
	struct nfl_netns netns;
	uint16_t group;
	enum nfl_profile profile;
	enum nfl_copy_mode copy_mode;
	uint32_t copy_range;
	uint32_t qthresh;
	uint32_t timeout_ms;
	uint32_t nlbufsiz;
	uint32_t rcvbuf;
};

/* Why a call failed, for people: what, where, expected what. Always NUL-terminated. */
struct nfl_error {
	char text[256];
};

/* What the listener has seen since it was opened. */
struct nfl_listener_stats {
	uint64_t records; /* packets delivered to the callback */
	uint64_t bytes;   /* bytes of datagrams read */
	uint64_t datagrams;
	uint64_t lost_kernel; /* packets missing by NFULA_SEQ; needs NFL_FLAG_SEQ */
	uint64_t lost_decode; /* packets missing by NFULA_SEQ after a cut or malformed datagram */
	uint64_t overruns;    /* ENOBUFS seen */
	uint64_t truncated;   /* datagrams longer than the buffer (MSG_TRUNC) */
	uint64_t malformed;   /* datagrams in which decoding stopped */
	uint64_t foreign;     /* datagrams whose sender was not the kernel (nl_pid != 0), ignored */
	/* Datagrams that the kernel could not queue, read when asked for. What was lost after the
	 * last record shows here first; lost_kernel has the packets once the next one comes. */
	uint64_t dropped_datagrams;
	/* What the kernel has queued for us, in bytes of its memory, read when asked for; 0: nothing.
	 * Where it is 0, the next record settles every drop counted so far. */
	uint64_t queued_bytes;
};

/* What is in force, read back where the kernel tells. */
struct nfl_listener_settings {
	uint32_t port_id;      /* netlink port that owns the group */
	uint32_t rcvbuf;       /* bytes, as getsockopt(SO_RCVBUF) says */
	uint64_t netns_cookie; /* SO_NETNS_COOKIE, 0 before Linux 5.14 */
	uint64_t netns_dev;    /* st_dev and st_ino of the namespace: two paths, one namespace */
	uint64_t netns_inode;  /* both 0 where the socket was adopted */
	uint32_t copy_range;
	uint32_t qthresh;
	uint32_t timeout_ms;
	uint32_t nlbufsiz; /* 0: kernel's default */
	enum nfl_profile profile;
};

struct nfl_listener;

/**
 * nfl_record_fn - called for each packet
 * @record: borrowed, valid until the callback returns
 * Returns 0 to go on, anything else to stop delivery: the value is returned to the caller of
 * receive or run, and records of the same datagram not yet delivered come with the next call.
 */
typedef int (*nfl_record_fn)(const struct nfl_record *record, void *data);

/* The packet around a record that a listener delivers: what is not the record is the callback's, not
 * initialised, so that whoever needs a packet need not copy. For records of a listener only. */
static inline struct nfl_packet *nfl_record_packet(const struct nfl_record *record)
{
	return (struct nfl_packet *)((uintptr_t)record - offsetof(struct nfl_packet, record));
}

/**
 * nfl_listener_open - bind one group in one namespace
 * @options: borrowed
 * @ret: owned by the caller, nfl_listener_close() ends it; untouched on failure
 * @err: says what failed and what would help; may be NULL
 *
 * Returns 0, or
 * -EINVAL   an option is out of range (err names it),
 * -ENOENT   the namespace does not exist (or: its name is no namespace file),
 * -EBUSY    another socket has the group (err names its port id),
 * -EPERM    a capability is missing (err names it),
 * -EOPNOTSUPP the kernel has no conntrack for NFL_FLAG_CONNTRACK, or no NFLOG at all,
 * -ENOBUFS  the kernel had no memory for its answer; what it did is undone,
 * -ENOMEM, or another errno of socket(2) or setns(2).
 * Packets count from here on. Under load the first of them may lack what the flags ask for: the kernel
 * takes the settings an instant after it has bound the group.
 * The calling thread is in its own namespace again when the call returns; should the way back
 * fail, the process is aborted rather than left in a foreign namespace.
 */
NFL_API int nfl_listener_open(const struct nfl_listener_options *options, struct nfl_listener **ret,
			      struct nfl_error *err);

/**
 * nfl_socket_open - the privileged half of nfl_listener_open(): a bound and configured socket
 * @ret_fd: owned by the caller, close-on-exec and non-blocking; for nfl_listener_adopt(), in this
 *          process or in another one that gets it by SCM_RIGHTS; untouched on failure
 *
 * Returns 0, or -errno and @err as nfl_listener_open(). No packet is read: those that come from now on
 * wait in the socket for the one who adopts it. The group stays bound until nfl_socket_unbind(), or
 * until the last copy of the descriptor is closed, so close it here once it is passed.
 */
NFL_API int nfl_socket_open(const struct nfl_listener_options *options, int *ret_fd,
			    struct nfl_error *err);

/**
 * nfl_listener_adopt - the other half: a listener on a socket of nfl_socket_open()
 * @options: those that it was opened with, but for netns, which is not looked at; borrowed
 * @fd: the listener's on success, the caller's on failure
 *
 * Needs no capability and enters no namespace; settings.netns_dev and netns_inode stay 0. Packets that
 * came since the open are in the socket, or kept for the first receive: none is lost. Closing the
 * listener unbinds nothing; the last copy of the descriptor does.
 * Returns 0, -EINVAL (an option is out of range, or @fd is not such a socket), -ENOMEM, or what the
 * kernel answered to the open; after the latter two close @fd, packets may have been read from it.
 */
NFL_API int nfl_listener_adopt(const struct nfl_listener_options *options, int fd,
			       struct nfl_listener **ret, struct nfl_error *err);

/**
 * nfl_socket_unbind - nfl_listener_unbind() from the privileged side
 * @fd: a copy of the socket, whoever reads it
 *
 * Gives the group back; the kernel has sent what it still held when this returns. It is not asked for
 * an answer, which would come in between the reader's packets: that the group was not bound, or is in a
 * namespace that one has no rights in, is not told. Tell the reader, nfl_listener_note_unbound().
 * Returns 0, -EPERM (CAP_NET_ADMIN is missing), -EINVAL (@fd is no netfilter socket), or another -errno.
 */
NFL_API int nfl_socket_unbind(int fd, uint16_t group);

/**
 * nfl_socket_configure - change the settings of a bound group, also while another process reads it
 * @options: all settings as they are to be; netns is not looked at
 *
 * No packet is lost, repeated or reordered; a batch that has begun may still be as it was set before.
 * Tell the reader, nfl_listener_note_configured(): before, where it is to get more of each packet, else
 * at any time. Returns as nfl_socket_unbind(), and -EINVAL when an option is out of range.
 */
NFL_API int nfl_socket_configure(int fd, const struct nfl_listener_options *options);

/**
 * nfl_listener_note_configured - what nfl_socket_configure() is told, for the listener
 *
 * From now on no packet is given with more bytes than @options say, and nfl_listener_settings() has them.
 * Returns 0, or -EINVAL: out of range, or another group's.
 */
NFL_API int nfl_listener_note_configured(struct nfl_listener *listener,
					 const struct nfl_listener_options *options);

/* nfl_socket_unbind() was called for it: nfl_listener_unbind() has nothing to do any more. */
NFL_API void nfl_listener_note_unbound(struct nfl_listener *listener);

/* Unbinds and frees; NULL is allowed. What is still queued in the kernel is discarded. */
NFL_API void nfl_listener_close(struct nfl_listener *listener);

/**
 * nfl_listener_unbind - end logging, keep what was logged
 *
 * Gives the group back; the kernel then sends what it still holds. To miss nothing, receive until
 * -EAGAIN before the close. Returns 0, also when it was done before, or -errno (-EPERM: the
 * capability that opened it is gone, or another process has it), and the group is still bound.
 */
NFL_API int nfl_listener_unbind(struct nfl_listener *listener);

/**
 * nfl_listener_fd - the socket, for poll or epoll (level-triggered EPOLLIN); borrowed, non-blocking
 *
 * Receive until -EAGAIN before the first wait, and after a callback that stopped: records that
 * came while the group was bound, or that a datagram has left, are in memory, not in the socket.
 */
NFL_API int nfl_listener_fd(const struct nfl_listener *listener);

/* Are there records in memory, which poll does not see? After the listener was opened or unbound, and
 * after a callback that stopped. */
NFL_API bool nfl_listener_has_records(const struct nfl_listener *listener);

/**
 * nfl_listener_receive - read one datagram, never waits
 * @buffer: NFL_RECEIVE_BUFFER bytes are always enough, 4-byte aligned, shared between listeners at
 *          will; NULL: a buffer that the listener allocates on first use
 * @fn: called for each packet of the datagram, in order
 *
 * Returns the number of records delivered (0 is possible: a foreign or malformed datagram),
 * -EAGAIN when the socket is empty, -errno, or the callback's value when that was negative; a
 * positive value of the callback ends the datagram early and is not told apart from a count.
 * Where records of a datagram are pending, the buffer must be unchanged until the next call.
 */
NFL_API int nfl_listener_receive(struct nfl_listener *listener, void *buffer, size_t buffer_len,
				 nfl_record_fn fn, void *data);

/**
 * nfl_listener_run - wait and deliver until something ends it
 * @timeout_ms: how long at most, in ms; -1 without limit
 *
 * Returns the callback's non-zero value, 0 at the deadline, -ECANCELED after
 * nfl_listener_cancel(), or -errno.
 */
NFL_API int nfl_listener_run(struct nfl_listener *listener, nfl_record_fn fn, void *data,
			     int timeout_ms);

/* Ends a running nfl_listener_run() at once, also on a quiet group; the next one too if none is
 * running. Any thread, and from a signal handler. */
NFL_API void nfl_listener_cancel(struct nfl_listener *listener);

NFL_API void nfl_listener_stats(const struct nfl_listener *listener,
				struct nfl_listener_stats *ret);
NFL_API void nfl_listener_settings(const struct nfl_listener *listener,
				   struct nfl_listener_settings *ret);

#ifdef __cplusplus
}
#endif
#endif
