/* SPDX-License-Identifier: MIT */
/* Reading a stream from a place to its end, or for ever: an ordered consumer, which the library makes anew
 * behind the last message when its connection was lost. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "jetstream.h"

static int count_left(struct broker *broker, struct broker_error *err)
{
	jsConsumerInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus s = natsSubscription_GetConsumerInfo(&info, broker->sub, NULL, &code);

	if (s != NATS_OK)
		return nats_failed(broker, "cannot ask how much there is to read", s, code, err);
	/* What was delivered to us already is pending no more. */
	broker->left = info->NumPending + info->Delivered.Consumer;
	jsConsumerInfo_Destroy(info);
	return 0;
}

int nats_read(struct broker *broker, const struct broker_query *query, struct broker_error *err)
{
	jsSubOptions options;
	jsErrCode code = 0;
	natsStatus s;

	(void)jsSubOptions_Init(&options);
	options.Stream = broker->settings->stream;
	options.Ordered = true;
	options.Config.DeliverPolicy = query->all ? js_DeliverAll : js_DeliverNew;
	if (query->since_ns) {
		options.Config.DeliverPolicy = js_DeliverByStartTime;
		options.Config.OptStartTime = query->since_ns;
	}
	s = js_SubscribeSync(&broker->sub, broker->js, query->subject ? query->subject : ">", NULL,
			     &options, &code);
	if (s != NATS_OK)
		return nats_failed(broker, "cannot read the stream", s, code, err);
	(void)natsSubscription_SetPendingLimits(broker->sub, -1, -1);
	broker->follow = query->follow;
	return query->follow ? 0 : count_left(broker, err);
}

int nats_next(struct broker *broker, int timeout_ms, struct broker_message *ret,
	      struct broker_error *err)
{
	jsMsgMetaData *meta = NULL;
	natsStatus s;

	natsMsg_Destroy(broker->msg);
	broker->msg = NULL;
	if (!broker->follow && broker->left == 0)
		return 0;
	s = natsSubscription_NextMsg(&broker->msg, broker->sub, timeout_ms > 0 ? timeout_ms : 1);
	if (s == NATS_TIMEOUT)
		return -ETIMEDOUT;
	if (s != NATS_OK)
		return nats_failed(broker, "cannot read on", s, 0, err);
	*ret = (struct broker_message){
	    .subject = natsMsg_GetSubject(broker->msg),
	    .data = natsMsg_GetData(broker->msg),
	    .len = (size_t)natsMsg_GetDataLength(broker->msg),
	};
	if (natsMsg_GetMetaData(&meta, broker->msg) == NATS_OK) {
		ret->number = meta->Sequence.Stream;
		ret->time_ns = meta->Timestamp;
		/* Some that were counted may have been deleted since. */
		if (meta->NumPending == 0)
			broker->left = 1;
	}
	jsMsgMetaData_Destroy(meta);
	broker->left -= broker->left > 0;
	return 1;
}
