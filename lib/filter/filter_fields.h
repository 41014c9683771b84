/* SPDX-License-Identifier: MIT */
/* filter/filter_fields.h - the fields of a term: their names, where they are, which values they take */
#ifndef FILTER_FILTER_FIELDS_H
#define FILTER_FILTER_FIELDS_H

#include <nfl/filter.h>

/* In the order in which a packet is held against them: what is quick and tells much first. */
enum field_id {
	FIELD_GROUP,
	FIELD_FAMILY,
	FIELD_IP_VERSION,
	FIELD_PROTOCOL,
	FIELD_HOOK,
	FIELD_ICMP_TYPE,
	FIELD_ANY_PORT,
	FIELD_SOURCE_PORT,
	FIELD_DESTINATION_PORT,
	FIELD_UID,
	FIELD_GID,
	FIELD_VLAN_ID,
	FIELD_HW_PROTOCOL,
	FIELD_TCP_FLAGS,
	FIELD_MARK,
	FIELD_ANY_ADDRESS,
	FIELD_SOURCE_ADDRESS,
	FIELD_DESTINATION_ADDRESS,
	FIELD_HW_ADDRESS,
	FIELD_NETNS,
	FIELD_PREFIX,
	FIELD_ANY_INTERFACE,
	FIELD_INPUT_INTERFACE,
	FIELD_OUTPUT_INTERFACE,
};

#define FIELD_COUNT 24

enum field_type {
	TYPE_NUMBERS,  /* uint32_t */
	TYPE_RANGES,   /* struct nfl_range */
	TYPE_MASKED,   /* struct nfl_masked */
	TYPE_NETWORKS, /* struct nfl_cidr */
	TYPE_BYTES,    /* struct nfl_bytes */
	TYPE_MATCHES,  /* struct nfl_match */
};

/* Any of the lists of a term. */
struct field_list {
	const void *items;
	size_t count;
};

struct field {
	const char *name; /* as in nflog.proto */
	enum field_type type;
	size_t offset; /* of the list in struct nfl_filter_term */
	uint32_t min;  /* of TYPE_NUMBERS and TYPE_RANGES */
	uint32_t max;
};

extern const struct field fields[FIELD_COUNT];

struct field_list field_list_of(const struct nfl_filter_term *term, enum field_id id);

/* What is wrong with a value of this field, and where inside it ("" or ".length"); NULL: nothing. */
const char *field_check(enum field_id id, const void *items, size_t index, const char **ret_part);

#endif
