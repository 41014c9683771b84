/* SPDX-License-Identifier: MIT */
/* render/parts.h - what the compact line and the JSON object both say of a packet */
#ifndef RENDER_PARTS_H
#define RENDER_PARTS_H

#include <stdbool.h>

#include <nfl/record.h>

#define TCP_FLAG_COUNT 9

/* By bit, from FIN. */
extern const char *const tcp_flag_names[TCP_FLAG_COUNT];

/* "echo request"; NULL when the pair has no common name. */
const char *icmp_name(bool is_v6, uint8_t type, uint8_t code);

/* When it happened: the kernel's time stamp, else when it was read. */
static inline int64_t packet_time(const struct nfl_record *r)
{
	return r->present & NFL_HAS_PACKET_TIME ? r->packet_time_ns : r->receive_time_ns;
}

/* Bytes before any cut, as far as known; 0 when nothing is. */
static inline uint32_t packet_length(const struct nfl_packet *p)
{
	if (p->original_length)
		return p->original_length;
	if (p->decoded.present & NFL_HAS_IP)
		return p->decoded.total_length;
	return p->record.present & NFL_HAS_PAYLOAD ? p->record.payload.len : 0;
}

static inline bool has_prefix(const struct nfl_record *r)
{
	return r->present & NFL_HAS_PREFIX && r->prefix.len > 0;
}

static inline bool is_fragment(const struct nfl_decoded *d)
{
	return d->present & NFL_HAS_FRAGMENT && (d->fragment_offset || d->more_fragments);
}

#endif
