/* SPDX-License-Identifier: MIT */
/*
 * One packet on one line, for people who know tcpdump: when, where, who to whom, what, and the
 * rule's prefix last. Words that do not apply are left out. Names that came from outside (prefix,
 * interfaces, namespace) are escaped; numbers are never resolved to names of hosts or services.
 */
#include <nfl/render.h>

#include "color.h"
#include "parts.h"
#include "words.h"
#include "writer.h"

static void put_arp(struct text *t, const struct nfl_decoded *d)
{
	bool is_request = d->arp_operation == 1;
	bool is_reply = d->arp_operation == 2;

	if (is_request)
		text_literal(t, " ARP who-has");
	else if (is_reply)
		text_literal(t, " ARP reply");
	else
		word_number(t, "ARP operation", d->arp_operation);
	if (!(d->present & NFL_HAS_ADDRESSES))
		return;
	text_char(t, ' ');
	/* a request asks for the target's address, for the sender */
	text_address(t, is_request ? d->destination : d->source, d->address_len);
	text_string(t, is_request ? " tell " : is_reply ? " to " : " > ");
	text_address(t, is_request ? d->source : d->destination, d->address_len);
}

static void put_endpoints(struct text *t, const struct nfl_decoded *d)
{
	text_char(t, ' ');
	words_endpoint(t, d, true);
	text_literal(t, " > ");
	words_endpoint(t, d, false);
}

/* A blank, and what words_kind() says; nothing where that is nothing. */
static void put_kind(struct text *t, const struct nfl_packet *p)
{
	size_t start = t->len;

	text_char(t, ' ');
	words_kind(t, &p->record, &p->decoded);
	if (t->len == start + 1)
		t->len = start;
}

static void put_headers(struct text *t, const struct nfl_packet *p, uint32_t flags)
{
	const struct nfl_decoded *d = &p->decoded;

	if (d->present & NFL_HAS_ARP) {
		put_arp(t, d);
		return;
	}
	if (d->present & NFL_HAS_ADDRESSES)
		put_endpoints(t, d);
	if (d->present & NFL_HAS_PROTOCOL) {
		text_char(t, ' ');
		words_protocol(t, d, flags);
	} else {
		put_kind(t, p);
	}
	if (is_fragment(d)) {
		word_number(t, "frag", d->fragment_offset);
		if (d->more_fragments)
			text_char(t, '+');
	}
	if (packet_length(p))
		word_number(t, "len", packet_length(p));
	if (d->present & NFL_HAS_IP)
		word_number(t, "ttl", d->ttl);
}

static void put_time(struct text *t, const struct nfl_record *r, uint32_t flags)
{
	if (flags & NFL_RENDER_NO_TIME)
		return;
	color_begin(t, flags, COLOR_DIM);
	text_clock(t, packet_time(r), flags);
	color_end(t, flags);
	text_char(t, ' ');
}

static void put_prefix(struct text *t, const struct nfl_packet *p, uint32_t flags)
{
	if (!has_prefix(&p->record))
		return;
	text_char(t, ' ');
	color_begin(t, flags, COLOR_PREFIX);
	words_prefix(t, p);
	color_end(t, flags);
}

size_t nfl_render_compact(char *buf, size_t cap, const struct nfl_packet *packet,
			  const struct nfl_render_source *source, uint32_t flags)
{
	struct text t = text_start(buf, cap);

	put_time(&t, &packet->record, flags);
	color_begin(&t, flags, COLOR_SOURCE);
	words_source(&t, packet, source);
	color_end(&t, flags);
	text_char(&t, ' ');
	words_hook(&t, &packet->record, flags);
	words_devices(&t, packet, flags);
	put_headers(&t, packet, flags);
	words_metadata(&t, packet, flags);
	put_prefix(&t, packet, flags);
	return text_end(&t);
}
