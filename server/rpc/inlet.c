/* SPDX-License-Identifier: MIT */
/*
 * A meter for each descriptor that was accepted, found by its number. Nobody tells when gRPC closes a
 * descriptor; its number may then be another connection's, which gets a new meter, or any other file's:
 * before anything is shut down the socket's inode is compared.
 *
 * Each field of a meter is atomic on its own: a connection is read by one thread of gRPC at a time, and
 * an update lost between a reader and a writer is a few bytes of budget.
 */
#include "inlet.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define HELLO_BYTES     24u /* the preface of HTTP/2; a TLS hello is longer */
#define EARN_PER_BYTES  256 /* sent, for one that may be received */
#define METERS_MAX      65536u
#define RECOUNT_NS      (100 * NS_PER_MS)
#define LOG_INTERVAL_NS (10 * NS_PER_S)

struct meter {
	_Atomic uint64_t inode; /* of the socket; 0: not metered */
	_Atomic int64_t since_ns;
	_Atomic int64_t checked_ns; /* when budget was last earned */
	_Atomic int64_t budget;     /* bytes; below 0: overdrawn */
	_Atomic uint32_t hello;     /* bytes received, until HELLO_BYTES */
	_Atomic bool is_tcp;
};

/* The inlet of this process. What has no other note is const between start and stop. */
static struct {
	_Atomic bool is_on;
	struct inlet_limits limits;
	pthread_mutex_t lock;
	int reserve_fd;      /* [lock] closed for a moment where there is no other descriptor */
	int64_t recount_ns;  /* [lock] when TCP connections may be counted again */
	uint32_t tcp_count;  /* [lock] at most: closed ones are found by counting again */
	_Atomic int highest; /* descriptor that was ever metered; -1: none */
	_Atomic int64_t logged_ns;
	_Atomic uint64_t overdrawn;
	_Atomic uint64_t silent;
	_Atomic uint64_t refused;
} inlet = {.lock = PTHREAD_MUTEX_INITIALIZER, .reserve_fd = -1};

/* Never freed: threads of gRPC may read to the very end. Pages are touched when they are needed. */
static struct meter meters[METERS_MAX];

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void inlet_start(const struct inlet_limits *limits)
{
	inlet.limits = *limits;
	inlet.reserve_fd = open_reserve(); /* without it, EMFILE is gRPC's to handle */
	inlet.recount_ns = 0;
	inlet.tcp_count = 0;
	atomic_store(&inlet.highest, -1);
	atomic_store(&inlet.is_on, true);
}

void inlet_stop(void)
{
	atomic_store(&inlet.is_on, false);
	for (int fd = 0; fd <= atomic_load(&inlet.highest); fd++)
		atomic_store(&meters[fd].inode, 0);
	if (inlet.reserve_fd >= 0)
		(void)close(inlet.reserve_fd);
	inlet.reserve_fd = -1;
}

struct inlet_counts inlet_counts(void)
{
	return (struct inlet_counts){.overdrawn = atomic_load(&inlet.overdrawn),
				     .silent = atomic_load(&inlet.silent),
				     .refused = atomic_load(&inlet.refused)};
}

/* A peer decides how often it happens. */
static void tell(const char *what, _Atomic uint64_t *counter)
{
	uint64_t count = atomic_fetch_add(counter, 1) + 1;
	int64_t now_ns = monotonic_ns();
	int64_t logged_ns = atomic_load(&inlet.logged_ns);

	if (logged_ns && now_ns - logged_ns < LOG_INTERVAL_NS)
		return;
	if (atomic_compare_exchange_strong(&inlet.logged_ns, &logged_ns, now_ns))
		log_warn("rpc.connections", "reason=\"%s\" times=%llu", what,
			 (unsigned long long)count);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

/* NULL: not one of ours. */
static struct meter *meter_of(int fd)
{
	struct meter *meter;

	if (fd < 0 || (unsigned)fd >= METERS_MAX)
		return NULL;
	meter = &meters[fd];
	return atomic_load_explicit(&meter->inode, memory_order_relaxed) ? meter : NULL;
}

static bool is_open(const struct meter *meter, int fd)
{
	return atomic_load(&meter->inode) == inode_of(fd);
}

/* The peer notices, and gRPC closes it. */
static void shut(struct meter *meter, int fd)
{
	if (is_open(meter, fd))
		(void)shutdown(fd, SHUT_RDWR);
	atomic_store(&meter->inode, 0);
}

/* --- accepting --------------------------------------------------------------------------- */

static int64_t burst(void)
{
	return inlet.limits.burst_bytes > INLET_BURST_BYTES ? inlet.limits.burst_bytes
							    : INLET_BURST_BYTES;
}

static void begin(int fd, bool is_tcp)
{
	int64_t now_ns = monotonic_ns();
	struct meter *meter;

	if ((unsigned)fd >= METERS_MAX)
		return;
	meter = &meters[fd];
	atomic_store(&meter->since_ns, now_ns);
	atomic_store(&meter->checked_ns, now_ns);
	atomic_store(&meter->budget, burst());
	atomic_store(&meter->hello, 0);
	atomic_store(&meter->is_tcp, is_tcp);
	atomic_store(&meter->inode, inode_of(fd));
	if (fd > atomic_load(&inlet.highest))
		atomic_store(&inlet.highest, fd); /* one accepts at a time, or nearly */
}

/* [lock] Counts the TCP connections that are still open. */
static uint32_t recount(void)
{
	uint32_t count = 0;

	for (int fd = 0; fd <= atomic_load(&inlet.highest); fd++) {
		struct meter *meter = meter_of(fd);

		if (!meter || !atomic_load(&meter->is_tcp))
			continue;
		if (is_open(meter, fd))
			count++;
		else
			atomic_store(&meter->inode, 0);
	}
	return count;
}

/* Is there room for one more TCP connection? */
static bool admit_tcp(void)
{
	int64_t now_ns = monotonic_ns();
	bool admitted;

	(void)pthread_mutex_lock(&inlet.lock);
	if (inlet.tcp_count >= inlet.limits.connections && now_ns >= inlet.recount_ns) {
		inlet.tcp_count = recount();
		inlet.recount_ns = now_ns + RECOUNT_NS;
	}
	admitted = inlet.tcp_count < inlet.limits.connections;
	inlet.tcp_count += admitted;
	(void)pthread_mutex_unlock(&inlet.lock);
	return admitted;
}

/* Without a descriptor the peer would stay in the queue, and gRPC's listener give up for good. The
 * reserve takes it, to close it. */
static void refuse_with_reserve(int listener)
{
	int fd;

	(void)pthread_mutex_lock(&inlet.lock);
	if (inlet.reserve_fd >= 0) {
		(void)close(inlet.reserve_fd);
		fd = (int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			(void)close(fd);
		inlet.reserve_fd = open_reserve();
	}
	(void)pthread_mutex_unlock(&inlet.lock);
	tell("no descriptor for one more", &inlet.refused);
}

static bool is_tcp(int fd)
{
	int domain = AF_UNSPEC;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain != AF_UNIX;
}

__attribute__((visibility("default"))) int accept4(int listener, struct sockaddr *address,
						   socklen_t *len, int flags);

int accept4(int listener, struct sockaddr *address, socklen_t *len, int flags)
{
	int fd = (int)syscall(SYS_accept4, listener, address, len, flags);

	if (!atomic_load(&inlet.is_on))
		return fd;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE) {
			refuse_with_reserve(listener);
			errno = EAGAIN;
		}
		return fd;
	}
	if (is_tcp(fd) && !admit_tcp()) {
		(void)close(fd);
		tell("too many connections over TCP", &inlet.refused);
		errno = ECONNABORTED;
		return -1;
	}
	begin(fd, is_tcp(fd));
	return fd;
}

/* --- receiving --------------------------------------------------------------------------- */

static void earn(struct meter *meter, int64_t bytes)
{
	int64_t budget = atomic_load_explicit(&meter->budget, memory_order_relaxed) + bytes;

	if (budget > burst())
		budget = burst();
	atomic_store_explicit(&meter->budget, budget, memory_order_relaxed);
}

/* Time is looked at only when the burst is used up: most connections never do. */
static void earn_by_time(struct meter *meter)
{
	int64_t now_ns = monotonic_ns();
	int64_t passed_ns = now_ns - atomic_load(&meter->checked_ns);

	if (passed_ns > 3600 * NS_PER_S)
		passed_ns = 3600 * NS_PER_S; /* the burst many times, without an overflow */
	atomic_store(&meter->checked_ns, now_ns);
	earn(meter, passed_ns / NS_PER_MS * inlet.limits.bytes_per_second / 1000);
}

/* False: it has sent too much. */
static bool charge(struct meter *meter, uint32_t bytes)
{
	if (atomic_load_explicit(&meter->hello, memory_order_relaxed) < HELLO_BYTES)
		(void)atomic_fetch_add(&meter->hello, bytes > HELLO_BYTES ? HELLO_BYTES : bytes);
	earn(meter, -(int64_t)bytes);
	if (atomic_load_explicit(&meter->budget, memory_order_relaxed) >= 0)
		return true;
	earn_by_time(meter);
	return atomic_load_explicit(&meter->budget, memory_order_relaxed) >= 0;
}

__attribute__((visibility("default"))) ssize_t recvmsg(int fd, struct msghdr *message, int flags);

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t received = syscall(SYS_recvmsg, fd, message, flags);
	struct meter *meter = received > 0 ? meter_of(fd) : NULL;

	if (!meter || charge(meter, (uint32_t)received))
		return received;
	if (!is_open(meter, fd)) { /* the number is another file's now */
		atomic_store(&meter->inode, 0);
		return received;
	}
	shut(meter, fd);
	tell("a connection sent more than its budget", &inlet.overdrawn);
	errno = ECONNRESET;
	return -1;
}

__attribute__((visibility("default"))) ssize_t sendmsg(int fd, const struct msghdr *message,
						       int flags);

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);
	struct meter *meter = sent >= EARN_PER_BYTES ? meter_of(fd) : NULL;

	if (meter)
		earn(meter, sent / EARN_PER_BYTES);
	return sent;
}

/* --- silence ----------------------------------------------------------------------------- */

int inlet_sweep(int64_t now_ns)
{
	int64_t timeout_ns = inlet.limits.hello_timeout_ms * NS_PER_MS;
	int64_t next_ns = INT64_MAX;

	for (int fd = 0; fd <= atomic_load(&inlet.highest); fd++) {
		struct meter *meter = meter_of(fd);
		int64_t due_ns;

		if (!meter || atomic_load(&meter->hello) >= HELLO_BYTES)
			continue;
		due_ns = atomic_load(&meter->since_ns) + timeout_ns;
		if (now_ns >= due_ns) {
			shut(meter, fd);
			tell("a connection did not say hello in time", &inlet.silent);
		} else if (due_ns < next_ns) {
			next_ns = due_ns;
		}
	}
	return next_ns == INT64_MAX ? -1 : (int)((next_ns - now_ns) / NS_PER_MS) + 1;
}
