/* SPDX-License-Identifier: MIT */
/*
 * The hot path: a record of the kernel becomes a stored record in the source's log.
 *
 * Called by the intake thread for each readable listener. Decoded in place, interfaces named,
 * numbered, encoded straight into the log's memory; published once for each datagram. Nothing is
 * allocated for a packet. Losses are added to the counters before the packet after the gap is
 * stored, so that the header of that packet tells of its own gap.
 */
#include "feed.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/decode.h>

#include "clock.h"
#include "history.h"
#include "intake.h"
#include "links.h"
#include "log.h"
#include "source.h"
#include "space.h"
#include "wire.h"

#define LEAVE_DATAGRAMS  32u
#define QUEUED_MIN_BYTES 128u /* of the receive buffer, for the smallest datagram */

static void learn_settings(struct feed *feed)
{
	struct nfl_listener_settings settings;

	nfl_listener_settings(feed->listener, &settings);
	feed->rcvbuf = settings.rcvbuf;
	feed->is_adaptive = settings.profile == NFL_PROFILE_ADAPTIVE;
	feed->adapt = (struct adapt){0};
}

struct feed *feed_new(struct source *source, struct nfl_listener *listener, struct space *space)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (!feed)
		return NULL;
	feed->watch.kind = WATCH_FEED;
	feed->source = source_ref(source);
	feed->listener = listener;
	feed->space = space;
	learn_settings(feed);
	tail_init(&feed->tail);
	/* Where another listener of the source has died, the numbers go on. */
	feed->packets = atomic_load(&source->packets);
	feed->lost_kernel = atomic_load(&source->lost_kernel);
	feed->lost_decode = atomic_load(&source->lost_decode);
	feed->last_packet_ns = atomic_load(&source->last_packet_ns);
	feed->bytes_before = atomic_load(&source->bytes);
	feed->overruns_before = atomic_load(&source->overruns);
	feed->foreign_before = atomic_load(&source->foreign);
	return feed;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	nfl_listener_close(feed->listener);
	(void)source_unref(feed->source);
	free(feed->memo);
	free(feed);
}

static int configure(const struct feed *feed, const struct feed_room *room, enum batching batching)
{
	return room->events->configure(nfl_listener_fd(feed->listener), feed->source->netns,
				       feed->source->group, batching, room->events->data);
}

int feed_configure(struct feed *feed, const struct feed_room *room)
{
	learn_settings(feed);
	return configure(feed, room, BATCHING_SINGLE);
}

bool feed_judge(struct feed *feed, const struct feed_room *room, int64_t now_ns)
{
	if (!feed->is_adaptive || !feed->listener)
		return false;
	return adapt_judge(&feed->adapt, feed->packets + feed->lost_kernel + feed->lost_decode,
			   room->pressed, now_ns) != feed->adapt.batching;
}

int feed_shift(struct feed *feed, const struct feed_room *room)
{
	int r = configure(feed, room, feed->adapt.right);
	char text[128];

	if (r < 0) {
		log_warn("listener.not_adapted", "netns=%s group=%u error=%s", feed->source->netns,
			 feed->source->group, log_quote(text, sizeof(text), strerrordesc_np(-r)));
		return r;
	}
	feed->adapt.batching = feed->adapt.right;
	log_debug("listener.adapted", "netns=%s group=%u batching=%s", feed->source->netns,
		  feed->source->group, batching_name(feed->adapt.batching));
	return 0;
}

void feed_rename(struct feed *feed)
{
	if (feed->memo)
		wire_memo_forget(feed->memo);
}

/* The four names a packet can have; links_find() lends its answer only until it is asked again. */
struct device_names {
	char in[IFNAMSIZ];
	char out[IFNAMSIZ];
	char physical_in[IFNAMSIZ];
	char physical_out[IFNAMSIZ];
};

static struct nfl_bytes copy_name(const struct feed *feed, bool present, uint32_t index,
				  char name[IFNAMSIZ])
{
	struct nfl_bytes found = {0};

	if (!present || !feed->space->links)
		return found;
	found = links_find(feed->space->links, index);
	if (found.len == 0 || found.len > IFNAMSIZ)
		return (struct nfl_bytes){0};
	memcpy(name, found.data, found.len);
	return (struct nfl_bytes){.data = (const uint8_t *)name, .len = found.len};
}

static void name_devices(const struct feed *feed, struct nfl_packet *packet,
			 struct device_names *names)
{
	const struct nfl_record *record = &packet->record;

	packet->indev_name =
	    copy_name(feed, record->present & NFL_HAS_INDEV, record->indev, names->in);
	packet->outdev_name =
	    copy_name(feed, record->present & NFL_HAS_OUTDEV, record->outdev, names->out);
	packet->physindev_name = copy_name(feed, record->present & NFL_HAS_PHYSINDEV,
					   record->physindev, names->physical_in);
	packet->physoutdev_name = copy_name(feed, record->present & NFL_HAS_PHYSOUTDEV,
					    record->physoutdev, names->physical_out);
}

/* What the record does not say, or not yet in words. */
static void describe(const struct feed *feed, struct nfl_packet *packet, struct device_names *names)
{
	const struct nfl_record *record = &packet->record;

	packet->sequence = feed->packets + 1;
	packet->source_id = feed->source->id;
	packet->prefix_raw = (struct nfl_bytes){0};
	nfl_decode_payload(record, &packet->decoded);
	packet->original_length = wire_original_length(packet);
	packet->conntrack.present = 0;
	if (record->present & NFL_HAS_CT)
		nfl_decode_conntrack(record, &packet->conntrack);
	if (!feed->memo || !wire_memo_has(feed->memo, record->head))
		name_devices(feed, packet, names);
	else
		packet->indev_name = packet->outdev_name = packet->physindev_name =
		    packet->physoutdev_name = (struct nfl_bytes){0};
}

/* A gap is the kernel's loss, or that of a damaged datagram before it; what was told of it already,
 * as the kernel's, stays that. */
static void count_losses(struct feed *feed, const struct nfl_record *record)
{
	uint64_t gap = (uint64_t)record->lost_kernel + record->lost_decode;
	uint64_t told = tail_packet(&feed->tail, gap);

	if (told < record->lost_kernel)
		told = record->lost_kernel;
	feed->lost_kernel += told;
	feed->lost_decode += gap - told;
}

static int store(const struct nfl_record *record, void *data)
{
	struct feed *feed = data;
	struct device_names names;
	struct nfl_packet *packet = nfl_record_packet(record);
	struct wire_stored *stored;

	count_losses(feed, record);
	if (record->head && !feed->memo)
		feed->memo = calloc(1, sizeof(*feed->memo)); /* NULL: without */
	describe(feed, packet, &names);
	stored = history_reserve(feed->source->log, wire_store_bound(packet));
	if (!stored) {
		feed->lost_decode++; /* told by the next packet that finds memory */
		return 0;
	}
	(void)wire_store(stored, packet, feed->memo);
	stored->order = feed->order;
	stored->lost_kernel = (uint32_t)feed->lost_kernel;
	stored->lost_decode = (uint32_t)feed->lost_decode;
	history_append(feed->source->log, stored->total);
	feed->packets++;
	if (record->receive_time_ns < feed->last_packet_ns)
		atomic_store_explicit(&feed->source->is_set_back, true, memory_order_relaxed);
	feed->last_packet_ns = record->receive_time_ns;
	return 0;
}

/* Each counter has one writer, so a plain store does. */
static void set_counter(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

/* What was told is never taken back: a gap that settles a tail is never smaller than its bound. */
static void set_lost_kernel(const struct feed *feed)
{
	struct source *source = feed->source;
	uint64_t told = atomic_load_explicit(&source->lost_kernel, memory_order_relaxed);
	uint64_t lost = feed->lost_kernel + feed->tail.pending;

	if (lost < told)
		lost = told;
	set_counter(&source->lost_tail, lost - feed->lost_kernel);
	set_counter(&source->lost_kernel, lost);
}

/* Before publishing: who has seen a packet finds it counted. */
static void update_counters(const struct feed *feed)
{
	struct source *source = feed->source;

	set_counter(&source->packets, feed->packets);
	set_lost_kernel(feed);
	set_counter(&source->lost_decode, feed->lost_decode);
	atomic_store_explicit(&source->last_packet_ns, feed->last_packet_ns, memory_order_relaxed);
}

/* Somebody with rights in the namespace sends to the listener. The first time is worth a line. */
static void note_foreign(struct feed *feed, uint64_t foreign)
{
	uint64_t before = atomic_load_explicit(&feed->source->foreign, memory_order_relaxed);
	uint64_t now = feed->foreign_before + foreign;

	if (now == before)
		return;
	if (before == 0)
		log_warn("listener.foreign",
			 "netns=%s group=%u error=\"a process in the namespace sends to this "
			 "listener\" effect=\"dropped and counted\"",
			 feed->source->netns, feed->source->group);
	set_counter(&feed->source->foreign, now);
}

/* What only the listener knows; asking costs a system call, so not for each datagram. */
static void update_socket_counters(struct feed *feed, struct feed_room *room)
{
	struct nfl_listener_stats stats;
	uint64_t pending = feed->tail.pending;
	uint64_t records;
	uint64_t datagrams;

	nfl_listener_stats(feed->listener, &stats);
	records = stats.records - feed->read.records;
	datagrams = stats.datagrams - feed->read.datagrams;
	rest_note(&room->round, records, datagrams, stats.bytes - feed->read.bytes, feed->rcvbuf);
	room->load += feed->is_adaptive ? adapt_load(&feed->adapt, records, datagrams) : datagrams;
	feed->read = stats;
	note_foreign(feed, stats.foreign);
	set_counter(&feed->source->bytes, feed->bytes_before + stats.bytes);
	set_counter(&feed->source->overruns, feed->overruns_before + stats.overruns);
	if (stats.queued_bytes > 0)
		return; /* packets that come now may have been queued before a drop or after */
	tail_empty(&feed->tail, (uint32_t)stats.dropped_datagrams);
	if (feed->tail.pending == pending)
		return;
	set_lost_kernel(feed);
	room->published = true; /* subscribers are to hear of it, though no packet comes */
}

/* Returns the number of packets, or -errno as nfl_listener_receive(). */
static int read_datagram(struct feed *feed, struct feed_room *room)
{
	uint64_t packets = feed->packets;
	int r;

	feed->order = room->order + 1;
	r = nfl_listener_receive(feed->listener, room->buffer, NFL_RECEIVE_BUFFER, store, feed);
	if (r < 0)
		return r;
	update_counters(feed);
	if (feed->packets > packets) {
		room->order = feed->order;
		set_counter(&feed->source->last_order, feed->order);
		history_publish(feed->source->log);
		registry_set_order(room->registry, feed->order);
		room->published = true;
	}
	return r;
}

int feed_read(struct feed *feed, struct feed_room *room, unsigned datagrams_max)
{
	int r = 0;

	while (datagrams_max-- && r >= 0)
		r = read_datagram(feed, room);
	update_socket_counters(feed, room);
	room->shifting |= feed_judge(feed, room, room->now_ns);
	if (r == -EAGAIN || r == -ENOMEM) /* the kernel had none to give it: it stays queued */
		return 0;
	return r < 0 ? r : 1;
}

/* Nothing is queued after an unbind, so what is genuine comes within as many datagrams as the receive
 * buffer can hold; a forger in the namespace could go on for ever. */
static uint64_t most_queued(const struct nfl_listener *listener)
{
	struct nfl_listener_settings settings;

	nfl_listener_settings(listener, &settings);
	return ((uint64_t)settings.rcvbuf + NFL_RECEIVE_BUFFER) / QUEUED_MIN_BYTES;
}

/* Closing discards what is still queued: packets, of which at least one is lost. */
static void give_up(struct feed *feed, struct feed_room *room)
{
	struct nfl_listener_stats stats;

	nfl_listener_stats(feed->listener, &stats);
	tail_empty(&feed->tail, (uint32_t)stats.dropped_datagrams);
	if (stats.queued_bytes > 0 || nfl_listener_has_records(feed->listener))
		feed->tail.pending++;
	set_lost_kernel(feed);
	room->published = true;
}

static void unbind(struct feed *feed, const struct feed_room *room)
{
	int r = room->events->unbind(nfl_listener_fd(feed->listener), feed->source->group,
				     room->events->data);

	if (r == 0)
		nfl_listener_note_unbound(feed->listener);
	else /* closing ends it, and what the kernel was gathering is lost */
		log_warn("listener.not_unbound", "netns=%s group=%u error=\"%s\"",
			 feed->source->netns, feed->source->group, strerrordesc_np(-r));
}

void feed_leave(struct feed *feed, struct feed_room *room, int64_t deadline_ns)
{
	uint64_t most = most_queued(feed->listener);
	int r;

	/* A full socket does not take the last batch. */
	r = feed_read(feed, room, LEAVE_DATAGRAMS);
	if (r >= 0) {
		unbind(feed, room);
		r = 1;
	}
	for (uint64_t n = 0; n < most && r > 0 && monotonic_ns() < deadline_ns;
	     n += LEAVE_DATAGRAMS)
		r = feed_read(feed, room, LEAVE_DATAGRAMS);
	if (r < 0 || (r > 0 && monotonic_ns() >= deadline_ns))
		give_up(feed, room);
}

void feed_fail(struct feed *feed, struct feed_room *room, int error)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "reading the socket failed: %s", strerror(-error));
	give_up(feed, room);
	registry_set_state(room->registry, feed->source, SOURCE_FAILED, text);
	nfl_listener_close(feed->listener);
	feed->listener = NULL;
}
