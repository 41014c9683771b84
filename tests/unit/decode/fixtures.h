/* SPDX-License-Identifier: MIT */
/* fixtures.h - the captured datagrams of tests/data/fixtures, message by message */
#ifndef TEST_FIXTURES_H
#define TEST_FIXTURES_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <nfl/record.h>

/* One packet message of a fixture. */
struct fixture_message {
	const char *file;
	json_t *expect; /* borrowed; the element of index.json's "expect" */
	const uint8_t
	    *bytes; /* a heap block of exactly len bytes, so that ASan sees an over-read */
	size_t len;
};

typedef void (*fixture_message_fn)(const struct fixture_message *message);

/* Calls fn for each packet message of each fixture; fails the test when a datagram does not walk
 * as its index entry says. Returns the number of messages, ret_files that of the datagrams. */
size_t fixture_for_each_message(fixture_message_fn fn, size_t *ret_files);

/* The only message of a fixture by name; fixture_message_free() ends it. */
struct fixture_message fixture_message_load(const char *file);
void fixture_message_free(struct fixture_message *message);

/* An integer of a JSON object; fails the test when it is not there. */
json_int_t fixture_int(json_t *object, const char *key);

/* Fails the test unless bytes are those of the hexadecimal text, with file and key in the message. */
void fixture_assert_hex(const struct fixture_message *message, const char *key,
			const uint8_t *bytes, size_t len);

#endif
