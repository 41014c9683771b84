/* SPDX-License-Identifier: MIT */
/*
 * rpc/core_log.h - what gRPC itself has to say, as lines of our log
 *
 * It writes an error for each handshake that fails, so anybody who reaches a TLS port decides how many
 * there are: beyond a few, one a second is written and the others are counted. Threads: any.
 */
#ifndef RPC_CORE_LOG_H
#define RPC_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define CORE_LOG_BURST 10

/* From now on gRPC's errors go to the log. */
void core_log_start(void);

/* For one process, or a test: how many lines may still be written. */
struct core_log_budget {
	uint32_t used;
	uint64_t dropped; /* since the last line */
	int64_t time_ns;  /* of the last second that was given back */
};

/* May a line be written now? @ret_dropped: how many were not since the last one. */
bool core_log_allows(struct core_log_budget *budget, int64_t now_ns, uint64_t *ret_dropped);

#endif
