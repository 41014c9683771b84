/* SPDX-License-Identifier: MIT */
/*
 * pcapng, by draft-ietf-opsawg-pcapng: one block a call. A packet comes in as it was decoded; out goes
 * the kernel's message (nflog.c), or the IP packet in it with a comment that tells the rest.
 */
#include <nfl/pcapng.h>

#include <string.h>

#include <nfl/decode.h>

#include "block.h"
#include "nflog.h"
#include "parts.h"
#include "words.h"
#include "writer.h"

#define BLOCK_SECTION    UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE  UINT32_C(1)
#define BLOCK_STATISTICS UINT32_C(5)
#define BLOCK_PACKET     UINT32_C(6)

#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define LENGTH_UNKNOWN   UINT64_MAX

#define OPTION_COMMENT        1
#define SECTION_OS            3
#define SECTION_USERAPPL      4
#define INTERFACE_NAME        2
#define INTERFACE_DESCRIPTION 3
#define INTERFACE_TSRESOL     9
#define PACKET_DROPCOUNT      4
#define STATISTICS_IFDROP     5

#define NANOSECONDS 9 /* of INTERFACE_TSRESOL: 10^-9 */

/* A packet's block beside the packet: headers, and options with two comments. */
#define PACKET_FIXED_BOUND 2560
#define COMMENT_BYTES      1024

/* What comes before the addresses in an IP header. */
#define SOURCE_OFFSET_IP4 12
#define SOURCE_OFFSET_IP6 8

size_t nfl_pcapng_section(void *buf, size_t cap, const char *application)
{
	struct block b = block_begin(buf, cap, BLOCK_SECTION);

	block_u32(&b, BYTE_ORDER_MAGIC);
	block_u16(&b, 1); /* version 1.0 */
	block_u16(&b, 0);
	block_u64(&b, LENGTH_UNKNOWN);
	block_option_text(&b, SECTION_OS, "Linux");
	block_option_text(&b, SECTION_USERAPPL, application);
	block_options_end(&b);
	return block_end(&b);
}

static void put_names(struct block *b, const struct nfl_render_source *source)
{
	char group[64];
	struct text t = text_start(group, sizeof(group));

	if (!source) {
		block_option_text(b, INTERFACE_NAME, "?");
		block_option_text(b, INTERFACE_DESCRIPTION, "all sources of the subscription");
		return;
	}
	block_option_text(b, INTERFACE_NAME, source->netns && *source->netns ? source->netns : "?");
	text_literal(&t, "network namespace, NFLOG group ");
	text_number(&t, source->group);
	(void)text_end(&t);
	block_option_text(b, INTERFACE_DESCRIPTION, group);
}

size_t nfl_pcapng_interface(void *buf, size_t cap, enum nfl_pcapng_link link,
			    const struct nfl_render_source *source)
{
	struct block b = block_begin(buf, cap, BLOCK_INTERFACE);

	block_u16(&b, (uint16_t)link);
	block_u16(&b, 0);
	block_u32(&b, 0); /* packets of any length */
	put_names(&b, source);
	block_option(&b, INTERFACE_TSRESOL, &(uint8_t){NANOSECONDS}, 1);
	block_options_end(&b);
	return block_end(&b);
}

/* The IP packet, where the payload has one: behind an Ethernet header at some hooks, and behind VLAN
 * tags. The decoder knows where. */
static struct nfl_bytes ip_packet(const struct nfl_record *r)
{
	struct nfl_decoded d;
	size_t at;

	nfl_decode_payload(r, &d);
	if (!d.ip_version || !(d.present & NFL_HAS_ADDRESSES))
		return (struct nfl_bytes){0};
	at = (size_t)(d.source - r->payload.data);
	at -= d.ip_version == 4 ? SOURCE_OFFSET_IP4 : SOURCE_OFFSET_IP6;
	return (struct nfl_bytes){r->payload.data + at, r->payload.len - (uint32_t)at};
}

/* Bytes that the kernel, the server or the user has cut off. */
static uint32_t cut_bytes(const struct nfl_packet *p)
{
	uint32_t captured = p->record.present & NFL_HAS_PAYLOAD ? p->record.payload.len : 0;

	return packet_length(p) > captured ? packet_length(p) - captured : 0;
}

/* Returns the length that the packet had. That of a message is the message's: Wireshark looks for more
 * attributes in what it believes to be missing, and dissects no packet then. */
static uint32_t put_data(struct block *b, enum nfl_pcapng_link link, const struct nfl_packet *p,
			 uint32_t *ret_captured)
{
	size_t start = b->len;
	struct nfl_bytes ip;

	if (link == NFL_PCAPNG_NFLOG) {
		nflog_put(b, p);
		*ret_captured = (uint32_t)(b->len - start);
		return *ret_captured;
	}
	ip = ip_packet(&p->record);
	block_bytes(b, ip.data, ip.len);
	*ret_captured = ip.len;
	return ip.len + cut_bytes(p);
}

/* What the packet's bytes do not say, where they are all that is written. */
static void put_provenance(struct block *b, const struct nfl_packet *p,
			   const struct nfl_render_source *source, bool has_bytes)
{
	char comment[COMMENT_BYTES];
	struct text t = text_start(comment, sizeof(comment));

	words_source(&t, p, source);
	text_char(&t, ' ');
	words_hook(&t, &p->record, 0);
	words_devices(&t, p, 0);
	words_metadata(&t, p, 0);
	if (has_prefix(&p->record)) {
		text_char(&t, ' ');
		words_prefix(&t, p);
	}
	if (!has_bytes) {
		text_literal(&t, ", no IP packet: ");
		words_kind(&t, &p->record, &p->decoded);
	}
	(void)text_end(&t);
	block_option(b, OPTION_COMMENT, comment, (uint16_t)strlen(comment));
}

size_t nfl_pcapng_packet(void *buf, size_t cap, enum nfl_pcapng_link link, uint32_t interface,
			 const struct nfl_packet *packet, const struct nfl_render_source *source,
			 uint64_t lost, const char *comment)
{
	struct block b = block_begin(buf, cap, BLOCK_PACKET);
	size_t lengths, start;
	uint32_t captured, original;

	block_u32(&b, interface);
	block_time(&b, packet_time(&packet->record));
	lengths = b.len;
	block_u64(&b, 0); /* captured and original length, when they are known */
	start = b.len;
	original = put_data(&b, link, packet, &captured);
	block_set_u32(&b, lengths, captured);
	block_set_u32(&b, lengths + sizeof(captured), original);
	if (link == NFL_PCAPNG_RAW)
		put_provenance(&b, packet, source, captured > 0);
	block_option_text(&b, OPTION_COMMENT, comment);
	if (lost)
		block_option_u64(&b, PACKET_DROPCOUNT, lost);
	if (b.len > BLOCK_PAD(start + captured))
		block_options_end(&b);
	return block_end(&b);
}

size_t nfl_pcapng_packet_bound(const struct nfl_packet *packet)
{
	return PACKET_FIXED_BOUND + nflog_bound(packet);
}

size_t nfl_pcapng_statistics(void *buf, size_t cap, uint32_t interface, int64_t time_ns,
			     uint64_t lost, const char *comment)
{
	struct block b = block_begin(buf, cap, BLOCK_STATISTICS);

	block_u32(&b, interface);
	block_time(&b, time_ns);
	block_option_text(&b, OPTION_COMMENT, comment);
	block_option_u64(&b, STATISTICS_IFDROP, lost);
	block_options_end(&b);
	return block_end(&b);
}
