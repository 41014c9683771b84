/* SPDX-License-Identifier: MIT */
/* GetServerInfo: what the server is, and who it thinks the caller is. */
#include <limits.h>
#include <unistd.h>

#include "arena.h"
#include "bytes.h"
#include "identify.h"
#include "messages.h"
#include "policy.h"
#include "request.h"
#include "server.h"
#include "times.h"
#include "unary.h"

void get_server_info(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	Nflog__V1__GetServerInfoResponse response = NFLOG__V1__GET_SERVER_INFO_RESPONSE__INIT;
	Nflog__V1__Limits limits = NFLOG__V1__LIMITS__INIT;
	char *features[] = {(char[]){"history"}, (char[]){"resume"}, (char[]){"live-netns"}};
	struct rpc *rpc = call->cq->rpc;
	const struct tenant *tenant = call->access.tenant;
	Google__Protobuf__Timestamp start_time;
	Google__Protobuf__Timestamp config_load_time;
	char host_name[HOST_NAME_MAX + 1] = "";

	(void)message;
	(void)gethostname(host_name, sizeof(host_name) - 1); /* fails with an empty name only */
	times_timestamp(rpc->start_time_ns, &start_time);
	times_timestamp(atomic_load(&rpc->config_load_time_ns), &config_load_time);
	response.features = features;
	response.n_features = ARRAY_SIZE(features);
	limits.max_subscriptions = tenant->limits.subscriptions;
	limits.max_batch_packets = REQUEST_BATCH_PACKETS_MAX;
	limits.max_batch_bytes = REQUEST_BATCH_BYTES_MAX;
	limits.max_payload_bytes = tenant->limits.payload_bytes;
	limits.max_filters = tenant->limits.filters;
	response.version = rpc->version;
	response.server_epoch = (char *)(uintptr_t)rpc->epoch; /* not written to */
	response.host_name = messages_text(arena, host_name);
	response.tenant = messages_text(arena, tenant->name);
	response.principal = messages_text(arena, identity_text(call->access.identity));
	response.start_time = &start_time;
	response.config_load_time = &config_load_time;
	response.limits = &limits;
	call_reply_built(call, response.host_name && response.tenant && response.principal,
			 &response.base);
}
