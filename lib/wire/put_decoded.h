/* SPDX-License-Identifier: MIT */
/* wire/put_decoded.h - append the field Packet.decoded */
#ifndef WIRE_PUT_DECODED_H
#define WIRE_PUT_DECODED_H

#include <stdint.h>

#include <nfl/record.h>

/* 25 numbers of at most 7 bytes with their tags, and two addresses of 18. */
#define PUT_DECODED_MAX_BYTES 224

/* Returns the end of what was written; nothing where nothing was understood. */
uint8_t *put_decoded(uint8_t *p, const struct nfl_decoded *d);

#endif
