/* SPDX-License-Identifier: MIT */
/* The requests byte by byte: a number in host order would be accepted and mean something else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/netlink.h>

#include "options.h"
#include "request.h"

#define HEADER_BYTES 20                         /* nlmsghdr and nfgenmsg */
#define MODE_OFFSET  (HEADER_BYTES + 8 + 4 + 4) /* behind CMD, in the value of MODE */

static struct nfl_listener_options example(void)
{
	struct nfl_listener_options options = {
	    .size = sizeof(options),
	    .set = NFL_SET_COPY_RANGE | NFL_SET_NLBUFSIZ | NFL_SET_TIMEOUT | NFL_SET_QTHRESH,
	    .flags = NFL_FLAG_SEQ | NFL_FLAG_CONNTRACK,
	    .group = 0x1234,
	    .copy_range = 0x5678,
	    .nlbufsiz = 65216,
	    .timeout_ms = 20,
	    .qthresh = 0x01020304,
	};
	struct nfl_listener_options resolved;

	assert_int_equal(options_resolve(&options, &resolved, NULL), 0);
	return resolved;
}

static void assert_header(const struct request *request, uint32_t seq)
{
	struct nlmsghdr header;

	memcpy(&header, request->bytes, sizeof(header));
	assert_int_equal(header.nlmsg_len, request->len);
	assert_int_equal(header.nlmsg_type, 0x0401);
	assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(header.nlmsg_seq, seq);
	assert_int_equal(request->seq, seq);
	/* family 0, version 0, be16 group */
	assert_memory_equal(request->bytes + sizeof(header), "\x00\x00\x12\x34", 4);
}

/* An attribute with its header in host order, as netlink has it, and its value as given. */
static const uint8_t *assert_attribute(const uint8_t *at, uint16_t type, const char *value,
				       uint16_t len)
{
	struct nlattr attribute;

	memcpy(&attribute, at, sizeof(attribute));
	assert_int_equal(attribute.nla_type, type);
	assert_int_equal(attribute.nla_len, sizeof(attribute) + len);
	assert_memory_equal(at + sizeof(attribute), value, len);
	return at + NLMSG_ALIGN(sizeof(attribute) + len); /* NLA_ALIGN is a negative int */
}

static const uint8_t *assert_settings(const uint8_t *at)
{
	at = assert_attribute(at, 2, "\x00\x00\x56\x78\x02\x00", 6);
	at = assert_attribute(at, 3, "\x00\x00\xfe\xc0", 4);
	at = assert_attribute(at, 4, "\x00\x00\x00\x02", 4);
	at = assert_attribute(at, 5, "\x01\x02\x03\x04", 4);
	return assert_attribute(at, 6, "\x00\x05", 2);
}

static void bind_carries_the_command_and_every_setting_big_endian(void **state)
{
	struct nfl_listener_options options = example();
	struct request request;
	const uint8_t *end;

	(void)state;
	request_bind(&options, 7, &request);
	assert_header(&request, 7);
	end = assert_attribute(request.bytes + HEADER_BYTES, 1, "\x01", 1);
	end = assert_settings(end);
	assert_ptr_equal(end, request.bytes + request.len);
}

static void unbind_is_the_command_alone(void **state)
{
	struct request request;

	(void)state;
	request_unbind(0x1234, 9, &request);
	assert_header(&request, 9);
	assert_ptr_equal(assert_attribute(request.bytes + HEADER_BYTES, 1, "\x02", 1),
			 request.bytes + request.len);
}

static void settings_alone_ask_for_no_answer_and_always_name_the_buffer(void **state)
{
	struct nfl_listener_options options = example();
	struct request request;
	struct nlmsghdr header;
	const uint8_t *end;

	(void)state;
	request_settings(&options, REQUEST_UNANSWERED, &request);
	memcpy(&header, request.bytes, sizeof(header));
	assert_int_equal(header.nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(header.nlmsg_type, 0x0401);
	assert_int_equal(header.nlmsg_len, request.len);
	end = assert_settings(request.bytes + HEADER_BYTES);
	assert_ptr_equal(end, request.bytes + request.len);
	/* The kernel's default: not to send it would leave what was set before. */
	options.nlbufsiz = 0;
	request_settings(&options, REQUEST_UNANSWERED, &request);
	(void)assert_attribute(request.bytes + HEADER_BYTES + 12, 3, "\x00\x00\x0e\xc0", 4);
}

static void copy_modes_are_the_kernels_numbers(void **state)
{
	struct nfl_listener_options options = example();
	struct request request;

	(void)state;
	options.copy_mode = NFL_COPY_META;
	request_bind(&options, 1, &request);
	assert_int_equal(request.bytes[MODE_OFFSET], 1);
	options.copy_mode = NFL_COPY_NONE;
	request_bind(&options, 1, &request);
	assert_int_equal(request.bytes[MODE_OFFSET], 0);
}

static void the_kernels_default_buffer_is_not_sent(void **state)
{
	struct nfl_listener_options options = example();
	struct request with, without;

	(void)state;
	request_bind(&options, 1, &with);
	options.nlbufsiz = 0;
	request_bind(&options, 1, &without);
	assert_int_equal(with.len - without.len, 8);
}

static void only_a_whole_error_message_is_an_answer(void **state)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr body;
	} answer = {
	    .header = {.nlmsg_len = sizeof(answer), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 5},
	    .body = {.error = -EPERM},
	};
	uint32_t seq = 0;
	int error = 0;

	(void)state;
	assert_true(request_is_answer(&answer, sizeof(answer), &seq, &error));
	assert_int_equal(seq, 5);
	assert_int_equal(error, -EPERM);
	for (size_t len = 0; len < sizeof(answer); len++)
		assert_false(request_is_answer(&answer, len, &seq, &error));
	answer.header.nlmsg_len--;
	assert_false(request_is_answer(&answer, sizeof(answer), &seq, &error));
	answer.header.nlmsg_len++;
	answer.header.nlmsg_type = 0x0400;
	assert_false(request_is_answer(&answer, sizeof(answer), &seq, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bind_carries_the_command_and_every_setting_big_endian),
	    cmocka_unit_test(unbind_is_the_command_alone),
	    cmocka_unit_test(settings_alone_ask_for_no_answer_and_always_name_the_buffer),
	    cmocka_unit_test(copy_modes_are_the_kernels_numbers),
	    cmocka_unit_test(the_kernels_default_buffer_is_not_sent),
	    cmocka_unit_test(only_a_whole_error_message_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
