/* SPDX-License-Identifier: MIT */
/*
 * filter_text.h - the text forms of a packet filter's values
 *
 * Each returns NULL when the whole text is such a value, else what it expects instead, for a message,
 * with @ret untouched.
 */
#ifndef CONFIG_FILTER_TEXT_H
#define CONFIG_FILTER_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct nfl_cidr;
struct nfl_masked;
struct schema_name;

#define HW_ADDRESS_MAX_BYTES 8 /* of struct nfulnl_msg_packet_hw */

/* "10.0.0.0/8", "2001:db8::/32", or an address. */
const char *filter_parse_cidr(const char *text, struct nfl_cidr *ret);

/* VALUE or VALUE/MASK, each a number (0x: hexadecimal) up to @max, or with @names (or NULL) some of
 * these, separated by commas. */
const char *filter_parse_masked(const char *text, const struct schema_name *names, uint32_t max,
				struct nfl_masked *ret);

/* "aa:bb:cc:dd:ee:ff", 1 to HW_ADDRESS_MAX_BYTES bytes. */
const char *filter_parse_hw_address(const char *text, uint8_t ret[HW_ADDRESS_MAX_BYTES],
				    size_t *ret_len);

#endif
