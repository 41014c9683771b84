/* SPDX-License-Identifier: MIT */
/*
 * nfl/render.h - packets as text
 *
 * Every function writes at most `cap` bytes including a final NUL and returns the length without
 * the NUL that the whole text needs or has (as snprintf does): a result of cap or more was cut.
 * NFL_RENDER_MAX is enough for compact text; JSON needs nfl_render_json_bound(). Any thread, never
 * allocates, locale-independent.
 */
#ifndef NFL_RENDER_H
#define NFL_RENDER_H

#include <nfl/record.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NFL_RENDER_MAX ((size_t)2048)

#define NFL_RENDER_COLOR UINT32_C(1) /* ANSI colours */
#define NFL_RENDER_UTC   UINT32_C(2) /* times in UTC instead of local time */
#define NFL_RENDER_DATE  UINT32_C(4) /* compact: the date in front of the time */

/* Where a packet came from; netns is NUL-terminated, borrowed. */
struct nfl_render_source {
	const char *netns;
	uint16_t group;
};

/**
 * nfl_render_compact - one line without the newline
 *
 * 12:00:00.123456 red/100 FORWARD veth12>eth0 10.0.1.60:44916 > 10.0.1.5:80 TCP SYN len 60 ttl 63
 * mark 0x100 "fw-drop: "
 */
NFL_API size_t nfl_render_compact(char *buf, size_t cap, const struct nfl_packet *packet,
				  const struct nfl_render_source *source, uint32_t flags);

/* One JSON object on one line, without the newline; always valid UTF-8. Keys: nflogctl(1). */
NFL_API size_t nfl_render_json(char *buf, size_t cap, const struct nfl_packet *packet,
			       const struct nfl_render_source *source, uint32_t flags);
/* A cap that is enough for this packet. */
NFL_API size_t nfl_render_json_bound(const struct nfl_packet *packet,
				     const struct nfl_render_source *source);

/**
 * nfl_escape_text - bytes of unknown origin made safe for a terminal or a log
 *
 * C0, DEL, C1 controls, invalid UTF-8, and bidirectional or invisible format characters become
 * \xNN (each byte) or \u{NNNN}; backslash and the double quote get a backslash. Everything else stays.
 */
NFL_API size_t nfl_escape_text(char *buf, size_t cap, const void *bytes, size_t len);

/* The same bytes as the inside of a JSON string: invalid UTF-8 becomes U+FFFD. */
NFL_API size_t nfl_escape_json(char *buf, size_t cap, const void *bytes, size_t len);

/* RFC 3339 with nanoseconds, "2026-11-23T12:00:00.123456789Z" (UTC) or with an offset (local). */
NFL_API size_t nfl_render_time(char *buf, size_t cap, int64_t time_ns, uint32_t flags);

/* "10.0.0.1", "2001:db8::1" (RFC 5952); len is 4 or 16, else an empty text. */
NFL_API size_t nfl_render_address(char *buf, size_t cap, const uint8_t *address, size_t len);

#ifdef __cplusplus
}
#endif
#endif
