/* SPDX-License-Identifier: MIT */
/* glob.c: a pattern as a machine without memory of where it was: nothing is tried twice. Called by
 * texts.c. */
#include "glob.h"

#include <errno.h>
#include <stdlib.h>

#define BYTE_VALUES 256

/* Place n: so many characters of the pattern have been met. */
static void set_bit(uint64_t *words, size_t place)
{
	words[place / 64] |= UINT64_C(1) << place % 64;
}

static size_t characters(struct nfl_bytes pattern)
{
	size_t count = 0;

	for (uint32_t i = 0; i < pattern.len; i++)
		count += pattern.data[i] != '*';
	return count;
}

size_t glob_words(struct nfl_bytes pattern)
{
	return characters(pattern) / 64 + 1;
}

int glob_init(struct glob *glob, struct nfl_bytes pattern)
{
	size_t words = glob_words(pattern);
	size_t place = 0;

	*glob = (struct glob){.table = calloc(BYTE_VALUES * words, sizeof(*glob->table)),
			      .words = (uint16_t)words,
			      .end = (uint16_t)characters(pattern)};
	if (!glob->table)
		return -ENOMEM;
	for (uint32_t i = 0; i < pattern.len; i++) {
		uint8_t c = pattern.data[i];

		if (c == '*') {
			set_bit(glob->star, place);
			continue;
		}
		for (size_t byte = 0; byte < BYTE_VALUES; byte++)
			if (c == '?' || byte == c)
				set_bit(&glob->table[byte * words], place);
		place++;
	}
	return 0;
}

void glob_done(struct glob *glob)
{
	free(glob->table);
}

/* One byte of the text. Returns whether there is any place left. */
static bool step(const struct glob *glob, uint64_t *places, uint8_t byte)
{
	const uint64_t *leads = &glob->table[(size_t)byte * glob->words];
	uint64_t carry = 0, any = 0;

	for (size_t w = 0; w < glob->words; w++) {
		uint64_t moved = places[w] & leads[w];

		places[w] = (places[w] & glob->star[w]) | moved << 1 | carry;
		carry = moved >> 63;
		any |= places[w];
	}
	return any != 0;
}

bool glob_matches(const struct glob *glob, struct nfl_bytes text)
{
	uint64_t places[GLOB_WORDS] = {1};

	for (uint32_t i = 0; i < text.len; i++)
		if (!step(glob, places, text.data[i]))
			return false;
	return places[glob->end / 64] >> glob->end % 64 & 1;
}
