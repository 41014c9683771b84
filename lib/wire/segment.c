/* SPDX-License-Identifier: MIT */
/*
 * The frame around packets in a durable log. In come events of a stream, as bytes where the server made
 * them; out goes a LogSegment, of nflogctl forward; and back, for libnfl-client.
 */
#include "segment.h"

#include "clock.h"
#include "get.h"
#include "put.h"

static uint8_t *put_time(uint8_t *p, uint32_t tag, int64_t ns)
{
	int64_t seconds = ns / NS_PER_S, nanos = ns % NS_PER_S;
	uint8_t *body;

	if (ns == 0)
		return p;
	if (nanos < 0) {
		nanos += NS_PER_S;
		seconds--;
	}
	body = put_begin(p, tag);
	p = put_nonzero(body, TIMESTAMP_SECONDS, (uint64_t)seconds);
	p = put_nonzero(p, TIMESTAMP_NANOS, (uint64_t)nanos);
	return put_end(body, p);
}

size_t wire_put_segment_head(uint8_t *buf, struct nfl_bytes host, struct nfl_bytes stream_id,
			     struct nfl_bytes epoch)
{
	uint8_t *p = put_bytes(buf, SEGMENT_HOST, host);

	p = put_bytes(p, SEGMENT_STREAM_ID, stream_id);
	p = put_bytes(p, SEGMENT_SERVER_EPOCH, epoch);
	return (size_t)(p - buf);
}

size_t wire_put_source(uint8_t *buf, const struct wire_source *source)
{
	uint8_t *body = put_begin(buf, SEGMENT_SOURCES);
	uint8_t *p = put_nonzero(body, SOURCE_SOURCE_ID, source->source_id);

	p = put_bytes(p, SOURCE_NETNS, source->netns);
	p = put_nonzero(p, SOURCE_GROUP, source->group);
	p = put_nonzero(p, SOURCE_STATE, (uint64_t)source->state);
	p = put_bytes(p, SOURCE_DETAIL, source->detail);
	p = put_time(p, SOURCE_STATE_TIME, source->state_time_ns);
	return (size_t)(put_end(body, p) - buf);
}

size_t wire_put_span(uint8_t buf[WIRE_SPAN_MAX], const struct wire_span *span)
{
	uint8_t *body = put_begin(buf, SEGMENT_SPANS);
	uint8_t *p = put_nonzero(body, SPAN_SOURCE_ID, span->source_id);

	p = put_nonzero(p, SPAN_AFTER, span->after);
	p = put_nonzero(p, SPAN_LAST, span->last);
	return (size_t)(put_end(body, p) - buf);
}

size_t wire_put_loss(uint8_t buf[WIRE_LOSS_MAX], const struct wire_loss *loss)
{
	uint8_t *response = put_begin(buf, SEGMENT_RESPONSES);
	uint8_t *body = put_begin(response, RESPONSE_LOSS);
	uint8_t *p = put_nonzero(body, LOSS_STAGE, (uint64_t)loss->stage);

	p = put_nonzero(p, LOSS_SOURCE_ID, loss->source_id);
	p = put_nonzero(p, LOSS_COUNT, loss->count);
	p = put_nonzero(p, LOSS_LOWER_BOUND, loss->lower_bound);
	p = put_time(p, LOSS_FIRST_TIME, loss->first_time_ns);
	p = put_time(p, LOSS_LAST_TIME, loss->last_time_ns);
	p = put_nonzero(p, LOSS_CUMULATIVE_COUNT, loss->cumulative_count);
	return (size_t)(put_end(response, put_end(body, p)) - buf);
}

size_t wire_put_started(uint8_t *buf, struct nfl_bytes epoch, int resume_status)
{
	uint8_t *response = put_begin(buf, SEGMENT_RESPONSES);
	uint8_t *body = put_begin(response, RESPONSE_STARTED);
	uint8_t *p = put_bytes(body, STARTED_SERVER_EPOCH, epoch);

	p = put_nonzero(p, STARTED_RESUME_STATUS, (uint64_t)resume_status);
	return (size_t)(put_end(response, put_end(body, p)) - buf);
}

size_t wire_put_response(uint8_t *buf, struct nfl_bytes response)
{
	struct get g = get_start(response);
	uint8_t *body = put_begin(buf, SEGMENT_RESPONSES), *p = body;
	const uint8_t *field = g.p;
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		if (f.tag != RESPONSE_RESUME_TOKEN)
			p = put_copy(p, field, (size_t)(g.p - field));
		field = g.p;
	}
	return r < 0 ? 0 : (size_t)(put_end(body, p) - buf);
}

/* A length in four bytes, whatever it is: readers take it as any other. */
static uint8_t *put_wide(uint8_t *p, size_t value)
{
	for (unsigned i = 0; i < 3; i++, value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)(value & 0x7f);
	return p;
}

void wire_put_run(uint8_t buf[WIRE_RUN_HEADER], size_t len)
{
	uint8_t *p = put_wide(put_tag(buf, SEGMENT_RESPONSES), len + WIRE_RUN_HEADER / 2);

	(void)put_wide(put_tag(p, RESPONSE_BATCH), len);
}

size_t wire_put_packet(uint8_t *buf, struct nfl_bytes packet)
{
	return (size_t)(put_element(buf, BATCH_PACKETS, packet) - buf);
}

int wire_segment_next(struct nfl_bytes *segment, enum wire_segment_part *ret_part,
		      struct nfl_bytes *ret)
{
	struct get g = get_start(*segment);
	struct field f;
	int r;

	while ((r = get_field(&g, &f)) > 0) {
		switch (f.tag) {
		case SEGMENT_HOST:
		case SEGMENT_STREAM_ID:
		case SEGMENT_SERVER_EPOCH:
		case SEGMENT_SOURCES:
		case SEGMENT_SPANS:
		case SEGMENT_RESPONSES:
			*ret_part = (enum wire_segment_part)(f.tag >> 3);
			*ret = f.bytes;
			*segment = (struct nfl_bytes){g.p, (uint32_t)(g.end - g.p)};
			return 1;
		}
	}
	return r;
}

int wire_read_span(struct nfl_bytes bytes, struct wire_span *ret)
{
	struct get g = get_start(bytes);
	uint64_t source_id = 0;
	struct field f;
	int r;

	*ret = (struct wire_span){0};
	while ((r = get_field(&g, &f)) > 0) {
		switch (f.tag) {
		case SPAN_SOURCE_ID:
			source_id = f.number;
			break;
		case SPAN_AFTER:
			ret->after = f.number;
			break;
		case SPAN_LAST:
			ret->last = f.number;
			break;
		}
	}
	if (r < 0 || source_id == 0 || source_id > UINT32_MAX || ret->last <= ret->after)
		return -EBADMSG;
	ret->source_id = (uint32_t)source_id;
	return 0;
}
