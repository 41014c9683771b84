/* SPDX-License-Identifier: MIT */
/*
 * value.h - the text forms of single values, without a file around them
 *
 * All return true when the whole text is such a value, else false with the outputs untouched.
 * Numbers too large for their type come out as UINT64_MAX, for the caller's bounds to refuse.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a hexadecimal digit, UINT_MAX for anything else. */
unsigned value_digit(char c);

/* Decimal digits, no sign, no leading zero (YAML 1.1 would take it for octal). */
bool value_parse_number(const char *text, uint64_t *ret);

/* The same, or 0x and hexadecimal digits. */
bool value_parse_integer(const char *text, uint64_t *ret);

/* A number of bytes, also with K, M or G (either case), powers of 1024: "8M". */
bool value_parse_size(const char *text, uint64_t *ret);

/* File permissions: three octal digits, also with a leading zero: "0660". */
bool value_parse_mode(const char *text, uint64_t *ret);

/* One number, or two with a hyphen: "110-119". */
bool value_parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last);

/* A numeric address and a port, 1 to 65535: "127.0.0.1:7443", "[::1]:7443". */
bool value_parse_endpoint(const char *text, bool *ret_loopback);

#endif
