/* SPDX-License-Identifier: MIT */
/*
 * filters.c: messages become terms of <nfl/filter.h>, field by field; what is wrong with a value is
 * said there. Called by subscribe.c, and by merge.c and last.c for each record.
 */
#include "filters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nfl/filter.h>

#include "arena.h"
#include "follow.h"
#include "policy.h"
#include "source.h"
#include "subscription.h"

/* A message that is being turned into terms. */
struct turn {
	struct arena *arena;
	const char *list; /* "include" */
	size_t index;
	struct status *err;
};

static bool no_memory(const struct turn *turn)
{
	return status_set(turn->err, GRPC_STATUS_RESOURCE_EXHAUSTED, "%s[%zu]: too large",
			  turn->list, turn->index);
}

/* A field of a later version must not be ignored: more would pass than was asked for. */
static bool is_known(const struct turn *turn, const ProtobufCMessage *message, const char *field)
{
	return message->n_unknown_fields == 0 ||
	       status_set(turn->err, GRPC_STATUS_UNIMPLEMENTED,
			  "%s[%zu]%s%s: field %u: not known to this version", turn->list,
			  turn->index, *field ? "." : "", field, message->unknown_fields[0].tag);
}

/* --- lists -------------------------------------------------------------------------------- */

static bool turn_cidrs(const struct turn *turn, const char *field, Nflog__V1__Cidr *const *from,
		       size_t count, const struct nfl_cidr **ret)
{
	struct nfl_cidr *items = arena_alloc(turn->arena, (count + 1) * sizeof(*items));

	if (!items)
		return no_memory(turn);
	for (size_t i = 0; i < count; i++) {
		const ProtobufCBinaryData *address = &from[i]->address;

		if (!is_known(turn, &from[i]->base, field))
			return false;
		/* what has no place in the struct is wrong in any case, and stays so */
		items[i].length =
		    (uint8_t)(from[i]->length < UINT8_MAX ? from[i]->length : UINT8_MAX);
		if (address->len > sizeof(items[i].address))
			continue;
		items[i].address_len = (uint8_t)address->len;
		if (address->len > 0)
			memcpy(items[i].address, address->data, address->len);
	}
	*ret = items;
	return true;
}

static bool turn_ranges(const struct turn *turn, const char *field,
			Nflog__V1__PortRange *const *from, size_t count,
			const struct nfl_range **ret)
{
	struct nfl_range *items = arena_alloc(turn->arena, (count + 1) * sizeof(*items));

	if (!items)
		return no_memory(turn);
	for (size_t i = 0; i < count; i++) {
		if (!is_known(turn, &from[i]->base, field))
			return false;
		items[i].first = from[i]->first;
		items[i].last = from[i]->last ? from[i]->last : from[i]->first;
	}
	*ret = items;
	return true;
}

static bool turn_masked(const struct turn *turn, const char *field,
			Nflog__V1__MaskedValue *const *from, size_t count,
			const struct nfl_masked **ret)
{
	struct nfl_masked *items = arena_alloc(turn->arena, (count + 1) * sizeof(*items));

	if (!items)
		return no_memory(turn);
	for (size_t i = 0; i < count; i++) {
		if (!is_known(turn, &from[i]->base, field))
			return false;
		items[i] = (struct nfl_masked){from[i]->value, from[i]->mask};
	}
	*ret = items;
	return true;
}

static struct nfl_match match_of(enum nfl_match_kind kind, const char *text)
{
	return (struct nfl_match){kind, {(const uint8_t *)text, (uint32_t)strlen(text)}};
}

static bool turn_matches(const struct turn *turn, const char *field,
			 Nflog__V1__StringMatch *const *from, size_t count,
			 const struct nfl_match **ret)
{
	struct nfl_match *items = arena_alloc(turn->arena, (count + 1) * sizeof(*items));

	if (!items)
		return no_memory(turn);
	for (size_t i = 0; i < count; i++) {
		if (!is_known(turn, &from[i]->base, field))
			return false;
		switch (from[i]->pattern_case) {
		case NFLOG__V1__STRING_MATCH__PATTERN_EXACT:
			items[i] = match_of(NFL_MATCH_EXACT, from[i]->exact);
			break;
		case NFLOG__V1__STRING_MATCH__PATTERN_STARTS_WITH:
			items[i] = match_of(NFL_MATCH_STARTS_WITH, from[i]->starts_with);
			break;
		case NFLOG__V1__STRING_MATCH__PATTERN_GLOB:
			items[i] = match_of(NFL_MATCH_GLOB, from[i]->glob);
			break;
		case NFLOG__V1__STRING_MATCH__PATTERN__NOT_SET:
		case _NFLOG__V1__STRING_MATCH__PATTERN__CASE_IS_INT_SIZE:
			break; /* no kind: refused by name */
		}
	}
	*ret = items;
	return true;
}

static bool turn_names(const struct turn *turn, char *const *from, size_t count,
		       const struct nfl_match **ret)
{
	struct nfl_match *items = arena_alloc(turn->arena, (count + 1) * sizeof(*items));

	if (!items)
		return no_memory(turn);
	for (size_t i = 0; i < count; i++)
		items[i] = match_of(NFL_MATCH_EXACT, from[i]);
	*ret = items;
	return true;
}

static bool turn_bytes(const struct turn *turn, const ProtobufCBinaryData *from, size_t count,
		       const struct nfl_bytes **ret)
{
	struct nfl_bytes *items = arena_alloc(turn->arena, (count + 1) * sizeof(*items));

	if (!items)
		return no_memory(turn);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct nfl_bytes){from[i].data, (uint32_t)from[i].len};
	*ret = items;
	return true;
}

/* --- one term ----------------------------------------------------------------------------- */

/* The list of @term that has the name of the message's field. */
#define TURN(how, field)                                                                           \
	(term->field.count = filter->n_##field,                                                    \
	 how(turn, #field, filter->field, filter->n_##field, &term->field.items))
/* The same for lists that have nothing in them to be named. */
#define TURN_PLAIN(how, field)                                                                     \
	(term->field.count = filter->n_##field,                                                    \
	 how(turn, filter->field, filter->n_##field, &term->field.items))
/* Numbers are as they come. An enum is an int: what is negative becomes too large. */
#define TAKE(field)                                                                                \
	(term->field.items = (const uint32_t *)(const void *)filter->field,                        \
	 term->field.count = filter->n_##field)

static void take_numbers(const Nflog__V1__PacketFilter *filter, struct nfl_filter_term *term)
{
	TAKE(protocol);
	TAKE(ip_version);
	TAKE(hook);
	TAKE(uid);
	TAKE(gid);
	TAKE(vlan_id);
	TAKE(hw_protocol);
	TAKE(family);
	TAKE(group);
	TAKE(icmp_type);
}

static bool turn_term(const struct turn *turn, const Nflog__V1__PacketFilter *filter,
		      struct nfl_filter_term *term)
{
	if (!is_known(turn, &filter->base, ""))
		return false;
	term->size = sizeof(*term);
	term->bpf = (struct nfl_bytes){filter->bpf.data, (uint32_t)filter->bpf.len};
	take_numbers(filter, term);
	return TURN(turn_cidrs, any_address) && TURN(turn_cidrs, source_address) &&
	       TURN(turn_cidrs, destination_address) && TURN(turn_ranges, any_port) &&
	       TURN(turn_ranges, source_port) && TURN(turn_ranges, destination_port) &&
	       TURN(turn_masked, tcp_flags) && TURN(turn_masked, mark) &&
	       TURN(turn_matches, prefix) && TURN(turn_matches, any_interface) &&
	       TURN(turn_matches, input_interface) && TURN(turn_matches, output_interface) &&
	       TURN_PLAIN(turn_bytes, hw_address) && TURN_PLAIN(turn_names, netns);
}

static bool turn_terms(struct turn *turn, Nflog__V1__PacketFilter *const *filters, size_t count,
		       struct nfl_filter_term *terms)
{
	for (size_t i = 0; i < count; i++) {
		turn->index = i;
		if (!turn_term(turn, filters[i], &terms[i]))
			return false;
	}
	return true;
}

/* --- all of them -------------------------------------------------------------------------- */

static bool compile(const struct nfl_filter_term *terms, const Nflog__V1__SubscribeRequest *request,
		    struct nfl_filter **ret, struct status *err)
{
	struct nfl_error why;

	switch (nfl_filter_new(terms, request->n_include, terms + request->n_include,
			       request->n_exclude, ret, &why)) {
	case 0:
		return true;
	case -EINVAL:
		return status_set(err, GRPC_STATUS_INVALID_ARGUMENT, "%s", why.text);
	case -E2BIG:
		return status_set(err, GRPC_STATUS_RESOURCE_EXHAUSTED, "%s", why.text);
	default:
		return status_set_memory(err);
	}
}

bool filters_make(const Nflog__V1__SubscribeRequest *request, size_t max, struct arena *arena,
		  struct nfl_filter **ret, struct status *err)
{
	struct turn include = {.arena = arena, .list = "include", .err = err};
	struct turn exclude = {.arena = arena, .list = "exclude", .err = err};
	size_t count = request->n_include + request->n_exclude;
	struct nfl_filter_term *terms;

	*ret = NULL;
	if (count == 0)
		return true;
	if (count > max)
		return status_set(err, GRPC_STATUS_RESOURCE_EXHAUSTED,
				  "too many filters: %zu in include and exclude, %zu are allowed",
				  count, max);
	terms = arena_alloc(arena, count * sizeof(*terms));
	if (!terms)
		return status_set(err, GRPC_STATUS_RESOURCE_EXHAUSTED, "include: too large");
	return turn_terms(&include, request->include, request->n_include, terms) &&
	       turn_terms(&exclude, request->exclude, request->n_exclude,
			  terms + request->n_include) &&
	       compile(terms, request, ret, err);
}

/* --- records ------------------------------------------------------------------------------ */

static const struct nfl_filter *of_tenant(const struct subscription *sub)
{
	return sub->call->access.tenant->filter;
}

bool filters_exist(const struct subscription *sub)
{
	return sub->filter || of_tenant(sub);
}

static bool passes(const struct nfl_filter *filter, const struct follow *follow,
		   const struct wire_stored *stored, const struct wire_cut *cut)
{
	struct nfl_packet packet;

	/* Bytes that were not ours would be a mistake here: they are not held back unseen. */
	return wire_read_stored(stored, cut, &packet) < 0 ||
	       nfl_filter_match(filter, &packet, follow->source->netns, follow->source->group);
}

bool filters_pass(const struct subscription *sub, const struct follow *follow,
		  const struct wire_stored *stored)
{
	const struct nfl_filter *tenants = of_tenant(sub);

	if (tenants && !passes(tenants, follow, stored, NULL))
		return false;
	return !sub->filter || passes(sub->filter, follow, stored, &follow->cut);
}
