/* SPDX-License-Identifier: MIT */
/*
 * intake: what listeners deliver is what the sources' logs hold
 *
 * The kernel's side (listener, links) is replaced: a fake listener is a queue of datagrams
 * with an eventfd that is readable while there are any. Decoding, wire form and history are real.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>
#include <nfl/listener.h>

#include "bytes.h"
#include "history.h"
#include "intake.h"
#include "links.h"
#include "source.h"
#include "wire.h"

#define LOG_BYTES      ((size_t)8 << 20)
#define DATAGRAMS_MAX  256
#define KEPT           200 /* more than the thread reads of one source in a round */
#define RECORDS_MAX    4
#define DATAGRAM_BYTES 1000u

/* --- the kernel's side ------------------------------------------------------------------- */

struct datagram {
	int result; /* negative: what receive returns instead of records */
	int count;
	unsigned drops; /* datagrams that the kernel drops behind this one */
	struct nfl_record records[RECORDS_MAX];
};

struct fake {
	int event_fd; /* a semaphore: readable while datagrams are queued */
	pthread_mutex_t lock;
	struct datagram queue[DATAGRAMS_MAX]; /* [lock] */
	unsigned head;                        /* [lock] */
	unsigned tail;                        /* [lock] */
	_Atomic bool endless;                 /* one more record, always */
	_Atomic bool closed;
	bool flushes;          /* unbinding queues one more datagram */
	_Atomic bool forged;   /* unbinding does not end it: it is not the kernel's */
	unsigned room;         /* datagrams that it can hold; 0: any number */
	_Atomic unsigned kept; /* of the queue, in memory: epoll does not see them */
	_Atomic uint64_t drops;
	uint64_t datagrams;
	uint64_t foreign;
	_Atomic bool unbound;
	uint32_t copy_range;
	_Atomic uint16_t configured;
	bool adaptive;
	_Atomic enum batching batching;
};

static struct fake fakes[4];
static unsigned fake_count;
static bool opens_adaptive;
static _Atomic bool no_room;
static int links_event_fds[4]; /* one for each namespace, in the order of opening */
static unsigned links_opened;
static sem_t links_updated;

void __wrap_nfl_listener_close(struct nfl_listener *listener);
int __wrap_nfl_listener_fd(const struct nfl_listener *listener);
int __wrap_nfl_listener_receive(struct nfl_listener *listener, void *buffer, size_t buffer_len,
				nfl_record_fn fn, void *data);
int __wrap_nfl_listener_note_configured(struct nfl_listener *listener,
					const struct nfl_listener_options *options);
void __wrap_nfl_listener_note_unbound(struct nfl_listener *listener);
bool __wrap_nfl_listener_has_records(const struct nfl_listener *listener);
void __wrap_nfl_listener_settings(const struct nfl_listener *listener,
				  struct nfl_listener_settings *ret);
void __wrap_nfl_listener_stats(const struct nfl_listener *listener, struct nfl_listener_stats *ret);
void __wrap_links_close(struct links *links);
int __wrap_links_fd(const struct links *links);
int __wrap_links_update(struct links *links);
struct nfl_bytes __wrap_links_find(struct links *links, uint32_t index);
void *__real_history_reserve(struct history_log *log, size_t bytes);
void *__wrap_history_reserve(struct history_log *log, size_t bytes);

static struct nfl_listener *open_fake(void)
{
	struct fake *fake = &fakes[fake_count++];

	memset(fake, 0, sizeof(*fake));
	fake->adaptive = opens_adaptive;
	fake->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	assert_int_equal(pthread_mutex_init(&fake->lock, NULL), 0);
	return (struct nfl_listener *)fake;
}

void __wrap_nfl_listener_close(struct nfl_listener *listener)
{
	struct fake *fake = (struct fake *)listener;

	if (!fake)
		return;
	assert_false(fake->closed);
	fake->closed = true;
	close(fake->event_fd);
	pthread_mutex_destroy(&fake->lock);
}

int __wrap_nfl_listener_fd(const struct nfl_listener *listener)
{
	return ((const struct fake *)listener)->event_fd;
}

static void queue(struct fake *fake, const struct datagram *datagram)
{
	uint64_t one = 1;

	pthread_mutex_lock(&fake->lock);
	assert_true(fake->tail < DATAGRAMS_MAX);
	fake->queue[fake->tail++] = *datagram;
	pthread_mutex_unlock(&fake->lock);
	assert_int_equal(write(fake->event_fd, &one, sizeof(one)), sizeof(one));
}

static bool take(struct fake *fake, struct datagram *ret)
{
	uint64_t one;
	bool found;

	if (!fake->endless)
		(void)!read(fake->event_fd, &one, sizeof(one));
	pthread_mutex_lock(&fake->lock);
	found = fake->head < fake->tail;
	if (found)
		*ret = fake->queue[fake->endless ? fake->head : fake->head++];
	pthread_mutex_unlock(&fake->lock);
	return found;
}

int __wrap_nfl_listener_receive(struct nfl_listener *listener, void *buffer, size_t buffer_len,
				nfl_record_fn fn, void *data)
{
	struct fake *fake = (struct fake *)listener;
	struct datagram datagram;
	struct nfl_packet packet; /* nfl_record_packet() */

	assert_int_equal(buffer_len, NFL_RECEIVE_BUFFER);
	memset(buffer, 0xee, 64);
	if (!take(fake, &datagram))
		return -EAGAIN;
	if (fake->kept > 0)
		fake->kept--;
	if (datagram.result < 0)
		return datagram.result;
	fake->datagrams++;
	fake->drops += datagram.drops;
	for (int i = 0; i < datagram.count; i++) {
		packet.record = datagram.records[i];
		assert_int_equal(fn(&packet.record, data), 0);
	}
	return datagram.count;
}

/* What the opener does for intake, found by the socket. */
static int on_unbind(int fd, uint16_t group, void *data)
{
	struct datagram last = {.count = 1};
	struct fake *fake = fakes;

	(void)data;
	(void)group;
	while (fake->closed || fake->event_fd != fd)
		fake++;

	if (fake->flushes && fake->room && fake->tail - fake->head >= fake->room)
		fake->drops++;
	else if (fake->flushes)
		queue(fake, &last);
	fake->endless = fake->forged;
	return 0;
}

void __wrap_nfl_listener_note_unbound(struct nfl_listener *listener)
{
	((struct fake *)listener)->unbound = true;
}

int __wrap_nfl_listener_note_configured(struct nfl_listener *listener,
					const struct nfl_listener_options *options)
{
	((struct fake *)listener)->copy_range = options->copy_range;
	return 0;
}

static int on_configure(int fd, const char *netns, uint16_t group, enum batching batching,
			void *data)
{
	struct fake *fake = fakes;

	(void)netns;
	(void)data;
	while (fake->closed || fake->event_fd != fd)
		fake++;
	if (!fake->adaptive) /* the listener knows before the kernel does */
		assert_int_not_equal(fake->copy_range, 0);
	fake->configured = group;
	fake->batching = batching;
	return 0;
}

bool __wrap_nfl_listener_has_records(const struct nfl_listener *listener)
{
	return ((const struct fake *)listener)->kept > 0;
}

void __wrap_nfl_listener_settings(const struct nfl_listener *listener,
				  struct nfl_listener_settings *ret)
{
	*ret = (struct nfl_listener_settings){
	    .rcvbuf = 65536,
	    .profile = ((const struct fake *)listener)->adaptive ? NFL_PROFILE_ADAPTIVE
								 : NFL_PROFILE_BALANCED,
	};
}

void __wrap_nfl_listener_stats(const struct nfl_listener *listener, struct nfl_listener_stats *ret)
{
	struct fake *fake = &fakes[(const struct fake *)listener - fakes];

	pthread_mutex_lock(&fake->lock);
	*ret = (struct nfl_listener_stats){
	    .bytes = fake->datagrams * DATAGRAM_BYTES,
	    .overruns = 3,
	    .dropped_datagrams = fake->drops,
	    .foreign = fake->foreign,
	    .queued_bytes = fake->head < fake->tail ? DATAGRAM_BYTES : 0,
	};
	pthread_mutex_unlock(&fake->lock);
}

static struct links *open_links(void)
{
	links_event_fds[links_opened] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return (struct links *)&links_event_fds[links_opened++];
}

void __wrap_links_close(struct links *links)
{
	close(__wrap_links_fd(links));
}

int __wrap_links_fd(const struct links *links)
{
	return *(const int *)(const void *)links;
}

int __wrap_links_update(struct links *links)
{
	uint64_t count;

	(void)!read(__wrap_links_fd(links), &count, sizeof(count));
	sem_post(&links_updated);
	return 0;
}

static const char *_Atomic link_stem; /* set before it is told by the event */

/* One buffer for all answers, as the contract allows. */
struct nfl_bytes __wrap_links_find(struct links *links, uint32_t index)
{
	static char name[16];

	(void)links;
	if (index == 404)
		return (struct nfl_bytes){0};
	return (struct nfl_bytes){
	    .data = (const uint8_t *)name,
	    .len = (uint32_t)snprintf(name, sizeof(name), "%s%u", atomic_load(&link_stem), index)};
}

void *__wrap_history_reserve(struct history_log *log, size_t bytes)
{
	return no_room ? NULL : __real_history_reserve(log, bytes);
}

/* --- fixture ----------------------------------------------------------------------------- */

struct fixture {
	struct history *history;
	struct registry *registry;
	struct intake *intake;
	sem_t woken;
	_Atomic unsigned wakes;
	_Atomic unsigned failures;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	atomic_store(&link_stem, "veth");
	opens_adaptive = false;
	fake_count = 0;
	no_room = false;
	links_opened = 0;
	sem_init(&links_updated, 0, 0);
	sem_init(&f.woken, 0, 0);
	assert_int_equal(history_new((size_t)1 << 30, &f.history), 0);
	assert_int_equal(registry_new(f.history, &f.registry), 0);
	assert_int_equal(intake_new(f.registry, &f.intake), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	intake_free(f->intake);
	for (unsigned i = 0; i < fake_count; i++)
		assert_true(fakes[i].closed);
	registry_free(f->registry);
	history_free(f->history);
	return 0;
}

static struct space *add_space(struct fixture *f)
{
	struct space *space;

	assert_int_equal(intake_add_space(f->intake, open_links(), &space), 0);
	return space;
}

static struct source *add_in(struct fixture *f, struct space *space, const char *netns,
			     uint16_t group)
{
	const struct source_spec spec = {.netns = netns, .group = group, .log_bytes = LOG_BYTES};
	struct source *source;

	assert_int_equal(registry_add(f->registry, &spec, &source), 0);
	assert_int_equal(intake_add_feed(f->intake, space, source, open_fake()), 0);
	return source;
}

/* Of a namespace of its own. */
static struct source *add(struct fixture *f, const char *netns, uint16_t group)
{
	return add_in(f, add_space(f), netns, group);
}

static enum source_state state_of(struct source *source)
{
	struct source_status status;

	source_status(source, &status);
	return status.state;
}

static void on_wake(void *data)
{
	struct fixture *f = data;

	f->wakes++;
	sem_post(&f->woken);
}

static void on_failed(struct source *source, void *data)
{
	struct fixture *f = data;

	assert_int_equal(state_of(source), SOURCE_FAILED);
	f->failures++;
	sem_post(&f->woken);
}

static void start(struct fixture *f)
{
	const struct intake_events events = {.wake = on_wake,
					     .failed = on_failed,
					     .unbind = on_unbind,
					     .configure = on_configure,
					     .data = f};

	assert_int_equal(intake_start(f->intake, &events), 0);
}

static void wait_for_end(struct fixture *f, const struct source *source, uint64_t records)
{
	while (history_end(source->log) < records)
		sem_wait(&f->woken);
}

static void queue_plain(struct fake *fake, int count)
{
	struct datagram datagram = {.count = count};

	for (int i = 0; i < count; i++)
		datagram.records[i].receive_time_ns = 1000 + i;
	queue(fake, &datagram);
}

/* Packets that epoll does not tell of. */
static void queue_unseen(struct fake *fake, int count)
{
	uint64_t one;

	queue_plain(fake, count);
	assert_int_equal(read(fake->event_fd, &one, sizeof(one)), sizeof(one));
}

/* Calls see() with each record of the log, in order. */
static unsigned for_each_stored(const struct source *source,
				void (*see)(const struct wire_stored *stored, unsigned n))
{
	struct history_cursor cursor;
	struct history_span span;
	uint64_t lost;
	unsigned n = 0;

	history_seek_oldest(source->log, &cursor);
	while (history_read(source->log, &cursor, &span, &lost)) {
		const struct wire_stored *stored = (const void *)span.bytes;

		assert_int_equal(lost, 0);
		see(stored, n++);
		history_advance(&cursor, stored->total, 1);
		history_release(&span);
	}
	return n;
}

/* The stored record as a client gets it; points into a buffer that the next call reuses. */
static void read_back(const struct wire_stored *stored, struct nfl_packet *ret)
{
	static uint8_t buf[4096];
	struct nfl_bytes batch = {.data = buf};
	struct nfl_bytes packet;

	assert_true(wire_composed_len(stored, WIRE_VIEW_FULL, 0, NULL) <= sizeof(buf));
	batch.len = (uint32_t)wire_compose(buf, stored, WIRE_VIEW_FULL, 0, NULL);
	assert_int_equal(wire_batch_next(&batch, &packet), 1);
	assert_int_equal(wire_read_packet(packet, ret), 0);
}

static void assert_name(struct nfl_bytes name, const char *expected)
{
	assert_int_equal(name.len, strlen(expected));
	assert_memory_equal(name.data, expected, name.len);
}

/* --- cases ------------------------------------------------------------------------------- */

static const uint8_t udp_packet[] = {0x45, 0, 0,  200, 0, 1, 0,    0,    64,   17, 0, 0,   10, 0,
				     0,    1, 10, 0,   0, 2, 0x04, 0xd2, 0x00, 53, 0, 180, 0,  0};
static uint32_t expected_source_id;

static void see_udp(const struct wire_stored *stored, unsigned n)
{
	struct nfl_packet packet;

	read_back(stored, &packet);
	assert_int_equal(packet.sequence, n + 1);
	assert_int_equal(packet.source_id, expected_source_id);
	assert_int_equal(packet.record.receive_time_ns, 1234567890);
	assert_int_equal(packet.original_length, 200);
	assert_int_equal(packet.decoded.destination_port, 53);
	assert_name(packet.indev_name, "veth1");
	assert_name(packet.outdev_name, "veth22");
	assert_name(packet.physindev_name, "veth333");
	assert_int_equal(packet.physoutdev_name.len, 0);
}

static void packets_are_numbered_decoded_and_their_devices_named(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);
	struct datagram datagram = {.count = 2};

	datagram.records[0] = (struct nfl_record){
	    .present = NFL_HAS_INDEV | NFL_HAS_OUTDEV | NFL_HAS_PHYSINDEV | NFL_HAS_PHYSOUTDEV |
		       NFL_HAS_PAYLOAD,
	    .receive_time_ns = 1234567890,
	    .family = NFL_FAMILY_IPV4,
	    .hw_protocol = 0x0800,
	    .indev = 1,
	    .outdev = 22,
	    .physindev = 333,
	    .physoutdev = 404,
	    .payload = {.data = udp_packet, .len = sizeof(udp_packet)},
	};
	datagram.records[1] = datagram.records[0];
	expected_source_id = source->id;
	start(f);
	queue(&fakes[0], &datagram);
	queue(&fakes[0], &datagram);
	wait_for_end(f, source, 4);
	assert_int_equal(for_each_stored(source, see_udp), 4);
	intake_stop(f->intake);
	assert_int_equal(source->packets, 4);
	assert_int_equal(source->bytes, 2 * DATAGRAM_BYTES);
	assert_int_equal(source->overruns, 3);
	assert_int_equal(source->last_packet_ns, 1234567890);
}

static void see_payload_length(const struct wire_stored *stored, unsigned n)
{
	struct nfl_packet packet;

	(void)n;
	read_back(stored, &packet);
	assert_int_equal(packet.original_length, sizeof(udp_packet));
}

/* BIG TCP and jumbograms: the header has no room for the length and says 0. */
static void length_that_the_header_does_not_tell_is_that_of_the_payload(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);
	struct datagram datagram = {.count = 1};
	uint8_t packet[sizeof(udp_packet)];

	memcpy(packet, udp_packet, sizeof(packet));
	packet[3] = 0;
	datagram.records[0] = (struct nfl_record){
	    .present = NFL_HAS_PAYLOAD,
	    .family = NFL_FAMILY_IPV4,
	    .hw_protocol = 0x0800,
	    .payload = {.data = packet, .len = sizeof(packet)},
	};
	start(f);
	queue(&fakes[0], &datagram);
	wait_for_end(f, source, 1);
	assert_int_equal(for_each_stored(source, see_payload_length), 1);
}

static void see_losses(const struct wire_stored *stored, unsigned n)
{
	static const uint32_t kernel[] = {5, 5, 12};
	static const uint32_t decode[] = {0, 2, 2};

	assert_int_equal(stored->lost_kernel, kernel[n]);
	assert_int_equal(stored->lost_decode, decode[n]);
}

static void header_of_a_packet_includes_the_gap_before_it(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);
	struct datagram datagram = {.count = 3};

	datagram.records[0].lost_kernel = 5;
	datagram.records[1].lost_decode = 2;
	datagram.records[2].lost_kernel = 7;
	start(f);
	queue(&fakes[0], &datagram);
	wait_for_end(f, source, 3);
	assert_int_equal(for_each_stored(source, see_losses), 3);
	intake_stop(f->intake);
	assert_int_equal(source->lost_kernel, 12);
	assert_int_equal(source->lost_decode, 2);
}

static void see_first_after_loss(const struct wire_stored *stored, unsigned n)
{
	struct nfl_packet packet;

	read_back(stored, &packet);
	assert_int_equal(n, 0);
	assert_int_equal(packet.sequence, 1);
	assert_int_equal(stored->lost_decode, 3);
}

static void packet_without_memory_is_a_loss_that_the_next_one_tells(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);
	struct source *other = add(f, "blue", 100);

	start(f);
	no_room = true;
	queue_plain(&fakes[0], 3);
	while (atomic_load(&source->lost_decode) < 3)
		sched_yield(); /* nothing is published, so nothing wakes */
	no_room = false;
	queue_plain(&fakes[0], 1);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, source, 1);
	wait_for_end(f, other, 1);
	assert_int_equal(for_each_stored(source, see_first_after_loss), 1);
	intake_stop(f->intake);
	assert_int_equal(source->packets, 1);
	assert_int_equal(other->lost_decode, 0);
}

static uint64_t orders[8];

static void see_order(const struct wire_stored *stored, unsigned n)
{
	orders[n] = stored->order;
}

static void order_is_of_the_datagram_and_rises_over_all_sources(void **state)
{
	struct fixture *f = *state;
	struct source *red = add(f, "red", 100);
	struct source *blue = add(f, "blue", 7);

	start(f);
	queue_plain(&fakes[0], 2);
	wait_for_end(f, red, 2);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, blue, 1);
	queue_plain(&fakes[0], 1);
	wait_for_end(f, red, 3);
	assert_int_equal(for_each_stored(red, see_order), 3);
	assert_int_equal(orders[0], 1);
	assert_int_equal(orders[1], 1);
	assert_int_equal(orders[2], 3);
	assert_int_equal(for_each_stored(blue, see_order), 1);
	assert_int_equal(orders[0], 2);
}

static void stop_reads_the_batch_that_unbinding_flushes(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);

	fakes[0].flushes = true;
	start(f);
	intake_stop(f->intake);
	assert_int_equal(source->packets, 1);
	assert_int_equal(history_end(source->log), 1);
	assert_in_range(f->wakes, 1, 2);
}

static void packets_kept_while_binding_are_read_without_an_event(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);

	for (unsigned i = 0; i < KEPT; i++)
		queue_unseen(&fakes[0], 1);
	fakes[0].kept = KEPT;
	start(f);
	wait_for_end(f, source, KEPT);
}

static void busy_source_does_not_starve_a_quiet_one(void **state)
{
	struct fixture *f = *state;
	struct source *busy = add(f, "red", 100);
	struct source *quiet = add(f, "blue", 100);

	fakes[0].endless = true;
	queue_plain(&fakes[0], 4);
	start(f);
	wait_for_end(f, busy, 1000);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, quiet, 1);
}

static void socket_that_fails_ends_its_source_only(void **state)
{
	struct fixture *f = *state;
	struct source *bad = add(f, "red", 100);
	struct source *good = add(f, "blue", 100);
	struct datagram failure = {.result = -EIO};
	struct source_status status;

	start(f);
	queue(&fakes[0], &failure);
	while (f->failures == 0)
		sem_wait(&f->woken);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, good, 1);
	source_status(bad, &status);
	assert_int_equal(status.state, SOURCE_FAILED);
	assert_string_equal(status.detail, "reading the socket failed: Input/output error");
	assert_true(fakes[0].closed);
	assert_int_equal(f->failures, 1);
}

static void see_number(const struct wire_stored *stored, unsigned n)
{
	struct nfl_packet packet;

	read_back(stored, &packet);
	assert_int_equal(packet.sequence, n + 1);
}

static void another_listener_of_a_failed_source_counts_on(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 100);
	struct datagram failure = {.result = -EIO};

	start(f);
	queue_plain(&fakes[0], 2);
	queue(&fakes[0], &failure);
	while (f->failures == 0)
		sem_wait(&f->woken);
	assert_int_equal(intake_add_feed(f->intake, space, source, open_fake()), 0);
	assert_int_equal(state_of(source), SOURCE_LISTENING);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, source, 3);
	assert_int_equal(for_each_stored(source, see_number), 3);
	intake_stop(f->intake);
	assert_int_equal(source->bytes, 2 * DATAGRAM_BYTES);
}

/* --- namespaces that come and go --------------------------------------------------------- */

static void space_added_while_it_runs_is_read(void **state)
{
	struct fixture *f = *state;
	struct source *source;

	start(f);
	source = add(f, "red", 100);
	assert_int_equal(state_of(source), SOURCE_LISTENING);
	queue_plain(&fakes[0], 2);
	wait_for_end(f, source, 2);
}

static void groups_of_a_namespace_share_its_links(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *one = add_in(f, space, "red", 1);
	struct source *two = add_in(f, space, "red", 2);

	start(f);
	queue_plain(&fakes[0], 1);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, one, 1);
	wait_for_end(f, two, 1);
	assert_int_equal(links_opened, 1);
}

static void removed_space_is_read_to_its_last_packet_and_let_go(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *gone = add_in(f, space, "red", 1);
	struct source *too = add_in(f, space, "red", 2);
	struct source *stays = add(f, "blue", 1);
	struct source_status status;

	fakes[0].flushes = true;
	start(f);
	queue_plain(&fakes[1], 1);
	intake_remove_space(f->intake, space, "it was deleted");
	while (state_of(gone) != SOURCE_GONE || state_of(too) != SOURCE_GONE)
		sem_wait(&f->woken);
	source_status(gone, &status);
	assert_string_equal(status.detail, "it was deleted");
	assert_int_equal(history_end(gone->log), 1);
	assert_int_equal(history_end(too->log), 1);
	queue_plain(&fakes[2], 1);
	wait_for_end(f, stays, 1);
	assert_true(fakes[0].closed && fakes[1].closed);
	assert_false(fakes[2].closed);
}

static void removed_feed_is_read_to_its_last_packet_and_others_of_its_space_go_on(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *gone = add_in(f, space, "red", 1);
	struct source *stays = add_in(f, space, "red", 2);
	struct source_status status;

	fakes[0].flushes = true;
	start(f);
	assert_int_equal(intake_remove_feed(f->intake, space, gone, "not wanted"), 0);
	while (state_of(gone) != SOURCE_GONE)
		sem_wait(&f->woken);
	source_status(gone, &status);
	assert_string_equal(status.detail, "not wanted");
	assert_int_equal(history_end(gone->log), 1);
	assert_true(fakes[0].unbound);
	queue_plain(&fakes[1], 1);
	wait_for_end(f, stays, 1);
	assert_true(fakes[0].closed);
	assert_false(fakes[1].closed);
}

static void settings_reach_the_listener_before_the_kernel_has_them(void **state)
{
	const struct nfl_listener_options options = {.copy_range = 64};
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 7);

	assert_int_equal(intake_configure(f->intake, space, source, &options), 0);
	start(f);
	queue_plain(&fakes[0], 1);
	wait_for_end(f, source, 1);
	while (fakes[0].configured == 0) /* its errand comes after the packets of the same round */
		sched_yield();
	assert_int_equal(fakes[0].configured, 7);
	assert_int_equal(fakes[0].copy_range, 64);
	assert_int_equal(state_of(source), SOURCE_LISTENING);
}

static void errands_that_were_never_run_are_freed(void **state)
{
	const struct nfl_listener_options options = {.copy_range = 64};
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 1);

	assert_int_equal(intake_configure(f->intake, space, source, &options), 0);
	assert_int_equal(intake_remove_feed(f->intake, space, source, "not wanted"), 0);
}

static void datagrams_of_strangers_are_counted(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 1);

	fakes[0].foreign = 5;
	start(f);
	queue_plain(&fakes[0], 1);
	wait_for_end(f, source, 1);
	while (source->foreign == 0)
		sched_yield();
	assert_int_equal(source->foreign, 5);
}

static void leave(struct fixture *f, struct space *space, struct source *source)
{
	intake_remove_space(f->intake, space, "it was deleted");
	start(f);
	while (state_of(source) != SOURCE_GONE)
		sem_wait(&f->woken);
}

static void full_socket_is_read_before_it_is_unbound_so_that_the_last_batch_has_room(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 1);

	fakes[0].flushes = true;
	fakes[0].room = 4;
	for (int i = 0; i < 4; i++)
		queue_unseen(&fakes[0], 1);
	leave(f, space, source);
	assert_int_equal(history_end(source->log), 5);
	assert_int_equal(source->lost_kernel, 0);
}

static void all_that_a_removed_space_holds_is_read_however_much_it_is(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 1);

	for (int i = 0; i < DATAGRAMS_MAX; i++)
		queue_unseen(&fakes[0], RECORDS_MAX);
	leave(f, space, source);
	assert_int_equal(history_end(source->log), DATAGRAMS_MAX * RECORDS_MAX);
	assert_int_equal(source->lost_kernel, 0);
}

static void what_a_removed_space_could_not_give_is_told_as_lost(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 1);
	const struct datagram broken = {.result = -EIO};

	queue(&fakes[0], &broken);
	queue_plain(&fakes[0], 1);
	leave(f, space, source);
	assert_int_equal(source->lost_kernel, 1);
	assert_int_equal(source->lost_tail, 1);
}

static void forger_does_not_keep_a_removed_space_and_is_no_loss(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);
	struct source *source = add_in(f, space, "red", 1);

	queue_plain(&fakes[0], 0); /* a foreign datagram has no records */
	fakes[0].endless = fakes[0].forged = true;
	leave(f, space, source);
	assert_int_equal(source->lost_kernel, 0);
}

/* Packets come as soon as a group is bound, before anybody reads it. */
static void what_was_dropped_before_it_was_read_is_told(void **state)
{
	struct fixture *f = *state;
	const struct source_spec spec = {.netns = "red", .group = 1, .log_bytes = LOG_BYTES};
	struct space *space = add_space(f);
	struct nfl_listener *listener = open_fake();
	struct source *source;

	fakes[0].drops = 4;
	assert_int_equal(registry_add(f->registry, &spec, &source), 0);
	assert_int_equal(intake_add_feed(f->intake, space, source, listener), 0);
	start(f);
	queue_plain(&fakes[0], 1); /* the last that found room; its number tells of no gap */
	while (source->lost_tail != 4)
		sem_wait(&f->woken);
	assert_int_equal(source->lost_kernel, 4);
}

static void tail_that_a_damaged_datagram_settles_is_counted_once(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 1);
	const struct datagram before = {.count = 1, .drops = 3};
	struct datagram after = {.count = 1};

	start(f);
	queue(&fakes[0], &before);
	while (source->lost_tail != 3)
		sem_wait(&f->woken);
	after.records[0].lost_decode = 5;
	queue(&fakes[0], &after);
	wait_for_end(f, source, 2);
	assert_int_equal(source->lost_kernel, 3);
	assert_int_equal(source->lost_decode, 2);
	assert_int_equal(source->lost_tail, 0);
}

static void space_removed_before_the_start_is_let_go_by_it(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);

	leave(f, space, add_in(f, space, "red", 1));
}

static void what_was_added_and_never_started_is_freed(void **state)
{
	struct fixture *f = *state;
	struct space *space = add_space(f);

	(void)add_in(f, space, "red", 1);
	intake_remove_space(f->intake, space, "it was deleted");
}

static void news_of_links_are_taken_in_without_packets(void **state)
{
	struct fixture *f = *state;
	uint64_t one = 1;

	(void)add(f, "red", 100);
	start(f);
	assert_int_equal(write(links_event_fds[0], &one, sizeof(one)), sizeof(one));
	sem_wait(&links_updated);
	intake_stop(f->intake);
	assert_int_equal(f->wakes, 1); /* of the feed that was added */
}

/* What is known of a head is not what its devices were called before. */
static void see_renamed(const struct wire_stored *stored, unsigned n)
{
	struct nfl_packet packet;

	read_back(stored, &packet);
	assert_name(packet.indev_name, n < 2 ? "veth1" : "lan1");
}

static void renamed_device_has_its_new_name_in_the_next_packet(void **state)
{
	struct fixture *f = *state;
	struct datagram datagram = {.count = 2};
	struct source *source = add(f, "red", 100);
	uint64_t one = 1;

	for (int i = 0; i < 2; i++)
		datagram.records[i] =
		    (struct nfl_record){.present = NFL_HAS_INDEV, .indev = 1, .head = 5};
	start(f);
	queue(&fakes[0], &datagram);
	wait_for_end(f, source, 2);
	atomic_store(&link_stem, "lan");
	assert_int_equal(write(links_event_fds[0], &one, sizeof(one)), sizeof(one));
	sem_wait(&links_updated);
	queue(&fakes[0], &datagram);
	wait_for_end(f, source, 4);
	assert_int_equal(for_each_stored(source, see_renamed), 4);
}

static void flood_gets_larger_batches_and_silence_ends_them(void **state)
{
	struct fixture *f = *state;
	struct source *source;

	opens_adaptive = true;
	source = add(f, "red", 100);
	start(f);
	fakes[0].endless = true;
	queue_plain(&fakes[0], 1);
	while (fakes[0].batching != BATCHING_LARGE)
		sched_yield();
	fakes[0].endless = false;
	while (fakes[0].batching != BATCHING_SINGLE)
		sched_yield();
	assert_int_equal(fakes[0].configured, 100);
	assert_true(history_end(source->log) > 0);
}

static void other_profiles_stay_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct source *source = add(f, "red", 100);

	start(f);
	fakes[0].endless = true;
	queue_plain(&fakes[0], 1);
	wait_for_end(f, source, 100000);
	fakes[0].endless = false;
	intake_stop(f->intake);
	assert_int_equal(fakes[0].configured, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(packets_are_numbered_decoded_and_their_devices_named),
	    CASE(length_that_the_header_does_not_tell_is_that_of_the_payload),
	    CASE(header_of_a_packet_includes_the_gap_before_it),
	    CASE(packet_without_memory_is_a_loss_that_the_next_one_tells),
	    CASE(order_is_of_the_datagram_and_rises_over_all_sources),
	    CASE(stop_reads_the_batch_that_unbinding_flushes),
	    CASE(packets_kept_while_binding_are_read_without_an_event),
	    CASE(busy_source_does_not_starve_a_quiet_one),
	    CASE(socket_that_fails_ends_its_source_only),
	    CASE(another_listener_of_a_failed_source_counts_on),
	    CASE(space_added_while_it_runs_is_read),
	    CASE(groups_of_a_namespace_share_its_links),
	    CASE(removed_space_is_read_to_its_last_packet_and_let_go),
	    CASE(removed_feed_is_read_to_its_last_packet_and_others_of_its_space_go_on),
	    CASE(settings_reach_the_listener_before_the_kernel_has_them),
	    CASE(errands_that_were_never_run_are_freed),
	    CASE(datagrams_of_strangers_are_counted),
	    CASE(full_socket_is_read_before_it_is_unbound_so_that_the_last_batch_has_room),
	    CASE(all_that_a_removed_space_holds_is_read_however_much_it_is),
	    CASE(what_a_removed_space_could_not_give_is_told_as_lost),
	    CASE(forger_does_not_keep_a_removed_space_and_is_no_loss),
	    CASE(what_was_dropped_before_it_was_read_is_told),
	    CASE(tail_that_a_damaged_datagram_settles_is_counted_once),
	    CASE(space_removed_before_the_start_is_let_go_by_it),
	    CASE(what_was_added_and_never_started_is_freed),
	    CASE(news_of_links_are_taken_in_without_packets),
	    CASE(flood_gets_larger_batches_and_silence_ends_them),
	    CASE(other_profiles_stay_as_they_are),
	    CASE(renamed_device_has_its_new_name_in_the_next_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
