/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzzers share
 *
 * Each fuzz_NAME.c is one libFuzzer target: bytes in, and FUZZ_CHECK() of what must hold whatever
 * they are. Seeds come from seeds.py. ./dev fuzz runs them.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/render.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Ends the run as a crash, with the input kept, where the condition does not hold. */
#define FUZZ_CHECK(condition) fuzz_check((condition), __FILE__, __LINE__, #condition)
void fuzz_check(bool holds, const char *file, int line, const char *what);

/* Bytes still to be used. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next @len bytes, or as many as there are, in a heap block of just that size, so that a read
 * beyond them is seen. fuzz_free() ends it. */
struct nfl_bytes fuzz_take(struct fuzz_input *input, size_t len);
void fuzz_free(struct nfl_bytes bytes);
/* The next bytes as a little-endian number; missing ones are 0. */
uint32_t fuzz_number(struct fuzz_input *input, unsigned bytes);

/* One netlink message as the packet that nflogd makes of it; false when it is none. */
bool fuzz_packet(struct nfl_bytes message, struct nfl_packet *ret);

/* The packet as JSON, which is checked to be valid; the caller frees it. */
char *fuzz_json(const struct nfl_packet *packet, const struct nfl_render_source *source,
		uint32_t flags);

/* Is it one line of printable UTF-8: no control, nothing that hides or turns text? glibc is the
 * judge of UTF-8, and the list of the issue of what is not printable. */
bool fuzz_is_printable(const char *text, size_t len);
/* Does jansson read it as one JSON value, on one printable line? */
bool fuzz_is_json(const char *text, size_t len);

#endif
