/* SPDX-License-Identifier: MIT */
/*
 * rpc/loss.h - packets of one source that were lost at one stage, until they are reported
 *
 * A loss is noted when it is found and reported at once, or, when the last report of the same
 * source and stage is less than a second old, together with what is noted until then.
 */
#ifndef RPC_LOSS_H
#define RPC_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include <nflog/v1/nflog.pb-c.h>

#define LOSS_REPORT_INTERVAL_NS INT64_C(1000000000)

/* Where; stands for nflog.v1.LossStage. */
enum loss_stage {
	LOSS_KERNEL_SOCKET,
	LOSS_DECODE,
	LOSS_HISTORY,
	LOSS_RATE_LIMIT,
};
#define LOSS_STAGES 4

struct loss {
	uint64_t pending; /* noted, not reported */
	uint64_t total;   /* noted since the stream started */
	int64_t first_ns; /* CLOCK_REALTIME of the first and the last that are pending */
	int64_t last_ns;
	int64_t report_ns; /* monotonic: no report before */
	bool lower_bound;  /* what is pending is a lower bound */
};

/* A report with its parts; do not copy it, it points into itself. */
struct loss_report {
	Nflog__V1__LossReport message;
	Google__Protobuf__Timestamp first;
	Google__Protobuf__Timestamp last;
};

void loss_add(struct loss *loss, uint64_t count, int64_t time_ns);
/* The same of at least so many. */
void loss_add_bound(struct loss *loss, uint64_t count, int64_t time_ns);

/* May what is pending be reported now? */
bool loss_is_due(const struct loss *loss, int64_t now_ns);

/* Moves what is pending into a report. */
void loss_take(struct loss *loss, enum loss_stage stage, uint32_t source_id, int64_t now_ns,
	       struct loss_report *ret);

#endif
