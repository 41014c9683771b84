/* SPDX-License-Identifier: MIT */
/* filter_fields.c: what nflog.proto says of each field of PacketFilter, as a table. Called by compile.c. */
#include "filter_fields.h"

#include <string.h>

#include "glob.h"

#define AT(member) offsetof(struct nfl_filter_term, member)

const struct field fields[FIELD_COUNT] = {
    [FIELD_GROUP] = {"group", TYPE_NUMBERS, AT(group), 0, UINT16_MAX},
    [FIELD_FAMILY] = {"family", TYPE_NUMBERS, AT(family), 1, UINT8_MAX},
    [FIELD_IP_VERSION] = {"ip_version", TYPE_NUMBERS, AT(ip_version), 4, 6},
    [FIELD_PROTOCOL] = {"protocol", TYPE_NUMBERS, AT(protocol), 0, UINT8_MAX},
    [FIELD_HOOK] = {"hook", TYPE_NUMBERS, AT(hook), 1, NFL_HOOK_BROUTING},
    [FIELD_ICMP_TYPE] = {"icmp_type", TYPE_NUMBERS, AT(icmp_type), 0, UINT8_MAX},
    [FIELD_ANY_PORT] = {"any_port", TYPE_RANGES, AT(any_port), 0, UINT16_MAX},
    [FIELD_SOURCE_PORT] = {"source_port", TYPE_RANGES, AT(source_port), 0, UINT16_MAX},
    [FIELD_DESTINATION_PORT] = {"destination_port", TYPE_RANGES, AT(destination_port), 0,
				UINT16_MAX},
    [FIELD_UID] = {"uid", TYPE_NUMBERS, AT(uid), 0, UINT32_MAX},
    [FIELD_GID] = {"gid", TYPE_NUMBERS, AT(gid), 0, UINT32_MAX},
    [FIELD_VLAN_ID] = {"vlan_id", TYPE_NUMBERS, AT(vlan_id), 0, 4095},
    [FIELD_HW_PROTOCOL] = {"hw_protocol", TYPE_NUMBERS, AT(hw_protocol), 0, UINT16_MAX},
    [FIELD_TCP_FLAGS] = {"tcp_flags", TYPE_MASKED, AT(tcp_flags), 0, 0},
    [FIELD_MARK] = {"mark", TYPE_MASKED, AT(mark), 0, 0},
    [FIELD_ANY_ADDRESS] = {"any_address", TYPE_NETWORKS, AT(any_address), 0, 0},
    [FIELD_SOURCE_ADDRESS] = {"source_address", TYPE_NETWORKS, AT(source_address), 0, 0},
    [FIELD_DESTINATION_ADDRESS] = {"destination_address", TYPE_NETWORKS, AT(destination_address), 0,
				   0},
    [FIELD_HW_ADDRESS] = {"hw_address", TYPE_BYTES, AT(hw_address), 0, 0},
    [FIELD_NETNS] = {"netns", TYPE_MATCHES, AT(netns), 0, 0},
    [FIELD_PREFIX] = {"prefix", TYPE_MATCHES, AT(prefix), 0, 0},
    [FIELD_ANY_INTERFACE] = {"any_interface", TYPE_MATCHES, AT(any_interface), 0, 0},
    [FIELD_INPUT_INTERFACE] = {"input_interface", TYPE_MATCHES, AT(input_interface), 0, 0},
    [FIELD_OUTPUT_INTERFACE] = {"output_interface", TYPE_MATCHES, AT(output_interface), 0, 0},
};

struct field_list field_list_of(const struct nfl_filter_term *term, enum field_id id)
{
	struct field_list list;

	/* Each list has a type of its own, all of them the same layout. */
	memcpy(&list, (const char *)term + fields[id].offset, sizeof(list));
	return list;
}

static const char *check_number(enum field_id id, uint32_t number)
{
	const struct field *field = &fields[id];

	if (id == FIELD_IP_VERSION)
		return number == 4 || number == 6 ? NULL : "expected 4 or 6";
	if (number >= field->min && number <= field->max)
		return NULL;
	switch (field->max) {
	case UINT16_MAX:
		return "expected 0..65535";
	case 4095:
		return "expected 0..4095";
	case NFL_HOOK_BROUTING:
		return "expected a hook with a name, 1..8";
	default:
		return field->min ? "expected 1..255" : "expected 0..255";
	}
}

static const char *check_range(const struct nfl_range *range, const char **ret_part)
{
	*ret_part = ".first";
	if (range->first > UINT16_MAX)
		return "expected 0..65535";
	*ret_part = ".last";
	if (range->last > UINT16_MAX)
		return "expected 0..65535";
	return range->last < range->first ? "expected no less than first" : NULL;
}

static const char *check_cidr(const struct nfl_cidr *cidr, const char **ret_part)
{
	*ret_part = ".address";
	if (cidr->address_len != 4 && cidr->address_len != 16)
		return "expected 4 or 16 bytes";
	*ret_part = ".length";
	if (cidr->length > cidr->address_len * 8)
		return cidr->address_len == 4 ? "expected 0..32" : "expected 0..128";
	*ret_part = ".address";
	for (unsigned bit = cidr->length; bit < cidr->address_len * 8U; bit++)
		if (cidr->address[bit / 8] & 0x80 >> bit % 8)
			return "expected no bits after length";
	return NULL;
}

static const char *check_match(enum field_id id, const struct nfl_match *match)
{
	int kind = (int)match->kind; /* the caller's: may be any number */

	if (id == FIELD_NETNS ? kind != NFL_MATCH_EXACT
			      : kind < NFL_MATCH_EXACT || kind > NFL_MATCH_GLOB)
		return id == FIELD_NETNS ? "expected an exact name"
					 : "expected one of exact, starts_with, glob";
	return match->text.len > GLOB_MAX_BYTES ? "expected at most 255 bytes" : NULL;
}

const char *field_check(enum field_id id, const void *items, size_t index, const char **ret_part)
{
	*ret_part = "";
	switch (fields[id].type) {
	case TYPE_NUMBERS:
		return check_number(id, ((const uint32_t *)items)[index]);
	case TYPE_RANGES:
		return check_range(&((const struct nfl_range *)items)[index], ret_part);
	case TYPE_NETWORKS:
		return check_cidr(&((const struct nfl_cidr *)items)[index], ret_part);
	case TYPE_MATCHES:
		return check_match(id, &((const struct nfl_match *)items)[index]);
	case TYPE_BYTES:
		return ((const struct nfl_bytes *)items)[index].len > GLOB_MAX_BYTES
			   ? "expected at most 255 bytes"
			   : NULL;
	case TYPE_MASKED: /* every value is one; some match no packet */
		break;
	}
	return NULL;
}
