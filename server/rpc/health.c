/* SPDX-License-Identifier: MIT */
/*
 * The health service: SERVING from the first call on, NOT_SERVING when the daemon is about to end.
 *
 * It needs no credentials, as those who ask (load balancers, kubelets) have none; and it tells nothing
 * but that the daemon lives. That a source cannot be read is no illness of the server: see ListSources.
 */
#include "health.h"

#include <stdlib.h>
#include <string.h>

#include <grpc/health/v1/health.pb-c.h>

#include "bytes.h"
#include "server.h"

typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving;

#define IS_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
#define IS_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define IS_ENDING  GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define IS_UNTOLD  GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__UNKNOWN

static bool is_known(const char *service)
{
	static const char *const services[] = {"", "nflog.v1.NflogService"};

	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (strcmp(service, services[i]) == 0)
			return true;
	return false;
}

static serving state_of_now(const struct call *call)
{
	return call->cq->stopping || atomic_load(&call->cq->rpc->draining) ? IS_ENDING : IS_SERVING;
}

void health_check(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
	Grpc__Health__V1__HealthCheckResponse response =
	    GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	struct status status;

	(void)arena;
	if (!is_known(request->service)) {
		status_set(&status, GRPC_STATUS_NOT_FOUND, "service: not served here");
		call_finish(call, &status);
		return;
	}
	response.status = state_of_now(call);
	call_reply(call, &response.base);
}

/* --- Watch --------------------------------------------------------------------------------- */

struct watch {
	bool is_known;
	bool is_stopping; /* tell the last state, then end */
	serving told;
};

/* Tells the state where it is another one; returns false when all is told. */
static bool tell(struct call *call)
{
	Grpc__Health__V1__HealthCheckResponse response =
	    GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	struct watch *watch = call->state;

	response.status = watch->is_known ? state_of_now(call) : IS_UNKNOWN;
	if (response.status == watch->told)
		return false;
	watch->told = response.status;
	(void)call_send(call, &response.base);
	return true;
}

static void look(struct call *call)
{
	const struct watch *watch = call->state;
	struct status status;

	if (tell(call) || !watch->is_stopping)
		return;
	status_set(&status, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
	call_finish(call, &status);
}

static void stop(struct call *call)
{
	struct watch *watch = call->state;

	watch->is_stopping = true;
	if (!call->sending)
		look(call);
}

static void release(struct call *call)
{
	free(call->state);
}

static const struct stream stream = {.look = look, .sent = look, .stop = stop, .free = release};

void health_watch(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
	struct watch *watch = calloc(1, sizeof(*watch));
	struct status status;

	(void)arena;
	if (!watch) {
		status_set_memory(&status);
		call_finish(call, &status);
		return;
	}
	watch->is_known = is_known(request->service);
	watch->told = IS_UNTOLD;
	call_start_stream(call, &stream, watch);
	look(call);
}
