/* SPDX-License-Identifier: MIT */
/* Numbers, sizes, modes, ranges and endpoints as text. */
#include "value.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#define ADDRESS_TEXT_BYTES INET6_ADDRSTRLEN

unsigned value_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return UINT_MAX;
}

/* Digits of @base up to the first other byte, which *text is moved to. */
static bool take_digits(const char **text, unsigned base, uint64_t *ret)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; value_digit(*at) < base; at++) {
		uint64_t digit = value_digit(*at);

		number = number > (UINT64_MAX - digit) / base ? UINT64_MAX : number * base + digit;
	}
	if (at == *text)
		return false;
	*text = at;
	*ret = number;
	return true;
}

static bool take_number(const char **text, uint64_t *ret)
{
	if ((*text)[0] == '0' && (*text)[1] >= '0' && (*text)[1] <= '9')
		return false;
	return take_digits(text, 10, ret);
}

bool value_parse_number(const char *text, uint64_t *ret)
{
	uint64_t number;

	if (!take_number(&text, &number) || *text)
		return false;
	*ret = number;
	return true;
}

bool value_parse_integer(const char *text, uint64_t *ret)
{
	uint64_t number;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return value_parse_number(text, ret);
	text += 2;
	if (!take_digits(&text, 16, &number) || *text)
		return false;
	*ret = number;
	return true;
}

bool value_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KkMmGg";
	uint64_t number;

	if (!take_number(&text, &number))
		return false;
	if (*text) {
		const char *unit = strchr(units, *text);
		unsigned shift = unit ? 10 * ((unsigned)(unit - units) / 2 + 1) : 0;

		if (!unit || text[1])
			return false;
		number = number > UINT64_MAX >> shift ? UINT64_MAX : number << shift;
	}
	*ret = number;
	return true;
}

bool value_parse_mode(const char *text, uint64_t *ret)
{
	size_t len = strlen(text);
	uint64_t mode;

	if (len != 3 && !(len == 4 && text[0] == '0'))
		return false;
	if (!take_digits(&text, 8, &mode) || *text)
		return false;
	*ret = mode;
	return true;
}

bool value_parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t first, last;

	if (!take_number(&text, &first))
		return false;
	last = first;
	if (*text == '-') {
		text++;
		if (!take_number(&text, &last))
			return false;
	}
	if (*text)
		return false;
	*ret_first = first;
	*ret_last = last;
	return true;
}

static bool parse_ipv4(const char *text, bool *ret_loopback)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*ret_loopback = ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
	return true;
}

static bool parse_ipv6(const char *text, bool *ret_loopback)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		return false;
	*ret_loopback = IN6_IS_ADDR_LOOPBACK(&address) ||
			(IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == IN_LOOPBACKNET);
	return true;
}

bool value_parse_endpoint(const char *text, bool *ret_loopback)
{
	bool bracket = *text == '[';
	const char *begin = text + bracket;
	const char *end = strchr(begin, bracket ? ']' : ':');
	const char *colon = end && bracket ? end + 1 : end;
	char address[ADDRESS_TEXT_BYTES];
	uint64_t port;
	bool loopback = false; /* gcc -O1 cannot see that it is set */

	if (!end || (size_t)(end - begin) >= sizeof(address) || *colon != ':')
		return false;
	memcpy(address, begin, (size_t)(end - begin));
	address[end - begin] = '\0';
	if (!value_parse_number(colon + 1, &port) || port < 1 || port > UINT16_MAX)
		return false;
	if (bracket ? !parse_ipv6(address, &loopback) : !parse_ipv4(address, &loopback))
		return false;
	*ret_loopback = loopback;
	return true;
}
