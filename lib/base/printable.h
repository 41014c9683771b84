/* SPDX-License-Identifier: MIT */
/*
 * base/printable.h - what may go to a terminal or into a log as it is: one rule for all
 *
 * Not printable are controls (C0, DEL, C1), what is no UTF-8, and characters that are not seen or that
 * turn the text around them. nfl_escape_text() and its like make them harmless.
 */
#ifndef NFL_BASE_PRINTABLE_H
#define NFL_BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool printable_is(uint32_t code);

/* Bytes at the beginning of the text that are printable characters. */
size_t printable_run(const void *text, size_t len);

/* The last line of defence, for texts whose parts should have been escaped: '?' for each byte that is
 * not of a printable character. */
void printable_force(char *text);

#endif
