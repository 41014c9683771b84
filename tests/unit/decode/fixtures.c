/* SPDX-License-Identifier: MIT */
/* fixtures.c: reads index.json and the datagrams beside it, and takes the datagrams apart by a walk
 * of its own, so that what is decoded was not found by the code under test. */
#include "fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>

#include <cmocka.h>

#define FIXTURES    TEST_DATA "/fixtures/"
#define PACKET_TYPE 0x0400

json_int_t fixture_int(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		fail_msg("no integer \"%s\"", key);
	return json_integer_value(value);
}

void fixture_assert_hex(const struct fixture_message *message, const char *key,
			const uint8_t *bytes, size_t len)
{
	const char *expected = json_string_value(json_object_get(message->expect, key));
	char *hex = malloc(2 * len + 1);

	hex[0] = '\0';
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	if (!expected || strcmp(expected, hex) != 0)
		fail_msg("%s: %s is %s, not %s", message->file, key, hex,
			 expected ? expected : "expected at all");
	free(hex);
}

static json_t *load_index(void)
{
	json_error_t error;
	json_t *index = json_load_file(FIXTURES "index.json", 0, &error);

	if (!index)
		fail_msg("index.json:%d: %s", error.line, error.text);
	return index;
}

static uint8_t *load_bytes(const char *file, size_t *ret_len)
{
	char path[4096];
	uint8_t *bytes;
	FILE *stream;
	long len;

	(void)snprintf(path, sizeof(path), "%s%s", FIXTURES, file);
	stream = fopen(path, "rb");
	assert_non_null(stream);
	assert_int_equal(fseek(stream, 0, SEEK_END), 0);
	len = ftell(stream);
	assert_true(len > 0);
	rewind(stream);
	bytes = malloc((size_t)len);
	assert_int_equal(fread(bytes, 1, (size_t)len, stream), (size_t)len);
	(void)fclose(stream);
	*ret_len = (size_t)len;
	return bytes;
}

/* Takes the datagram apart and compares the headers with what the index says about them. */
static size_t walk_datagram(json_t *entry, fixture_message_fn fn)
{
	struct fixture_message message = {.file =
					      json_string_value(json_object_get(entry, "file"))};
	json_t *headers = json_object_get(entry, "datagram_messages");
	json_t *expect = json_object_get(entry, "expect");
	size_t left, packets = 0, at = 0;
	uint8_t *bytes = load_bytes(message.file, &left);

	for (size_t i = 0; i < json_array_size(headers); i++) {
		json_t *header = json_array_get(headers, i);
		struct nlmsghdr nlh;
		uint8_t *copy;

		assert_true(left >= sizeof(nlh));
		memcpy(&nlh, bytes + at, sizeof(nlh));
		assert_int_equal(nlh.nlmsg_len, fixture_int(header, "nlmsg_len"));
		assert_int_equal(nlh.nlmsg_type, fixture_int(header, "nlmsg_type"));
		assert_true(nlh.nlmsg_len <= left);
		if (nlh.nlmsg_type == PACKET_TYPE) {
			copy = malloc(nlh.nlmsg_len);
			memcpy(copy, bytes + at, nlh.nlmsg_len);
			message.bytes = copy;
			message.len = nlh.nlmsg_len;
			message.expect = json_array_get(expect, packets++);
			assert_non_null(message.expect);
			fn(&message);
			free(copy);
		} else {
			assert_int_equal(nlh.nlmsg_type, NLMSG_DONE);
		}
		at += NLMSG_ALIGN(nlh.nlmsg_len);
		left -= NLMSG_ALIGN(nlh.nlmsg_len) < left ? NLMSG_ALIGN(nlh.nlmsg_len) : left;
	}
	assert_int_equal(left, 0);
	assert_int_equal(packets, json_array_size(expect));
	free(bytes);
	return packets;
}

size_t fixture_for_each_message(fixture_message_fn fn, size_t *ret_files)
{
	json_t *index = load_index();
	size_t packets = 0;

	for (size_t i = 0; i < json_array_size(index); i++)
		packets += walk_datagram(json_array_get(index, i), fn);
	*ret_files = json_array_size(index);
	json_decref(index);
	return packets;
}

struct fixture_message fixture_message_load(const char *file)
{
	struct fixture_message message = {.file = file};
	struct nlmsghdr nlh;

	message.bytes = load_bytes(file, &message.len);
	memcpy(&nlh, message.bytes, sizeof(nlh));
	assert_int_equal(nlh.nlmsg_len, message.len);
	return message;
}

void fixture_message_free(struct fixture_message *message)
{
	/* The cast only undoes the const that readers of the message see. */
	free((void *)(uintptr_t)message->bytes);
	message->bytes = NULL;
}
