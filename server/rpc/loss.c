/* SPDX-License-Identifier: MIT */
/* Losses of one (source, stage): noted when found, reported at most once a second. */
#include "loss.h"

#include "times.h"

void loss_add(struct loss *loss, uint64_t count, int64_t time_ns)
{
	/* The clock may have been set back in between. */
	if (loss->pending == 0 || time_ns < loss->first_ns)
		loss->first_ns = time_ns;
	if (loss->pending == 0 || time_ns > loss->last_ns)
		loss->last_ns = time_ns;
	loss->pending += count;
	loss->total += count;
}

void loss_add_bound(struct loss *loss, uint64_t count, int64_t time_ns)
{
	loss_add(loss, count, time_ns);
	loss->lower_bound = true;
}

bool loss_is_due(const struct loss *loss, int64_t now_ns)
{
	return loss->pending > 0 && now_ns >= loss->report_ns;
}

static Nflog__V1__LossStage stage_on_wire(enum loss_stage stage)
{
	switch (stage) {
	case LOSS_KERNEL_SOCKET:
		return NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET;
	case LOSS_DECODE:
		return NFLOG__V1__LOSS_STAGE__LOSS_STAGE_DECODE;
	case LOSS_RATE_LIMIT:
		return NFLOG__V1__LOSS_STAGE__LOSS_STAGE_RATE_LIMIT;
	case LOSS_HISTORY:
		break;
	}
	return NFLOG__V1__LOSS_STAGE__LOSS_STAGE_HISTORY;
}

void loss_take(struct loss *loss, enum loss_stage stage, uint32_t source_id, int64_t now_ns,
	       struct loss_report *ret)
{
	nflog__v1__loss_report__init(&ret->message);
	times_timestamp(loss->first_ns, &ret->first);
	times_timestamp(loss->last_ns, &ret->last);
	ret->message.stage = stage_on_wire(stage);
	ret->message.source_id = source_id;
	ret->message.count = loss->pending;
	ret->message.lower_bound = loss->lower_bound;
	ret->message.cumulative_count = loss->total;
	ret->message.first_time = &ret->first;
	ret->message.last_time = &ret->last;
	loss->pending = 0;
	loss->lower_bound = false;
	loss->report_ns = now_ns + LOSS_REPORT_INTERVAL_NS;
}
