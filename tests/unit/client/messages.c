/* SPDX-License-Identifier: MIT */
/* Answers of a server, packed by protobuf-c: independent of lib/wire, which reads them. */
#include "messages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static char red[] = "red", blue[] = "blue", waits[] = "waits for the namespace", empty[] = "";
static char *const names[] = {red, blue};
static const uint32_t groups[] = {100, 7};

static void begin(struct response *r, Nflog__V1__SubscribeResponse__EventCase event)
{
	*r = (struct response){0};
	nflog__v1__subscribe_response__init(&r->message);
	google__protobuf__timestamp__init(&r->time);
	google__protobuf__duration__init(&r->duration);
	r->time.seconds = 1800000000;
	r->time.nanos = 5;
	r->message.event_case = event;
}

static void make_source(struct response *r, size_t at, uint32_t id, char *netns, uint32_t group)
{
	Nflog__V1__Source *source = &r->sources[at];

	nflog__v1__source__init(source);
	source->source_id = id;
	source->netns = netns;
	source->group = group;
	source->state = at == 0 ? NFLOG__V1__SOURCE_STATE__SOURCE_STATE_LISTENING
				: NFLOG__V1__SOURCE_STATE__SOURCE_STATE_WAITING;
	source->detail = at == 0 ? empty : waits;
	source->state_time = &r->time;
	r->source_list[at] = source;
}

const ProtobufCMessage *response_started(struct response *r, size_t sources)
{
	static char id[] = "s1", epoch[] = "e1";

	assert(sources <= 2);
	begin(r, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_STARTED);
	nflog__v1__started__init(&r->started);
	r->started.subscription_id = id;
	r->started.server_epoch = epoch;
	r->started.view = NFLOG__V1__PACKET_VIEW__PACKET_VIEW_BASIC;
	r->started.payload_limit = 128;
	r->duration.seconds = 10;
	r->duration.nanos = 500000000;
	r->started.heartbeat_interval = &r->duration;
	for (size_t i = 0; i < sources; i++)
		make_source(r, i, (uint32_t)i + 1, names[i], groups[i]);
	r->started.sources = r->source_list;
	r->started.n_sources = sources;
	r->message.started = &r->started;
	return &r->message.base;
}

const ProtobufCMessage *response_batch(struct response *r, uint32_t source_id, uint64_t first,
				       size_t count)
{
	static uint8_t payload[64] = {0x45, 0x00};
	static char prefix[] = "drop: ";

	begin(r, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	nflog__v1__packet_batch__init(&r->batch);
	r->packets = calloc(count, sizeof(*r->packets));
	r->packet_list = calloc(count, sizeof(*r->packet_list));
	assert(r->packets && r->packet_list);
	for (size_t i = 0; i < count; i++) {
		Nflog__V1__Packet *packet = &r->packets[i];

		nflog__v1__packet__init(packet);
		packet->sequence = first + i;
		packet->source_id = source_id;
		packet->receive_time = &r->time;
		packet->family = NFLOG__V1__FAMILY__FAMILY_IPV4;
		packet->hook = NFLOG__V1__HOOK__HOOK_INPUT;
		packet->hook_number = 1;
		packet->hw_protocol = 0x0800;
		packet->prefix = prefix;
		packet->mark = 0x100;
		packet->payload = (ProtobufCBinaryData){.data = payload, .len = sizeof(payload)};
		packet->uid_presence_case = NFLOG__V1__PACKET__UID_PRESENCE_UID;
		r->packet_list[i] = packet;
	}
	r->batch.packets = r->packet_list;
	r->batch.n_packets = count;
	r->message.batch = &r->batch;
	return &r->message.base;
}

const ProtobufCMessage *response_loss(struct response *r, uint32_t source_id, uint64_t count)
{
	begin(r, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS);
	nflog__v1__loss_report__init(&r->loss);
	r->loss.stage = NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET;
	r->loss.source_id = source_id;
	r->loss.count = count;
	r->loss.cumulative_count = count + 18;
	r->loss.first_time = &r->time;
	r->loss.last_time = &r->time;
	r->message.loss = &r->loss;
	return &r->message.base;
}

const ProtobufCMessage *response_heartbeat(struct response *r)
{
	begin(r, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT);
	nflog__v1__heartbeat__init(&r->heartbeat);
	r->heartbeat.time = &r->time;
	r->heartbeat.packets_sent = 7;
	r->message.heartbeat = &r->heartbeat;
	return &r->message.base;
}

const ProtobufCMessage *response_source(struct response *r, uint32_t id, char *netns,
					uint32_t group)
{
	begin(r, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT);
	nflog__v1__source_event__init(&r->source_event);
	make_source(r, 0, id, netns, group);
	r->source_event.source = &r->sources[0];
	r->source_event.time = &r->time;
	r->message.source_event = &r->source_event;
	return &r->message.base;
}

const ProtobufCMessage *response_caught_up(struct response *r)
{
	begin(r, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_CAUGHT_UP);
	nflog__v1__caught_up__init(&r->caught_up);
	r->caught_up.packets_replayed = 3;
	r->message.caught_up = &r->caught_up;
	return &r->message.base;
}

const ProtobufCMessage *response_token(struct response *r, char *token)
{
	r->message.resume_token.data = (uint8_t *)token;
	r->message.resume_token.len = strlen(token);
	return &r->message.base;
}

void response_done(struct response *r)
{
	free(r->packets);
	free(r->packet_list);
}
