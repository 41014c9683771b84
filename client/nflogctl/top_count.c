/* SPDX-License-Identifier: MIT */
/* Events into keys and counters, and keys back into words. */
#include "top_count.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/render.h>

#include "bytes.h"

/* Of a source: the group, and the name behind it. */
struct source_key {
	uint16_t group;
	char netns[HEAVY_KEY_MAX - 2];
};

/* Of a flow: all bytes count, so that what does not apply is zero. */
struct flow_key {
	uint32_t has; /* NFL_HAS_* of decoded */
	uint16_t hw_protocol;
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t protocol;
	uint8_t address_len;
	uint8_t source[16];
	uint8_t destination[16];
	char netns[HEAVY_KEY_MAX - 44];
};

static_assert(sizeof(struct source_key) <= HEAVY_KEY_MAX, "a key is cut");
static_assert(sizeof(struct flow_key) <= HEAVY_KEY_MAX, "a key is cut");

int top_count_init(struct top_count *count)
{
	int r = 0;

	*count = (struct top_count){.lock = PTHREAD_MUTEX_INITIALIZER, .message = "connecting"};
	for (int i = 0; i < TOP_VIEW_COUNT && r == 0; i++)
		r = heavy_new(TOP_ROWS_MAX, &count->views[i]);
	if (r < 0)
		top_count_done(count);
	return r;
}

void top_count_done(struct top_count *count)
{
	for (int i = 0; i < TOP_VIEW_COUNT; i++) {
		heavy_free(count->views[i]);
		count->views[i] = NULL;
	}
	totals_done(&count->totals);
	(void)pthread_mutex_destroy(&count->lock);
}

/* --- keys -------------------------------------------------------------------------------- */

/* Copies a name that may be too long; returns its bytes. */
static size_t put_name(char *to, size_t cap, const char *name)
{
	size_t len = strnlen(name, cap);

	memcpy(to, name, len);
	return len;
}

static void add_source(struct top_count *count, const char *netns, uint16_t group,
		       const struct heavy_counts *counts)
{
	struct source_key key = {.group = group};
	size_t len =
	    offsetof(struct source_key, netns) + put_name(key.netns, sizeof(key.netns), netns);

	heavy_add(count->views[TOP_SOURCES], &key, len, counts);
}

static void add_flow(struct top_count *count, const char *netns, const struct nfl_packet *packet,
		     const struct heavy_counts *counts)
{
	const struct nfl_decoded *decoded = &packet->decoded;
	struct flow_key key = {0};
	size_t len;

	key.has =
	    decoded->present & (NFL_HAS_PROTOCOL | NFL_HAS_PORTS | NFL_HAS_ADDRESSES | NFL_HAS_ARP);
	key.hw_protocol = packet->record.hw_protocol;
	if (key.has & NFL_HAS_PROTOCOL)
		key.protocol = decoded->protocol;
	if (key.has & NFL_HAS_PORTS) {
		key.source_port = decoded->source_port;
		key.destination_port = decoded->destination_port;
	}
	if (key.has & NFL_HAS_ADDRESSES && decoded->address_len <= sizeof(key.source)) {
		key.address_len = decoded->address_len;
		memcpy(key.source, decoded->source, key.address_len);
		memcpy(key.destination, decoded->destination, key.address_len);
	}
	len = offsetof(struct flow_key, netns) + put_name(key.netns, sizeof(key.netns), netns);
	heavy_add(count->views[TOP_FLOWS], &key, len, counts);
}

static void add_packet(struct top_count *count, const struct nfl_client_event *event)
{
	const struct nfl_packet *packet = event->packet;
	const struct nfl_bytes *prefix = &packet->record.prefix;
	struct heavy_counts counts = {.packets = 1, .bytes = packet->original_length};
	bool has_prefix = packet->record.present & NFL_HAS_PREFIX && prefix->len > 0;

	count->bytes += packet->original_length;
	add_source(count, event->render_source.netns, event->render_source.group, &counts);
	heavy_add(count->views[TOP_PREFIXES], has_prefix ? (const void *)prefix->data : "",
		  has_prefix ? prefix->len : 0, &counts);
	add_flow(count, event->render_source.netns, packet, &counts);
}

/* --- events ------------------------------------------------------------------------------ */

static void tell_started(struct top_count *count, const struct nfl_client_started *started)
{
	size_t listening = 0;

	for (size_t i = 0; i < started->source_count; i++)
		listening += started->sources[i].state == NFL_CLIENT_SOURCE_LISTENING;
	(void)snprintf(count->message, sizeof(count->message),
		       "connected, %zu of %zu sources listening", listening, started->source_count);
}

static void tell_reconnecting(struct top_count *count,
			      const struct nfl_client_reconnecting *reconnecting)
{
	const char *why = *reconnecting->why.message ? reconnecting->why.message
						     : nfl_client_code_name(reconnecting->why.code);
	char reason[TOP_MESSAGE_MAX - 32];

	(void)nfl_escape_line(reason, sizeof(reason), why, strlen(why));
	(void)snprintf(count->message, sizeof(count->message), "connection lost, trying again (%s)",
		       reason);
}

void top_count_event(struct top_count *count, const struct nfl_client_event *event)
{
	struct heavy_counts counts = {0};

	(void)pthread_mutex_lock(&count->lock);
	totals_take(&count->totals, event);
	if (event->type == NFL_CLIENT_PACKET) {
		add_packet(count, event);
	} else if (event->type == NFL_CLIENT_LOSS && event->source) {
		counts.lost = event->loss->count;
		add_source(count, event->source->netns, event->source->group, &counts);
	} else if (event->type == NFL_CLIENT_STARTED) {
		tell_started(count, event->started);
		for (size_t i = 0; i < event->started->source_count; i++)
			add_source(count, event->started->sources[i].netns,
				   event->started->sources[i].group, &counts);
	} else if (event->type == NFL_CLIENT_RECONNECTING) {
		tell_reconnecting(count, event->reconnecting);
	}
	(void)pthread_mutex_unlock(&count->lock);
}

void top_count_snapshot(struct top_count *count, double seconds, struct top_snapshot *ret)
{
	(void)pthread_mutex_lock(&count->lock);
	for (int i = 0; i < TOP_VIEW_COUNT; i++) {
		heavy_tick(count->views[i], seconds);
		ret->counts[i] = heavy_copy(count->views[i], ret->rows[i]);
	}
	ret->packets = count->totals.packets;
	ret->bytes = count->bytes;
	ret->lost = count->totals.lost;
	ret->lost_is_bound = totals_are_bounds(&count->totals);
	if (seconds > 0) {
		ret->packet_rate =
		    (double)(count->totals.packets - count->packets_before) / seconds;
		ret->byte_rate = (double)(count->bytes - count->bytes_before) / seconds;
		count->packets_before = count->totals.packets;
		count->bytes_before = count->bytes;
	}
	memcpy(ret->message, count->message, sizeof(ret->message));
	(void)pthread_mutex_unlock(&count->lock);
}

void top_count_clear(struct top_count *count)
{
	(void)pthread_mutex_lock(&count->lock);
	for (int i = 0; i < TOP_VIEW_COUNT; i++)
		heavy_clear(count->views[i]);
	count->totals.packets = 0;
	count->totals.lost = 0;
	count->bytes = 0;
	count->packets_before = 0;
	count->bytes_before = 0;
	(void)pthread_mutex_unlock(&count->lock);
}

/* --- names ------------------------------------------------------------------------------- */

/* The name at the end of a key: escaped, NUL-terminated. */
static void key_name(const struct heavy_entry *row, size_t offset, char *buf, size_t cap)
{
	(void)nfl_escape_line(buf, cap, row->key + offset, row->key_len - offset);
}

static void source_name(const struct heavy_entry *row, char *buf, size_t cap)
{
	struct source_key key = {0};
	char netns[4 * HEAVY_KEY_MAX + 1];

	memcpy(&key, row->key, row->key_len);
	key_name(row, offsetof(struct source_key, netns), netns, sizeof(netns));
	(void)snprintf(buf, cap, "%s/%u", netns, key.group);
}

static void endpoint(const struct flow_key *key, const uint8_t *address, uint16_t port, char *buf,
		     size_t cap)
{
	bool v6 = key->address_len == 16, has_port = key->has & NFL_HAS_PORTS;
	char text[64];

	(void)nfl_render_address(text, sizeof(text), address, key->address_len);
	if (has_port)
		(void)snprintf(buf, cap, "%s%s%s:%u", v6 ? "[" : "", text, v6 ? "]" : "", port);
	else
		(void)snprintf(buf, cap, "%s", text);
}

static void flow_protocol(const struct flow_key *key, char *buf, size_t cap)
{
	const char *name = key->has & NFL_HAS_PROTOCOL ? nfl_protocol_name(key->protocol) : NULL;

	if (key->has & NFL_HAS_ARP)
		name = "ARP";
	if (name)
		(void)snprintf(buf, cap, "%s", name);
	else if (key->has & NFL_HAS_PROTOCOL)
		(void)snprintf(buf, cap, "protocol %u", key->protocol);
	else
		(void)snprintf(buf, cap, "ethertype 0x%04x", key->hw_protocol);
}

static void flow_name(const struct heavy_entry *row, char *buf, size_t cap)
{
	char netns[4 * HEAVY_KEY_MAX + 1], from[96], to[96], protocol[32];
	struct flow_key key = {0};

	memcpy(&key, row->key, row->key_len);
	key_name(row, offsetof(struct flow_key, netns), netns, sizeof(netns));
	flow_protocol(&key, protocol, sizeof(protocol));
	if (!(key.has & NFL_HAS_ADDRESSES)) {
		(void)snprintf(buf, cap, "%s %s", netns, protocol);
		return;
	}
	endpoint(&key, key.source, key.source_port, from, sizeof(from));
	endpoint(&key, key.destination, key.destination_port, to, sizeof(to));
	(void)snprintf(buf, cap, "%s %s > %s %s", netns, from, to, protocol);
}

void top_row_name(enum top_view view, const struct heavy_entry *row, char *buf, size_t cap)
{
	switch (view) {
	case TOP_SOURCES:
		source_name(row, buf, cap);
		break;
	case TOP_PREFIXES:
		if (row->key_len > 0)
			key_name(row, 0, buf, cap);
		else
			(void)snprintf(buf, cap, "(no prefix)");
		break;
	case TOP_FLOWS:
		flow_name(row, buf, cap);
		break;
	}
}
