/* SPDX-License-Identifier: MIT */
/* Field by field. What a value may be is for the server to say: it names what is wrong. */
#include "filters.h"

#include <errno.h>
#include <string.h>

static int put_bytes(struct nfl_bytes bytes, struct arena *arena, ProtobufCBinaryData *ret)
{
	*ret = (ProtobufCBinaryData){0};
	if (bytes.len == 0)
		return 0;
	ret->data = arena_alloc(arena, bytes.len);
	if (!ret->data)
		return -ENOMEM;
	memcpy(ret->data, bytes.data, bytes.len);
	ret->len = bytes.len;
	return 0;
}

/* Texts of terms need not end with a NUL. */
static char *copy_text(struct nfl_bytes text, struct arena *arena)
{
	char *copy = arena_alloc(arena, (size_t)text.len + 1);

	if (copy && text.len > 0)
		memcpy(copy, text.data, text.len);
	if (copy)
		copy[text.len] = '\0';
	return copy;
}

static int put_cidrs(const struct nfl_cidr *items, size_t count, struct arena *arena,
		     Nflog__V1__Cidr ***ret)
{
	Nflog__V1__Cidr **list = arena_alloc(arena, (count + 1) * sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++) {
		list[i] = arena_alloc(arena, sizeof(**list));
		if (!list[i])
			return -ENOMEM;
		nflog__v1__cidr__init(list[i]);
		list[i]->length = items[i].length;
		r = put_bytes((struct nfl_bytes){items[i].address, items[i].address_len}, arena,
			      &list[i]->address);
	}
	*ret = list;
	return r;
}

static int put_ranges(const struct nfl_range *items, size_t count, struct arena *arena,
		      Nflog__V1__PortRange ***ret)
{
	Nflog__V1__PortRange **list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list && i < count; i++) {
		list[i] = arena_alloc(arena, sizeof(**list));
		if (!list[i])
			return -ENOMEM;
		nflog__v1__port_range__init(list[i]);
		list[i]->first = items[i].first;
		list[i]->last = items[i].last;
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static int put_masked(const struct nfl_masked *items, size_t count, struct arena *arena,
		      Nflog__V1__MaskedValue ***ret)
{
	Nflog__V1__MaskedValue **list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list && i < count; i++) {
		list[i] = arena_alloc(arena, sizeof(**list));
		if (!list[i])
			return -ENOMEM;
		nflog__v1__masked_value__init(list[i]);
		list[i]->value = items[i].value;
		list[i]->mask = items[i].mask;
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static Nflog__V1__StringMatch *make_match(const struct nfl_match *from, struct arena *arena)
{
	Nflog__V1__StringMatch *match = arena_alloc(arena, sizeof(*match));
	char *text = copy_text(from->text, arena);

	if (!match || !text)
		return NULL;
	nflog__v1__string_match__init(match);
	switch (from->kind) {
	case NFL_MATCH_EXACT:
		match->pattern_case = NFLOG__V1__STRING_MATCH__PATTERN_EXACT;
		match->exact = text;
		break;
	case NFL_MATCH_STARTS_WITH:
		match->pattern_case = NFLOG__V1__STRING_MATCH__PATTERN_STARTS_WITH;
		match->starts_with = text;
		break;
	case NFL_MATCH_GLOB:
		match->pattern_case = NFLOG__V1__STRING_MATCH__PATTERN_GLOB;
		match->glob = text;
		break;
	}
	return match;
}

static int put_matches(const struct nfl_match *items, size_t count, struct arena *arena,
		       Nflog__V1__StringMatch ***ret)
{
	Nflog__V1__StringMatch **list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list && i < count; i++) {
		list[i] = make_match(&items[i], arena);
		if (!list[i])
			return -ENOMEM;
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static int put_names(const struct nfl_match *items, size_t count, struct arena *arena, char ***ret)
{
	char **list = arena_alloc(arena, (count + 1) * sizeof(*list));

	for (size_t i = 0; list && i < count; i++) {
		list[i] = copy_text(items[i].text, arena);
		if (!list[i])
			return -ENOMEM;
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static int put_addresses(const struct nfl_bytes *items, size_t count, struct arena *arena,
			 ProtobufCBinaryData **ret)
{
	ProtobufCBinaryData *list = arena_alloc(arena, (count + 1) * sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = put_bytes(items[i], arena, &list[i]);
	*ret = list;
	return r;
}

/* Enums of protobuf-c are ints of the same size. */
static int put_numbers(const uint32_t *items, size_t count, struct arena *arena, void *ret)
{
	uint32_t *list = arena_alloc(arena, (count + 1) * sizeof(*list));

	if (!list)
		return -ENOMEM;
	if (count > 0)
		memcpy(list, items, count * sizeof(*list));
	memcpy(ret, &list, sizeof(list));
	return 0;
}

/* The list of @filter that has the name of the term's. */
#define PUT(how, field)                                                                            \
	(r < 0 ? r                                                                                 \
	       : (filter->n_##field = term->field.count,                                           \
		  how(term->field.items, term->field.count, arena, &filter->field)))

static int put_lists(const struct nfl_filter_term *term, struct arena *arena,
		     Nflog__V1__PacketFilter *filter)
{
	int r = 0;

	r = PUT(put_cidrs, any_address);
	r = PUT(put_cidrs, source_address);
	r = PUT(put_cidrs, destination_address);
	r = PUT(put_ranges, any_port);
	r = PUT(put_ranges, source_port);
	r = PUT(put_ranges, destination_port);
	r = PUT(put_masked, tcp_flags);
	r = PUT(put_masked, mark);
	r = PUT(put_matches, prefix);
	r = PUT(put_matches, any_interface);
	r = PUT(put_matches, input_interface);
	r = PUT(put_matches, output_interface);
	r = PUT(put_names, netns);
	return PUT(put_addresses, hw_address);
}

static int put_all_numbers(const struct nfl_filter_term *term, struct arena *arena,
			   Nflog__V1__PacketFilter *filter)
{
	int r = 0;

	r = PUT(put_numbers, protocol);
	r = PUT(put_numbers, ip_version);
	r = PUT(put_numbers, hook);
	r = PUT(put_numbers, uid);
	r = PUT(put_numbers, gid);
	r = PUT(put_numbers, vlan_id);
	r = PUT(put_numbers, hw_protocol);
	r = PUT(put_numbers, family);
	r = PUT(put_numbers, group);
	return PUT(put_numbers, icmp_type);
}

static int put_term(const struct nfl_filter_term *term, struct arena *arena,
		    Nflog__V1__PacketFilter **ret)
{
	Nflog__V1__PacketFilter *filter = arena_alloc(arena, sizeof(*filter));
	int r;

	if (term->size != sizeof(*term))
		return -EINVAL;
	if (!filter)
		return -ENOMEM;
	nflog__v1__packet_filter__init(filter);
	r = put_lists(term, arena, filter);
	if (r == 0)
		r = put_all_numbers(term, arena, filter);
	if (r == 0)
		r = put_bytes(term->bpf, arena, &filter->bpf);
	*ret = filter;
	return r;
}

int filters_put(const struct nfl_filter_term *terms, size_t count, struct arena *arena,
		Nflog__V1__PacketFilter ***ret)
{
	Nflog__V1__PacketFilter **list = arena_alloc(arena, (count + 1) * sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = put_term(&terms[i], arena, &list[i]);
	*ret = list;
	return r;
}
