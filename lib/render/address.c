/* SPDX-License-Identifier: MIT */
/* IPv4 and IPv6 addresses as text; never resolved to names. */
#include <nfl/render.h>

#include "bytes.h"
#include "writer.h"

#define GROUPS 8 /* of 16 bits in an IPv6 address */

static void render_ip4(struct text *t, const uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			text_char(t, '.');
		text_number(t, address[i]);
	}
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952, 4.2.3). Returns its
 * length, 0 when there is none. */
static size_t zeros_find(const uint16_t group[GROUPS], size_t *ret_first)
{
	size_t best = 1;

	for (size_t i = 0; i < GROUPS; i++) {
		size_t n = 0;

		while (i + n < GROUPS && group[i + n] == 0)
			n++;
		if (n > best) {
			best = n;
			*ret_first = i;
		}
		i += n;
	}
	return best > 1 ? best : 0;
}

static void render_ip6(struct text *t, const uint8_t *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint16_t group[GROUPS];
	size_t first = GROUPS;
	size_t zeros;

	if (memcmp(address, mapped, sizeof(mapped)) == 0) {
		text_literal(t, "::ffff:");
		render_ip4(t, address + sizeof(mapped));
		return;
	}
	for (size_t i = 0; i < GROUPS; i++)
		group[i] = read_be16(address + 2 * i);
	zeros = zeros_find(group, &first);
	for (size_t i = 0; i < GROUPS; i++) {
		if (zeros && i == first) {
			text_literal(t, "::");
			i += zeros - 1;
			continue;
		}
		if (i && i != first + zeros)
			text_char(t, ':');
		text_hex_number(t, group[i], 1);
	}
}

void text_address(struct text *t, const uint8_t *address, size_t len)
{
	if (len == 4)
		render_ip4(t, address);
	else if (len == 16)
		render_ip6(t, address);
}

size_t nfl_render_address(char *buf, size_t cap, const uint8_t *address, size_t len)
{
	struct text t = text_start(buf, cap);

	text_address(&t, address, len);
	return text_end(&t);
}
