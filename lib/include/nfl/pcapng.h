/* SPDX-License-Identifier: MIT */
/*
 * nfl/pcapng.h - packets as a capture that Wireshark, tshark and tcpdump read
 *
 * Each function writes one whole block of a pcapng file: a section first, then each interface before
 * its first packet; the first interface of a section is number 0. A packet is written as the kernel
 * told it (LINKTYPE_NFLOG: prefix, hook, uid and all other attributes), or as the IP packet alone
 * (LINKTYPE_RAW), for programs that know no NFLOG. One file has one link type.
 *
 * A function returns the length of its block, a multiple of 4; or 0 when cap is too small, for half a
 * block is no block. NFL_PCAPNG_MAX is enough, for a packet nfl_pcapng_packet_bound(). Texts are cut
 * where they are too long and made harmless by nfl_escape_text(). Any thread; never allocates.
 */
#ifndef NFL_PCAPNG_H
#define NFL_PCAPNG_H

#include <nfl/record.h>
#include <nfl/render.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NFL_PCAPNG_MAX ((size_t)4096)

/* LINKTYPE_* of https://www.tcpdump.org/linktypes.html */
enum nfl_pcapng_link {
	NFL_PCAPNG_RAW = 101,
	NFL_PCAPNG_NFLOG = 239,
};

/* Begins a section: numbers of interfaces begin anew. @application: what writes it, as "nflogctl 1.0" */
NFL_API size_t nfl_pcapng_section(void *buf, size_t cap, const char *application);

/* An interface named after the source's namespace, described with its group; NULL: of all sources. */
NFL_API size_t nfl_pcapng_interface(void *buf, size_t cap, enum nfl_pcapng_link link,
				    const struct nfl_render_source *source);

/**
 * nfl_pcapng_packet - one packet
 * @interface: its number in the section
 * @lost: packets of the interface that were lost since the one before
 * @comment: may be NULL
 * @source: of comments with NFL_PCAPNG_RAW, which tell what the IP packet does not; may be NULL
 *
 * NFL_PCAPNG_RAW: what is no IP packet has a comment and no bytes.
 */
NFL_API size_t nfl_pcapng_packet(void *buf, size_t cap, enum nfl_pcapng_link link,
				 uint32_t interface, const struct nfl_packet *packet,
				 const struct nfl_render_source *source, uint64_t lost,
				 const char *comment);
/* A cap that is enough for this packet. */
NFL_API size_t nfl_pcapng_packet_bound(const struct nfl_packet *packet);

/* What is known of an interface at this time: packets lost since the section began. */
NFL_API size_t nfl_pcapng_statistics(void *buf, size_t cap, uint32_t interface, int64_t time_ns,
				     uint64_t lost, const char *comment);

#ifdef __cplusplus
}
#endif
#endif
