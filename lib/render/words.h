/* SPDX-License-Identifier: MIT */
/*
 * render/words.h - parts of a packet as people read them, for lines, tables and comments
 *
 * Names that came from outside (prefix, interfaces, namespace) are escaped. @flags:
 * NFL_RENDER_NUMERIC has numbers instead of the names of protocols, hooks, interfaces and states.
 */
#ifndef RENDER_WORDS_H
#define RENDER_WORDS_H

#include <stdbool.h>

#include <nfl/record.h>
#include <nfl/render.h>

#include "writer.h"

/* red/100 */
void words_source(struct text *t, const struct nfl_packet *p,
		  const struct nfl_render_source *source);
/* FORWARD, or HOOK2 */
void words_hook(struct text *t, const struct nfl_record *r, uint32_t flags);
/* veth0, br0(veth0) with the bridge's port, (veth0), or nothing. */
void words_device(struct text *t, const struct nfl_packet *p, bool is_input, uint32_t flags);
/* A blank, and veth0>eth0; or nothing. */
void words_devices(struct text *t, const struct nfl_packet *p, uint32_t flags);
/* 10.0.0.1:80, [2001:db8::1]:80, or the bare address. */
void words_endpoint(struct text *t, const struct nfl_decoded *d, bool is_source);
/* TCP SYN,ACK; ICMP echo request; proto 99 */
void words_protocol(struct text *t, const struct nfl_decoded *d, uint32_t flags);
/* What is logged when its own headers do not say: IPv4, ARP, ethertype 0x88cc, or nothing. */
void words_kind(struct text *t, const struct nfl_record *r, const struct nfl_decoded *d);
/* What the kernel knows beside the packet's bytes, each behind a blank: mark 0x1 uid 0 ct NEW */
void words_metadata(struct text *t, const struct nfl_packet *p, uint32_t flags);
/* The prefix in quotes, of a packet that has_prefix(). */
void words_prefix(struct text *t, const struct nfl_packet *p);

/* A blank, the key, a blank, the value. */
void word_number(struct text *t, const char *key, uint64_t value);
void word_hex(struct text *t, const char *key, uint32_t value, unsigned min_digits);

#endif
