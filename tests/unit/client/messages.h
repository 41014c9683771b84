/* SPDX-License-Identifier: MIT */
/* messages.h - answers of a server for the tests, made with protobuf-c */
#ifndef TEST_CLIENT_MESSAGES_H
#define TEST_CLIENT_MESSAGES_H

#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

#include "fake_server.h"

#define MESSAGE_SOURCES_MAX 4
#define MESSAGE_PACKETS_MAX 4096

/* One response with all its parts; zero-initialise, then call one of the functions. */
struct response {
	Nflog__V1__SubscribeResponse message;
	Nflog__V1__Started started;
	Nflog__V1__PacketBatch batch;
	Nflog__V1__LossReport loss;
	Nflog__V1__Heartbeat heartbeat;
	Nflog__V1__SourceEvent source_event;
	Nflog__V1__CaughtUp caught_up;
	Google__Protobuf__Timestamp time;
	Google__Protobuf__Duration duration;
	Nflog__V1__Source sources[MESSAGE_SOURCES_MAX];
	Nflog__V1__Source *source_list[MESSAGE_SOURCES_MAX];
	Nflog__V1__Packet *packets;      /* owned */
	Nflog__V1__Packet **packet_list; /* owned */
};

/* Sources red/100 (id 1), blue/7 (id 2), ... */
const ProtobufCMessage *response_started(struct response *r, size_t sources);
/* Packets of one source, with sequences from first. */
const ProtobufCMessage *response_batch(struct response *r, uint32_t source_id, uint64_t first,
				       size_t count);
const ProtobufCMessage *response_loss(struct response *r, uint32_t source_id, uint64_t count);
const ProtobufCMessage *response_heartbeat(struct response *r);
const ProtobufCMessage *response_source(struct response *r, uint32_t id, char *netns,
					uint32_t group);
const ProtobufCMessage *response_caught_up(struct response *r);

/* Gives a response its resume token: a text. */
const ProtobufCMessage *response_token(struct response *r, char *token);
void response_done(struct response *r);

#define SEND(m)                                                                                    \
	{                                                                                          \
		.kind = FAKE_SEND, .message = (m)                                                  \
	}
#define SEND_BYTES(b, n)                                                                           \
	{                                                                                          \
		.kind = FAKE_SEND, .bytes = (b), .len = (n)                                        \
	}
#define GATE                                                                                       \
	{                                                                                          \
		.kind = FAKE_GATE                                                                  \
	}
#define STALL                                                                                      \
	{                                                                                          \
		.kind = FAKE_STALL                                                                 \
	}
#define WRITE(b, n)                                                                                \
	{                                                                                          \
		.kind = FAKE_WRITE, .bytes = (b), .len = (n)                                       \
	}
#define DROP                                                                                       \
	{                                                                                          \
		.kind = FAKE_DROP                                                                  \
	}
#define BREAK_OFF(c, t)                                                                            \
	{                                                                                          \
		.kind = FAKE_BREAK_OFF, .code = (c), .text = (t)                                   \
	}
#define END(c, t)                                                                                  \
	{                                                                                          \
		.kind = FAKE_END, .code = (c), .text = (t)                                         \
	}

#endif
