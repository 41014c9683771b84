/* SPDX-License-Identifier: MIT */
/*
 * check.c: a list of values becomes a set that is searched; a packet's field is held against it.
 * Called by compile.c and, for every packet, by filter.c.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#define VLAN_ID_MASK 0xfff

/* --- making ------------------------------------------------------------------------------ */

static int init_numbers(struct check *check, struct field_list list, bool are_ranges)
{
	struct nfl_range *ranges = calloc(list.count, sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < list.count; i++) {
		uint32_t number = are_ranges ? 0 : ((const uint32_t *)list.items)[i];

		ranges[i] = are_ranges ? ((const struct nfl_range *)list.items)[i]
				       : (struct nfl_range){number, number};
	}
	numbers_init(&check->numbers, ranges, list.count);
	return 0;
}

static int init_bytes(struct check *check, struct field_list list)
{
	struct nfl_match *matches = calloc(list.count, sizeof(*matches));
	int r;

	if (!matches)
		return -ENOMEM;
	for (size_t i = 0; i < list.count; i++)
		matches[i] =
		    (struct nfl_match){NFL_MATCH_EXACT, ((const struct nfl_bytes *)list.items)[i]};
	r = texts_init(&check->texts, matches, list.count);
	free(matches);
	return r;
}

int check_init(struct check *check, enum field_id field, struct field_list list)
{
	*check = (struct check){.field = field};
	switch (fields[field].type) {
	case TYPE_NUMBERS:
		return init_numbers(check, list, false);
	case TYPE_RANGES:
		return init_numbers(check, list, true);
	case TYPE_MASKED:
		return masked_init(&check->masked, list.items, list.count);
	case TYPE_NETWORKS:
		return networks_init(&check->networks, list.items, list.count);
	case TYPE_BYTES:
		return init_bytes(check, list);
	case TYPE_MATCHES:
		return texts_init(&check->texts, list.items, list.count);
	}
	return 0;
}

void check_done(struct check *check)
{
	switch (fields[check->field].type) {
	case TYPE_NUMBERS:
	case TYPE_RANGES:
		free(check->numbers.ranges);
		break;
	case TYPE_MASKED:
		free(check->masked.items);
		break;
	case TYPE_NETWORKS:
		networks_done(&check->networks);
		break;
	case TYPE_BYTES:
	case TYPE_MATCHES:
		texts_done(&check->texts);
		break;
	}
}

/* --- matching ---------------------------------------------------------------------------- */

/* An empty text is as none: the packet's message does not have it. */
static bool text_matches(const struct check *check, struct nfl_bytes text)
{
	return text.len > 0 && texts_match(&check->texts, text);
}

static bool flag_matches(const struct check *check, bool is_there, uint32_t number)
{
	return is_there && numbers_has(&check->numbers, number);
}

static bool decoded_matches(const struct check *check, const struct nfl_decoded *d)
{
	bool addresses = d->present & NFL_HAS_ADDRESSES;
	bool ports = d->present & NFL_HAS_PORTS;

	switch (check->field) {
	case FIELD_IP_VERSION:
		return flag_matches(check, d->present & NFL_HAS_IP, d->ip_version);
	case FIELD_PROTOCOL:
		return flag_matches(check, d->present & NFL_HAS_PROTOCOL, d->protocol);
	case FIELD_ICMP_TYPE:
		return flag_matches(check, d->present & NFL_HAS_ICMP, d->icmp_type);
	case FIELD_ANY_PORT:
		return flag_matches(check, ports, d->source_port) ||
		       flag_matches(check, ports, d->destination_port);
	case FIELD_SOURCE_PORT:
		return flag_matches(check, ports, d->source_port);
	case FIELD_DESTINATION_PORT:
		return flag_matches(check, ports, d->destination_port);
	case FIELD_TCP_FLAGS:
		return d->present & NFL_HAS_TCP && masked_has(&check->masked, d->tcp_flags);
	case FIELD_ANY_ADDRESS:
		return addresses &&
		       (networks_have(&check->networks, d->source, d->address_len) ||
			networks_have(&check->networks, d->destination, d->address_len));
	case FIELD_SOURCE_ADDRESS:
		return addresses && networks_have(&check->networks, d->source, d->address_len);
	case FIELD_DESTINATION_ADDRESS:
		return addresses && networks_have(&check->networks, d->destination, d->address_len);
	default:
		return false;
	}
}

static bool interface_matches(const struct check *check, const struct nfl_packet *packet)
{
	if (check->field != FIELD_OUTPUT_INTERFACE && (text_matches(check, packet->indev_name) ||
						       text_matches(check, packet->physindev_name)))
		return true;
	return check->field != FIELD_INPUT_INTERFACE &&
	       (text_matches(check, packet->outdev_name) ||
		text_matches(check, packet->physoutdev_name));
}

static bool record_matches(const struct check *check, const struct nfl_record *r)
{
	enum nfl_hook hook;

	switch (check->field) {
	case FIELD_FAMILY:
		return numbers_has(&check->numbers, r->family);
	case FIELD_HOOK:
		hook = nfl_record_hook(r);
		return flag_matches(check, hook != NFL_HOOK_UNSPECIFIED, (uint32_t)hook);
	case FIELD_UID:
		return flag_matches(check, r->present & NFL_HAS_UID, r->uid);
	case FIELD_GID:
		return flag_matches(check, r->present & NFL_HAS_GID, r->gid);
	case FIELD_VLAN_ID:
		return flag_matches(check, r->present & NFL_HAS_VLAN_TCI,
				    r->vlan_tci & VLAN_ID_MASK);
	case FIELD_HW_PROTOCOL:
		return flag_matches(check, r->hw_protocol != 0, r->hw_protocol);
	case FIELD_MARK: /* a packet without one has mark 0 */
		return masked_has(&check->masked, r->present & NFL_HAS_MARK ? r->mark : 0);
	case FIELD_HW_ADDRESS:
		return r->present & NFL_HAS_HW_ADDRESS && text_matches(check, r->hw_address);
	case FIELD_PREFIX:
		return r->present & NFL_HAS_PREFIX && text_matches(check, r->prefix);
	default:
		return false;
	}
}

bool check_matches(const struct check *check, const struct subject *subject)
{
	switch (check->field) {
	case FIELD_GROUP:
		return numbers_has(&check->numbers, subject->group);
	case FIELD_NETNS:
		return text_matches(check, subject->netns);
	case FIELD_ANY_INTERFACE:
	case FIELD_INPUT_INTERFACE:
	case FIELD_OUTPUT_INTERFACE:
		return interface_matches(check, subject->packet);
	case FIELD_FAMILY:
	case FIELD_HOOK:
	case FIELD_UID:
	case FIELD_GID:
	case FIELD_VLAN_ID:
	case FIELD_HW_PROTOCOL:
	case FIELD_MARK:
	case FIELD_HW_ADDRESS:
	case FIELD_PREFIX:
		return record_matches(check, &subject->packet->record);
	case FIELD_IP_VERSION:
	case FIELD_PROTOCOL:
	case FIELD_ICMP_TYPE:
	case FIELD_ANY_PORT:
	case FIELD_SOURCE_PORT:
	case FIELD_DESTINATION_PORT:
	case FIELD_TCP_FLAGS:
	case FIELD_ANY_ADDRESS:
	case FIELD_SOURCE_ADDRESS:
	case FIELD_DESTINATION_ADDRESS:
		return decoded_matches(check, &subject->packet->decoded);
	}
	return false;
}
