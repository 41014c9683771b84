/* SPDX-License-Identifier: MIT */
/* A client's books, over all of its streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diary.h"

struct diary_page *diary_page(struct diary *diary, uint32_t source_id)
{
	for (size_t i = 0; i < diary->count; i++)
		if (diary->pages[i].source_id == source_id)
			return &diary->pages[i];
	assert_true(diary->count < DIARY_SOURCES);
	diary->pages[diary->count].source_id = source_id;
	return &diary->pages[diary->count++];
}

static void note_packets(struct diary *diary, const Nflog__V1__PacketBatch *batch)
{
	for (size_t i = 0; i < batch->n_packets; i++) {
		const Nflog__V1__Packet *packet = batch->packets[i];
		struct diary_page *page = diary_page(diary, packet->source_id);

		assert_true(packet->sequence > page->last);
		page->last = packet->sequence;
		page->packets++;
		diary->packets++;
	}
}

static void note_loss(struct diary *diary, const Nflog__V1__LossReport *loss)
{
	if (loss->source_id == 0) {
		assert_true(loss->lower_bound);
		assert_int_equal(loss->count, 0);
		assert_int_equal(loss->stage, NFLOG__V1__LOSS_STAGE__LOSS_STAGE_HISTORY);
		diary->unknown++;
		return;
	}
	assert_true(loss->count > 0);
	assert_in_range(loss->stage, 1, 4);
	diary_page(diary, loss->source_id)->lost[loss->stage] += loss->count;
}

static void note_token(struct diary *diary, const ProtobufCBinaryData *token)
{
	assert_in_range(token->len, 1, DIARY_TOKEN_MAX);
	memcpy(diary->token, token->data, token->len);
	diary->token_len = token->len;
}

void diary_note(struct diary *diary, Nflog__V1__SubscribeResponse *event)
{
	diary->responses++;
	if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH)
		note_packets(diary, event->batch);
	else if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS)
		note_loss(diary, event->loss);
	else if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_CAUGHT_UP)
		diary->caught_up = event->caught_up->packets_replayed + 1;
	if (event->event_case != NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_SOURCE_EVENT)
		note_token(diary, &event->resume_token);
	hall_free_event(event);
}

Nflog__V1__ResumeStatus diary_open(struct diary *diary, struct hall *hall, struct caller *caller,
				   const Nflog__V1__SubscribeRequest *request)
{
	Nflog__V1__StartPosition start = NFLOG__V1__START_POSITION__INIT;
	Nflog__V1__SubscribeRequest resume = *request;
	Nflog__V1__SubscribeResponse *event;
	Nflog__V1__ResumeStatus status;

	start.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	start.resume_token.data = diary->token;
	start.resume_token.len = diary->token_len;
	if (diary->token_len > 0)
		resume.start = &start;
	event = hall_subscribe(hall, caller, &resume);
	status = event->started->resume_status;
	diary_note(diary, event);
	return status;
}

bool diary_read(struct diary *diary, struct caller *caller)
{
	Nflog__V1__SubscribeResponse *event = caller_next_event(caller);

	if (event)
		diary_note(diary, event);
	return event != NULL;
}

void diary_read_all(struct diary *diary, struct caller *caller)
{
	while (diary_read(diary, caller))
		;
	if (caller->code != GRPC_STATUS_OK)
		fail_msg("status %d: %s", (int)caller->code, caller->text);
}

static uint64_t total_of(const struct diary_page *page)
{
	uint64_t total = page->packets;

	for (size_t stage = 1; stage < sizeof(page->lost) / sizeof(page->lost[0]); stage++)
		total += page->lost[stage];
	return total;
}

void diary_read_until(struct diary *diary, struct caller *caller, const struct source *source,
		      uint64_t total)
{
	struct diary_page *page = diary_page(diary, source->id);

	while (total_of(page) < total)
		if (!diary_read(diary, caller))
			fail_msg("status %d: %s", (int)caller->code, caller->text);
	assert_int_equal(total_of(page), total);
}

void diary_expect_whole(struct diary *diary, const struct source *source)
{
	const struct diary_page *page = diary_page(diary, source->id);

	assert_int_equal(page->packets + page->lost[NFLOG__V1__LOSS_STAGE__LOSS_STAGE_HISTORY] +
			     page->lost[NFLOG__V1__LOSS_STAGE__LOSS_STAGE_RATE_LIMIT],
			 atomic_load(&source->packets));
	assert_int_equal(page->lost[NFLOG__V1__LOSS_STAGE__LOSS_STAGE_KERNEL_SOCKET],
			 atomic_load(&source->lost_kernel));
	assert_int_equal(page->lost[NFLOG__V1__LOSS_STAGE__LOSS_STAGE_DECODE],
			 atomic_load(&source->lost_decode));
}
