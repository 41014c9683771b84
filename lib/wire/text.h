/* SPDX-License-Identifier: MIT */
/* wire/text.h - a protobuf string is UTF-8 or readers refuse the whole message; the kernel's are bytes */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

#define TEXT_REPAIR_GROWTH 3 /* one bad byte becomes U+FFFD, three bytes */

/* Whether the bytes are well-formed UTF-8. NUL and control characters are. */
bool text_is_utf8(struct nfl_bytes text);

/**
 * text_repair - copy, with U+FFFD for each byte that belongs to no well-formed sequence
 * @dst: at least TEXT_REPAIR_GROWTH times @text's length; does not overlap it
 * Returns the end of what was written.
 */
uint8_t *text_repair(uint8_t *dst, struct nfl_bytes text);

#endif
