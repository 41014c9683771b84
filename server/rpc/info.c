/* SPDX-License-Identifier: MIT */
/* GetServerInfo: what the server is, and who it thinks the caller is. */
#include <limits.h>
#include <unistd.h>

#include "arena.h"
#include "bytes.h"
#include "messages.h"
#include "request.h"
#include "server.h"
#include "times.h"
#include "unary.h"

void get_server_info(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	Nflog__V1__GetServerInfoResponse response = NFLOG__V1__GET_SERVER_INFO_RESPONSE__INIT;
	Nflog__V1__Limits limits = NFLOG__V1__LIMITS__INIT;
	char *features[] = {(char[]){"history"}, (char[]){"resume"}, (char[]){"live-netns"}};
	const struct rpc *rpc = call->cq->rpc;
	Google__Protobuf__Timestamp start_time;
	Google__Protobuf__Timestamp config_load_time;
	char host_name[HOST_NAME_MAX + 1] = "";
	char peer[CALL_PEER_MAX];

	(void)message;
	(void)gethostname(host_name, sizeof(host_name) - 1); /* fails with an empty name only */
	times_timestamp(rpc->start_time_ns, &start_time);
	times_timestamp(rpc->config_load_time_ns, &config_load_time);
	call_peer(call, peer);
	response.features = features;
	response.n_features = ARRAY_SIZE(features);
	limits.max_subscriptions = rpc->max_subscriptions;
	limits.max_batch_packets = REQUEST_BATCH_PACKETS_MAX;
	limits.max_batch_bytes = REQUEST_BATCH_BYTES_MAX;
	limits.max_payload_bytes = rpc->max_payload_bytes;
	response.version = rpc->version;
	response.server_epoch = (char *)(uintptr_t)rpc->epoch; /* not written to */
	response.host_name = messages_text(arena, host_name);
	response.tenant = messages_text(arena, rpc->tenant);
	response.principal = peer;
	response.start_time = &start_time;
	response.config_load_time = &config_load_time;
	response.limits = &limits;
	call_reply_built(call, response.host_name && response.tenant, &response.base);
}
