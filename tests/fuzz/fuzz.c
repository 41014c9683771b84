/* SPDX-License-Identifier: MIT */
/* fuzz.c: taking the input apart, and the judges of what comes out. */
#include "fuzz.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include <jansson.h>
#include <nfl/decode.h>

#include "wire.h"

void fuzz_check(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

struct nfl_bytes fuzz_take(struct fuzz_input *input, size_t len)
{
	size_t n = len < input->left ? len : input->left;
	uint8_t *copy = malloc(n ? n : 1);

	FUZZ_CHECK(copy != NULL);
	if (n)
		memcpy(copy, input->at, n);
	input->at += n;
	input->left -= n;
	return (struct nfl_bytes){copy, (uint32_t)n};
}

void fuzz_free(struct nfl_bytes bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

uint32_t fuzz_number(struct fuzz_input *input, unsigned bytes)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < bytes && input->left; i++) {
		number |= (uint32_t)*input->at++ << (8 * i);
		input->left--;
	}
	return number;
}

bool fuzz_packet(struct nfl_bytes message, struct nfl_packet *ret)
{
	*ret = (struct nfl_packet){.sequence = 1, .source_id = 1};
	if (nfl_decode_message(message.data, message.len, &ret->record) < 0)
		return false;
	nfl_decode_payload(&ret->record, &ret->decoded);
	nfl_decode_conntrack(&ret->record, &ret->conntrack);
	ret->original_length = wire_original_length(ret);
	return true;
}

char *fuzz_json(const struct nfl_packet *packet, const struct nfl_render_source *source,
		uint32_t flags)
{
	size_t cap = nfl_render_json_bound(packet, source), len;
	char *json = malloc(cap);

	FUZZ_CHECK(json != NULL);
	len = nfl_render_json(json, cap, packet, source, flags);
	FUZZ_CHECK(len < cap && fuzz_is_json(json, len));
	return json;
}

/* What issue 7 names, beside control characters. */
static bool is_deceptive(wint_t c)
{
	return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0x61c || c == 0xad || c == 0xfeff;
}

bool fuzz_is_printable(const char *text, size_t len)
{
	static bool is_set;
	mbstate_t state = {0};

	is_set = is_set || setlocale(LC_CTYPE, "C.UTF-8");
	FUZZ_CHECK(is_set);
	for (size_t at = 0; at < len;) {
		wchar_t c;
		size_t n = mbrtowc(&c, text + at, len - at, &state);

		if (n == 0 || n > 4 || iswcntrl((wint_t)c) || is_deceptive((wint_t)c))
			return false;
		at += n;
	}
	return true;
}

bool fuzz_is_json(const char *text, size_t len)
{
	json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	bool is = value != NULL;

	json_decref(value);
	return is && fuzz_is_printable(text, len);
}
