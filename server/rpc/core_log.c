/* SPDX-License-Identifier: MIT */
/* gRPC's errors; what is less comes only with its own environment variables, and is not ours. */
#include "core_log.h"

#include <inttypes.h>
#include <pthread.h>

#include <grpc/support/log.h>

#include "clock.h"
#include "log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct core_log_budget lines; /* [lock] */

bool core_log_allows(struct core_log_budget *budget, int64_t now_ns, uint64_t *ret_dropped)
{
	int64_t seconds = (now_ns - budget->time_ns) / NS_PER_S;

	if (seconds > 0) {
		budget->used -= seconds < budget->used ? (uint32_t)seconds : budget->used;
		budget->time_ns += seconds * NS_PER_S;
	}
	if (budget->used == CORE_LOG_BURST) {
		budget->dropped++;
		return false;
	}
	budget->used++;
	*ret_dropped = budget->dropped;
	budget->dropped = 0;
	return true;
}

static void log_core(gpr_log_func_args *args)
{
	char text[512];
	uint64_t dropped;
	bool allowed;

	if (args->severity != GPR_LOG_SEVERITY_ERROR)
		return;
	(void)pthread_mutex_lock(&lock);
	allowed = core_log_allows(&lines, monotonic_ns(), &dropped);
	(void)pthread_mutex_unlock(&lock);
	if (allowed)
		log_warn("rpc.grpc", "text=%s not_written_before=%" PRIu64,
			 log_quote(text, sizeof(text), args->message), dropped);
}

void core_log_start(void)
{
	gpr_set_log_function(log_core);
}
