/* SPDX-License-Identifier: MIT */
/* Subscriptions with filters: what comes, what is held back and counted, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/filter.h>

#include "expect.h"
#include "hall.h"
#include "policy.h"

/* A request with one filter: mark & mask == value. A packet's mark is its sequence. */
struct wish {
	Nflog__V1__SubscribeRequest request;
	Nflog__V1__StartPosition start;
	Nflog__V1__PacketFilter filter;
	Nflog__V1__PacketFilter *filters[1];
	Nflog__V1__MaskedValue mark;
	Nflog__V1__MaskedValue *marks[1];
};

static Nflog__V1__SubscribeRequest *ask(struct wish *wish, uint32_t value, uint32_t mask)
{
	nflog__v1__subscribe_request__init(&wish->request);
	nflog__v1__start_position__init(&wish->start);
	nflog__v1__packet_filter__init(&wish->filter);
	nflog__v1__masked_value__init(&wish->mark);
	wish->mark.value = value;
	wish->mark.mask = mask;
	wish->marks[0] = &wish->mark;
	wish->filter.mark = wish->marks;
	wish->filter.n_mark = 1;
	wish->filters[0] = &wish->filter;
	wish->request.include = wish->filters;
	wish->request.n_include = 1;
	return &wish->request;
}

static Nflog__V1__SubscribeRequest *ask_oldest(struct wish *wish, uint32_t value, uint32_t mask)
{
	(void)ask(wish, value, mask);
	wish->start.position_case = NFLOG__V1__START_POSITION__POSITION_OLDEST;
	wish->start.oldest = true;
	wish->request.start = &wish->start;
	return &wish->request;
}

static Nflog__V1__SubscribeRequest *ask_last(struct wish *wish, uint64_t last, uint32_t value,
					     uint32_t mask)
{
	(void)ask(wish, value, mask);
	wish->start.position_case = NFLOG__V1__START_POSITION__POSITION_LAST;
	wish->start.last = last;
	wish->request.start = &wish->start;
	return &wish->request;
}

/* What came on a stream. */
struct account {
	uint64_t packets, lost, filtered;
	uint64_t first, last; /* sequences */
	uint8_t token[1024];  /* the last one */
	size_t token_len;
};

static void note(struct account *account, Nflog__V1__SubscribeResponse *event)
{
	if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH) {
		for (size_t i = 0; i < event->batch->n_packets; i++) {
			account->last = event->batch->packets[i]->sequence;
			if (account->packets++ == 0)
				account->first = account->last;
		}
	} else if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_LOSS) {
		account->lost += event->loss->count;
	} else if (event->event_case == NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_HEARTBEAT) {
		account->filtered = event->heartbeat->packets_filtered;
		assert_int_equal(event->heartbeat->packets_sent, account->packets);
	}
	if (event->resume_token.len > 0) {
		assert_true(event->resume_token.len <= sizeof(account->token));
		memcpy(account->token, event->resume_token.data, event->resume_token.len);
		account->token_len = event->resume_token.len;
	}
	hall_free_event(event);
}

/* Reads a stream that does not follow to its end. */
static struct account read_all(struct hall *hall, const Nflog__V1__SubscribeRequest *request)
{
	struct account account = {0};
	Nflog__V1__SubscribeResponse *event;
	struct caller caller;

	note(&account, hall_subscribe(hall, &caller, request));
	while ((event = caller_next_event(&caller)))
		note(&account, event);
	assert_int_equal(caller.code, GRPC_STATUS_OK);
	caller_close(&caller);
	return account;
}

static void what_a_filter_holds_back_is_counted_to_the_last(void **state)
{
	struct hall *hall = *state;
	struct account account;
	struct wish wish;

	hall_log(hall, hall->red, 5000);
	account = read_all(hall, ask_oldest(&wish, 0, 3));
	assert_int_equal(account.packets, 1250);
	assert_int_equal(account.filtered, 3750);
	assert_int_equal(account.lost, 0);
	assert_int_equal(account.first, 4);
	assert_int_equal(account.last, 5000);
}

static void exclude_holds_back_what_include_lets_pass(void **state)
{
	struct hall *hall = *state;
	struct account account;
	struct wish wish;

	hall_log(hall, hall->red, 100);
	(void)ask_oldest(&wish, 0, 1);
	wish.request.exclude = wish.filters;
	wish.request.n_exclude = 1;
	account = read_all(hall, &wish.request);
	assert_int_equal(account.packets, 0);
	assert_int_equal(account.filtered, 100);
	wish.request.n_include = 0;
	account = read_all(hall, &wish.request);
	assert_int_equal(account.packets, 50);
	assert_int_equal(account.filtered, 50);
}

static void filters_know_the_source_of_a_packet(void **state)
{
	struct hall *hall = *state;
	char *names[] = {(char[]){"blue"}};
	struct account account;
	struct wish wish;

	hall_log(hall, hall->red, 10);
	hall_log(hall, hall->blue, 7);
	(void)ask_oldest(&wish, 0, 0);
	wish.filter.n_mark = 0;
	wish.filter.netns = names;
	wish.filter.n_netns = 1;
	account = read_all(hall, &wish.request);
	assert_int_equal(account.packets, 7);
	assert_int_equal(account.filtered, 10);
}

static void losses_before_a_packet_held_back_are_reported(void **state)
{
	struct hall *hall = *state;
	struct account account;
	struct wish wish;

	hall_log(hall, hall->red, 10);
	hall_log_after_loss(hall, hall->red, 10, 3, 2);
	account = read_all(hall, ask_oldest(&wish, 1000, 0));
	assert_int_equal(account.packets, 0);
	assert_int_equal(account.lost, 5);
	assert_int_equal(account.filtered, 20);
}

static void max_packets_counts_what_passes_only(void **state)
{
	struct hall *hall = *state;
	struct account account;
	struct wish wish;

	hall_log(hall, hall->red, 100);
	(void)ask_oldest(&wish, 0, 7);
	wish.request.max_packets = 3;
	account = read_all(hall, &wish.request);
	assert_int_equal(account.packets, 3);
	assert_int_equal(account.last, 24);
	assert_int_equal(account.filtered, 21);
}

static void last_n_are_the_newest_that_match(void **state)
{
	struct hall *hall = *state;
	struct account account;
	struct wish wish;

	for (unsigned i = 0; i < 30; i++) {
		hall_log(hall, hall->red, 100);
		hall_log(hall, hall->blue, 100);
	}
	account = read_all(hall, ask_last(&wish, 10, 0, 255)); /* 256, 512 .. 2816 of each */
	assert_int_equal(account.packets, 10);
	assert_int_equal(account.first, 1792);
	assert_int_equal(account.last, 2816);
	account = read_all(hall, ask_last(&wish, 1000, 0, 255)); /* more than there are */
	assert_int_equal(account.packets, 22);
	account = read_all(hall, ask_last(&wish, 5, 77777, 0)); /* none is there */
	assert_int_equal(account.packets, 0);
}

static void last_n_of_a_stream_that_goes_on_come_before_what_is_new(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__SubscribeResponse *event;
	struct account account = {0};
	struct caller caller;
	struct wish wish;

	hall_log(hall, hall->red, 3000);
	(void)ask_last(&wish, 2, 0, 1023);
	wish.request.follow = true;
	hall_follow(hall, &caller, &wish.request);
	event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	note(&account, event);
	event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_CAUGHT_UP);
	assert_int_equal(event->caught_up->packets_replayed, 2);
	note(&account, event);
	hall_log(hall, hall->red, 100); /* 3072 is one */
	event = expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH);
	note(&account, event);
	assert_int_equal(account.packets, 3);
	assert_int_equal(account.first, 1024);
	assert_int_equal(account.last, 3072);
	caller_close(&caller);
}

static void resumed_stream_does_not_count_again_what_was_held_back(void **state)
{
	struct hall *hall = *state;
	struct account first, second;
	struct wish wish;

	hall_log(hall, hall->red, 100);
	first = read_all(hall, ask_oldest(&wish, 0, 7));
	hall_log(hall, hall->red, 100);
	wish.start.position_case = NFLOG__V1__START_POSITION__POSITION_RESUME_TOKEN;
	wish.start.resume_token.data = first.token;
	wish.start.resume_token.len = first.token_len;
	second = read_all(hall, &wish.request);
	assert_int_equal(first.packets + first.filtered, 100);
	assert_int_equal(second.packets + second.filtered, 100);
	assert_int_equal(first.packets + second.packets, 25);
}

static void statistics_tell_what_is_held_back(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__GetStatsRequest request = NFLOG__V1__GET_STATS_REQUEST__INIT;
	Nflog__V1__GetStatsResponse *response;
	struct caller caller, asker;
	struct wish wish;

	hall_follow(hall, &caller, ask(&wish, 10, 0));
	hall_log(hall, hall->red, 10);
	hall_free_event(expect_event(&caller, NFLOG__V1__SUBSCRIBE_RESPONSE__EVENT_BATCH));
	caller_open_message(&asker, hall->path, "GetStats", &request.base);
	response = (Nflog__V1__GetStatsResponse *)caller_next_message(
	    &asker, &nflog__v1__get_stats_response__descriptor);
	assert_non_null(response);
	assert_int_equal(response->n_subscriptions, 1);
	assert_int_equal(response->subscriptions[0]->packets_sent, 1);
	assert_int_equal(response->subscriptions[0]->packets_filtered, 9);
	nflog__v1__get_stats_response__free_unpacked(response, NULL);
	caller_close(&asker);
	caller_close(&caller);
}

/* --- limits of the tenant --------------------------------------------------------------------- */

static struct nfl_filter *even_marks(void)
{
	static const struct nfl_masked even = {0, 1};
	struct nfl_filter_term term = {.size = sizeof(term), .mark = {&even, 1}};
	struct nfl_filter *filter;

	assert_int_equal(nfl_filter_new(&term, 1, NULL, 0, &filter, NULL), 0);
	return filter;
}

static void filter_of_the_tenant_holds_back_before_that_of_the_request(void **state)
{
	struct tenant_limits limits = {.filters = 1};
	struct account account;
	struct hall hall;
	struct wish wish;

	(void)state;
	hall_open_filtered(&hall, &limits, even_marks());
	hall_log(&hall, hall.red, 100);
	(void)ask_oldest(&wish, 0, 0);
	wish.request.n_include = 0;
	account = read_all(&hall, &wish.request);
	assert_int_equal(account.packets, 50);
	assert_int_equal(account.filtered, 50);
	account = read_all(&hall, ask_oldest(&wish, 0, 3));
	assert_int_equal(account.packets, 25);
	assert_int_equal(account.filtered, 75);
	account = read_all(&hall, ask_oldest(&wish, 1, 1));
	assert_int_equal(account.packets, 0);
	account = read_all(&hall, ask_last(&wish, 5, 0, 0));
	assert_int_equal(account.packets, 0); /* no mark is 0 */
	hall_close_it(&hall);
}

static void what_is_held_back_does_not_count_against_the_rate(void **state)
{
	struct tenant_limits limits = {.filters = 1, .packets_per_second = 1000};
	struct account account;
	struct hall hall;
	struct wish wish;

	(void)state;
	hall_open_limited(&hall, &limits);
	hall_log(&hall, hall.red, 5000);
	account = read_all(&hall, ask_oldest(&wish, 0, 15));
	assert_int_equal(account.packets, 312);
	assert_int_equal(account.lost, 0);
	assert_int_equal(account.filtered, 5000 - 312);
	account = read_all(&hall, ask_oldest(&wish, 0, 1));
	assert_true(account.lost > 0);
	assert_int_equal(account.packets + account.lost + account.filtered, 5000);
	hall_close_it(&hall);
}

static void expect_refusal(struct hall *hall, const struct wish *wish, grpc_status_code code,
			   const char *text)
{
	struct caller caller;

	caller_open_message(&caller, hall->path, "Subscribe", &wish->request.base);
	caller_expect_end(&caller, code);
	assert_string_equal(caller.text, text);
	caller_close(&caller);
}

static void filters_that_are_wrong_are_refused_by_name(void **state)
{
	struct hall *hall = *state;
	uint8_t address[17] = {10, 0, 0, 1};
	Nflog__V1__Cidr cidr = NFLOG__V1__CIDR__INIT, *cidrs[] = {&cidr};
	Nflog__V1__StringMatch match = NFLOG__V1__STRING_MATCH__INIT, *matches[] = {&match};
	Nflog__V1__Hook hooks[] = {(Nflog__V1__Hook)-1};
	struct wish wish;

	(void)ask(&wish, 0, 0);
	wish.filter.source_address = cidrs;
	wish.filter.n_source_address = 1;
	cidr.address = (ProtobufCBinaryData){4, address};
	cidr.length = 256;
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].source_address[0].length: expected 0..32");
	cidr.length = 24;
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].source_address[0].address: expected no bits after length");
	cidr.address.len = 17;
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].source_address[0].address: expected 4 or 16 bytes");
	(void)ask(&wish, 0, 0);
	wish.filter.prefix = matches;
	wish.filter.n_prefix = 1;
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].prefix[0]: expected one of exact, starts_with, glob");
	(void)ask(&wish, 0, 0);
	wish.filter.hook = hooks;
	wish.filter.n_hook = 1;
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].hook[0]: expected a hook with a name, 1..8");
}

static void bpf_that_must_not_run_is_refused_by_name(void **state)
{
	struct hall *hall = *state;
	uint8_t code[16] = {0x15, 0, 0, 9, 0, 0, 0, 0, 6}; /* jumps out of it */
	struct wish wish;

	(void)ask(&wish, 0, 0);
	wish.filter.bpf = (ProtobufCBinaryData){sizeof(code), code};
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].bpf: instruction 0: expected a jump inside of the program");
	wish.filter.bpf.len = 15;
	expect_refusal(hall, &wish, GRPC_STATUS_INVALID_ARGUMENT,
		       "include[0].bpf: expected 1 to 4096 instructions of 8 bytes");
}

static void field_of_a_later_version_is_not_ignored(void **state)
{
	/* include { field 99: 1 }, include { source_address { field 99: 1 } } */
	static const uint8_t in_filter[] = {0x1a, 3, 0x98, 0x06, 1};
	static const uint8_t in_cidr[] = {0x1a, 5, 0x12, 3, 0x98, 0x06, 1};
	struct caller caller;
	struct hall *hall = *state;

	caller_open(&caller, hall->path, "Subscribe", in_filter, sizeof(in_filter));
	caller_expect_end(&caller, GRPC_STATUS_UNIMPLEMENTED);
	assert_string_equal(caller.text, "include[0]: field 99: not known to this version");
	caller_close(&caller);
	caller_open(&caller, hall->path, "Subscribe", in_cidr, sizeof(in_cidr));
	caller_expect_end(&caller, GRPC_STATUS_UNIMPLEMENTED);
	assert_string_equal(caller.text,
			    "include[0].source_address: field 99: not known to this version");
	caller_close(&caller);
}

static void more_filters_than_the_tenant_may_have_are_refused(void **state)
{
	struct hall *hall = *state;
	Nflog__V1__PacketFilter *many[5];
	struct wish wish;

	(void)ask(&wish, 0, 0);
	for (unsigned i = 0; i < 5; i++)
		many[i] = &wish.filter;
	wish.request.exclude = many;
	wish.request.n_exclude = 4;
	expect_refusal(hall, &wish, GRPC_STATUS_RESOURCE_EXHAUSTED,
		       "too many filters: 5 in include and exclude, 4 are allowed");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_a_filter_holds_back_is_counted_to_the_last),
	    CASE(exclude_holds_back_what_include_lets_pass),
	    CASE(filters_know_the_source_of_a_packet),
	    CASE(losses_before_a_packet_held_back_are_reported),
	    CASE(max_packets_counts_what_passes_only),
	    CASE(last_n_are_the_newest_that_match),
	    CASE(last_n_of_a_stream_that_goes_on_come_before_what_is_new),
	    CASE(resumed_stream_does_not_count_again_what_was_held_back),
	    CASE(statistics_tell_what_is_held_back),
	    cmocka_unit_test(filter_of_the_tenant_holds_back_before_that_of_the_request),
	    cmocka_unit_test(what_is_held_back_does_not_count_against_the_rate),
	    CASE(filters_that_are_wrong_are_refused_by_name),
	    CASE(bpf_that_must_not_run_is_refused_by_name),
	    CASE(field_of_a_later_version_is_not_ignored),
	    CASE(more_filters_than_the_tenant_may_have_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
