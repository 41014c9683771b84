/* SPDX-License-Identifier: MIT */
/* A call that only wants to fail. */
#include "probe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <grpc/slice.h>
#include <grpc/support/time.h>

#define WAIT_MS 200 /* it ends at once when gRPC is between two tries */

struct probe {
	grpc_completion_queue *cq;
	grpc_call *call;
	grpc_metadata_array trailers;
	grpc_status_code code;
	grpc_slice details;
};

static bool start(struct probe *probe)
{
	grpc_op ops[] = {
	    {.op = GRPC_OP_SEND_INITIAL_METADATA},
	    {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
	     .data.recv_status_on_client = {.trailing_metadata = &probe->trailers,
					    .status = &probe->code,
					    .status_details = &probe->details}},
	};

	return grpc_call_start_batch(probe->call, ops, 2, probe, NULL) == GRPC_CALL_OK;
}

/* What gRPC says in a way that helps nobody. */
static const char *hint(const char *words, bool tls)
{
	if (strstr(words, "empty address list"))
		return tls ? "the files of TLS are broken, or key and certificate do not match"
			   : "no such address";
	if (strstr(words, "Socket closed") || strstr(words, "Connection reset"))
		return tls ? "the server ends the connection: it may want another certificate of "
			     "the client, or has no TLS"
			   : "the server ends the connection: it may want TLS";
	return NULL;
}

/* "failed to connect to all addresses; last error: UNKNOWN: ipv4:192.0.2.1:7443: Connection refused":
 * what stands behind the last error and its code is what happened. */
static void take_words(const struct probe *probe, bool tls, char *ret, size_t cap)
{
	static const char last[] = "last error: ";
	int len = (int)GRPC_SLICE_LENGTH(probe->details);
	char text[1024];
	const char *words = text;

	if (probe->code != GRPC_STATUS_UNAVAILABLE)
		return;
	(void)snprintf(text, sizeof(text), "%.*s", len,
		       (const char *)GRPC_SLICE_START_PTR(probe->details));
	if (strstr(words, last))
		words = strstr(words, last) + strlen(last);
	words += strspn(words, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	words += strspn(words, ": ");
	if (hint(text, tls))
		words = hint(text, tls);
	if (*words)
		(void)snprintf(ret, cap, "%s", words);
}

void probe_channel(grpc_channel *channel, bool tls, char *ret, size_t cap)
{
	gpr_timespec deadline =
	    gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(WAIT_MS, GPR_TIMESPAN));
	struct probe probe = {.cq = grpc_completion_queue_create_for_next(NULL),
			      .details = grpc_empty_slice()};

	grpc_metadata_array_init(&probe.trailers);
	probe.call =
	    grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS, probe.cq,
				     grpc_slice_from_static_string("/probe"), NULL, deadline, NULL);
	if (start(&probe)) {
		(void)grpc_completion_queue_next(probe.cq, gpr_inf_future(GPR_CLOCK_MONOTONIC),
						 NULL);
		take_words(&probe, tls, ret, cap);
	}
	grpc_call_unref(probe.call);
	grpc_metadata_array_destroy(&probe.trailers);
	grpc_slice_unref(probe.details);
	grpc_completion_queue_shutdown(probe.cq);
	(void)grpc_completion_queue_next(probe.cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_destroy(probe.cq);
}
