/* SPDX-License-Identifier: MIT */
/* Addresses, masked values and flags as text. */
#include "filter_text.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include <nfl/filter.h>

#include "schema.h"
#include "value.h"

#define PART_MAX_BYTES 64 /* of one part of a text, more than any right one has */

/* Copies the @len bytes of a part, to be a text of its own; false when it is too long. */
static bool copy_part(char buf[PART_MAX_BYTES], const char *text, size_t len)
{
	if (len >= PART_MAX_BYTES)
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

/* --- networks ---------------------------------------------------------------------------- */

static bool parse_address(const char *text, struct nfl_cidr *ret)
{
	bool is_ipv4 = !strchr(text, ':');

	ret->address_len = is_ipv4 ? 4 : 16;
	return inet_pton(is_ipv4 ? AF_INET : AF_INET6, text, ret->address) == 1;
}

static bool has_host_bits(const struct nfl_cidr *cidr)
{
	for (unsigned bit = cidr->length; bit < cidr->address_len * 8U; bit++) {
		if (cidr->address[bit / 8] & 0x80 >> bit % 8)
			return true;
	}
	return false;
}

const char *filter_parse_cidr(const char *text, struct nfl_cidr *ret)
{
	static const char *const expected =
	    "an address or a network (such as 10.0.0.0/8 or \"2001:db8::/32\")";
	const char *slash = strchr(text, '/');
	struct nfl_cidr cidr = {0};
	char address[PART_MAX_BYTES];
	uint64_t length;

	if (!copy_part(address, text, slash ? (size_t)(slash - text) : strlen(text)) ||
	    !parse_address(address, &cidr))
		return expected;
	length = cidr.address_len * 8U;
	if (slash && (!value_parse_number(slash + 1, &length) || length > cidr.address_len * 8U))
		return expected;
	cidr.length = (uint8_t)length;
	if (has_host_bits(&cidr))
		return "a network without bits after its length (such as 10.0.0.0/8)";
	*ret = cidr;
	return NULL;
}

/* --- masked values ----------------------------------------------------------------------- */

static bool find_name(const struct schema_name *names, const char *text, uint32_t *ret)
{
	for (; names->name; names++) {
		if (strcmp(names->name, text) == 0) {
			*ret = names->number;
			return true;
		}
	}
	return false;
}

/* "syn,ack": all of them. */
static bool parse_names(const char *text, const struct schema_name *names, uint32_t *ret)
{
	char name[PART_MAX_BYTES];
	uint32_t all = 0;

	for (bool more = true; more;) {
		size_t len = strcspn(text, ",");
		uint32_t number;

		if (!copy_part(name, text, len) || !find_name(names, name, &number))
			return false;
		all |= number;
		more = text[len] == ',';
		text += len + more;
	}
	*ret = all;
	return true;
}

static bool parse_side(const char *text, const struct schema_name *names, uint32_t max,
		       uint32_t *ret)
{
	uint64_t number;

	if (names && parse_names(text, names, ret))
		return true;
	if (!value_parse_integer(text, &number) || number > max)
		return false;
	*ret = (uint32_t)number;
	return true;
}

const char *filter_parse_masked(const char *text, const struct schema_name *names, uint32_t max,
				struct nfl_masked *ret)
{
	const char *expected =
	    names ? "flags or a number, also with a mask (such as \"syn,ack\" or \"syn/syn,ack\")"
		  : "a number, also with a mask (such as 0x100 or 0x100/0xff00)";
	const char *slash = strchr(text, '/');
	struct nfl_masked masked = {0}; /* without a mask all bits count */
	char value[PART_MAX_BYTES];

	if (!copy_part(value, text, slash ? (size_t)(slash - text) : strlen(text)) ||
	    !parse_side(value, names, max, &masked.value))
		return expected;
	if (slash && !parse_side(slash + 1, names, max, &masked.mask))
		return expected;
	if (slash && (masked.mask == 0 || masked.value & ~masked.mask))
		return "a mask with all bits of the value, which else never matches";
	*ret = masked;
	return NULL;
}

/* --- link-layer addresses ---------------------------------------------------------------- */

const char *filter_parse_hw_address(const char *text, uint8_t ret[HW_ADDRESS_MAX_BYTES],
				    size_t *ret_len)
{
	static const char *const expected = "a link-layer address (such as \"aa:bb:cc:dd:ee:ff\")";
	uint8_t bytes[HW_ADDRESS_MAX_BYTES];
	size_t len = 0;

	for (bool more = true; more; text += 2 + more) {
		if (len == sizeof(bytes) || value_digit(text[0]) > 15 || value_digit(text[1]) > 15)
			return expected;
		bytes[len++] = (uint8_t)(value_digit(text[0]) << 4 | value_digit(text[1]));
		more = text[2] == ':';
	}
	if (*text)
		return expected;
	memcpy(ret, bytes, len);
	*ret_len = len;
	return NULL;
}
