/* SPDX-License-Identifier: MIT */
/*
 * The keys of a packet filter. Each fills a list of a term, from one value or a list of them. What a
 * text means is in filter_text.c; what a term means, in <nfl/filter.h>.
 */
#include "filter_keys.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/filter.h>

#include "filter_text.h"
#include "filter_value.h"
#include "rules.h"
#include "schema.h"
#include "value.h"

#define MATCH_MAX_BYTES 255
#define ID_MAX          UINT32_C(4294967294) /* of a user or group; the next one means "none" */
#define VLAN_ID_MAX     4095
#define TCP_FLAGS_MAX   0x1ff

/* --- names of numbers -------------------------------------------------------------------- */

static const struct schema_name protocols[] = {
    {"tcp", IPPROTO_TCP},
    {"udp", IPPROTO_UDP},
    {"icmp", IPPROTO_ICMP},
    {"sctp", IPPROTO_SCTP},
    {"icmpv6", IPPROTO_ICMPV6},
    {"igmp", IPPROTO_IGMP},
    {"gre", IPPROTO_GRE},
    {"esp", IPPROTO_ESP},
    {"ah", IPPROTO_AH},
    {"dccp", IPPROTO_DCCP},
    {"udplite", IPPROTO_UDPLITE},
    {"ospf", 89},
    {"vrrp", 112},
    {NULL, 0},
};

static const struct schema_name ip_versions[] = {{"4", 4}, {"6", 6}, {NULL, 0}};

static const struct schema_name tcp_flags[] = {
    {"fin", NFL_TCP_FIN}, {"syn", NFL_TCP_SYN},
    {"rst", NFL_TCP_RST}, {"psh", NFL_TCP_PSH},
    {"ack", NFL_TCP_ACK}, {"urg", NFL_TCP_URG},
    {"ece", NFL_TCP_ECE}, {"cwr", NFL_TCP_CWR},
    {"ae", NFL_TCP_AE},   {NULL, 0},
};

static const struct schema_name hooks[] = {
    {"prerouting", NFL_HOOK_PREROUTING},   {"input", NFL_HOOK_INPUT},
    {"forward", NFL_HOOK_FORWARD},         {"output", NFL_HOOK_OUTPUT},
    {"postrouting", NFL_HOOK_POSTROUTING}, {"ingress", NFL_HOOK_INGRESS},
    {"egress", NFL_HOOK_EGRESS},           {NULL, 0},
};

static const struct schema_name ether_types[] = {
    {"ip", 0x0800}, {"ip6", 0x86dd}, {"arp", 0x0806}, {NULL, 0}};

static const struct schema_name families[] = {
    {"ipv4", NFL_FAMILY_IPV4},
    {"ipv6", NFL_FAMILY_IPV6},
    {"arp", NFL_FAMILY_ARP},
    {"netdev", NFL_FAMILY_NETDEV},
    {"bridge", NFL_FAMILY_BRIDGE},
    {"inet", NFL_FAMILY_INET},
    {NULL, 0},
};

/* --- readers of one value ---------------------------------------------------------------- */

/* The text of a scalar; for anything else one that no value has. */
static const char *text_of(const struct node *value)
{
	return node_is_text(value) && strlen(value->text) == value->len ? value->text : "";
}

static void read_cidr(struct problems *problems, const struct schema_key *key,
		      const struct node *value, void *object)
{
	const char *wrong = filter_parse_cidr(text_of(value), object);

	if (wrong)
		read_expected(problems, key, wrong, value);
}

static void read_port(struct problems *problems, const struct schema_key *key,
		      const struct node *value, void *object)
{
	struct nfl_range *range = object;

	read_span(problems, key, value, "a port or a range (such as 80 or \"1000-2000\")",
		  &range->first, &range->last);
}

static void read_masked(struct problems *problems, const struct schema_key *key,
			const struct node *value, void *object)
{
	const char *wrong =
	    filter_parse_masked(text_of(value), key->names, (uint32_t)key->max, object);

	if (wrong)
		read_expected(problems, key, wrong, value);
}

static void tell_names(struct problems *problems, const struct schema_key *key,
		       const struct node *value)
{
	char names[160];
	size_t used =
	    (size_t)snprintf(names, sizeof(names), "%sone of: ", key->max ? "a number or " : "");

	for (size_t i = 0; key->names[i].name && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 key->names[i].name);
	read_expected(problems, key, names, value);
}

/* A name of key->names, or a number where key->max allows one. */
static void read_named(struct problems *problems, const struct schema_key *key,
		       const struct node *value, void *object)
{
	uint64_t number;

	for (const struct schema_name *name = key->names; name->name; name++) {
		if (node_is(value, name->name)) {
			read_store(key, name->number, object);
			return;
		}
	}
	if (!key->max || !value_parse_integer(text_of(value), &number))
		tell_names(problems, key, value);
	else if (read_in_bounds(problems, key, value, number))
		read_store(key, number, object);
}

static void read_hw_address(struct problems *problems, const struct schema_key *key,
			    const struct node *value, void *object)
{
	uint8_t address[HW_ADDRESS_MAX_BYTES];
	struct nfl_bytes *bytes = object;
	size_t len = 0;
	const char *wrong = filter_parse_hw_address(text_of(value), address, &len);
	uint8_t *copy;

	if (wrong) {
		read_expected(problems, key, wrong, value);
		return;
	}
	copy = malloc(len);
	if (!copy) {
		problems->no_memory = true;
		return;
	}
	memcpy(copy, address, len);
	*bytes = (struct nfl_bytes){.data = copy, .len = (uint32_t)len};
}

/* --- texts to match ---------------------------------------------------------------------- */

static void free_text(const struct nfl_bytes *bytes)
{
	void *data;

	memcpy(&data, &bytes->data, sizeof(data)); /* ours, const only for who matches */
	free(data);
}

static void read_as(struct problems *problems, const struct schema_key *key,
		    const struct node *value, enum nfl_match_kind kind, struct nfl_match *match)
{
	char *text = NULL;

	read_text(problems, key, value, &text);
	if (!text)
		return;
	free_text(&match->text); /* two keys of a one-key map, told later */
	*match = (struct nfl_match){
	    .kind = kind,
	    .text = {.data = (const uint8_t *)text, .len = (uint32_t)strlen(text)},
	};
}

static void read_exact(struct problems *problems, const struct schema_key *key,
		       const struct node *value, void *object)
{
	read_as(problems, key, value, NFL_MATCH_EXACT, object);
}

static void read_start(struct problems *problems, const struct schema_key *key,
		       const struct node *value, void *object)
{
	read_as(problems, key, value, NFL_MATCH_STARTS_WITH, object);
}

static void rule_match(struct problems *problems, const struct schema *schema,
		       const struct node *map, void *object)
{
	(void)schema;
	(void)object;
	(void)rule_one_key(problems, map, "starts_with or exact");
}

static const struct schema_key match_keys[] = {
    {.name = "starts_with", .read = read_start, .max = MATCH_MAX_BYTES},
    {.name = "exact", .read = read_exact, .max = MATCH_MAX_BYTES},
};

static const struct schema schema_match = {SCHEMA(match_keys), .check = rule_match};

/* A text, a glob where it looks like one, or a map that says which. */
static void read_match(struct problems *problems, const struct schema_key *key,
		       const struct node *value, void *object)
{
	if (value->kind == NODE_MAP)
		walk_map(problems, &schema_match, value, object);
	else if (value->kind == NODE_LIST)
		read_expected(problems, key, "a text, or a map with 'starts_with' or 'exact'",
			      value);
	else
		read_as(problems, key, value,
			strpbrk(value->text, "*?") ? NFL_MATCH_GLOB : NFL_MATCH_EXACT, object);
}

/* --- a term ------------------------------------------------------------------------------ */

/* Items have the name of their list. */
static const struct schema_key cidr_item = {.read = read_cidr};
static const struct schema_key port_item = {.read = read_port, .max = UINT16_MAX};
static const struct schema_key match_item = {.read = read_match, .max = MATCH_MAX_BYTES};
static const struct schema_key netns_item = {.read = read_exact, .max = MATCH_MAX_BYTES};
static const struct schema_key hw_address_item = {.read = read_hw_address};
static const struct schema_key tcp_flags_item = {
    .read = read_masked, .names = tcp_flags, .max = TCP_FLAGS_MAX};
static const struct schema_key mark_item = {.read = read_masked, .max = UINT32_MAX};

#define NUMBER .width = sizeof(uint32_t)

static const struct schema_key protocol_item = {NUMBER, .read = read_named, .names = protocols,
						.max = UINT8_MAX};
static const struct schema_key ip_version_item = {NUMBER, .read = read_named, .names = ip_versions};
static const struct schema_key hook_item = {NUMBER, .read = read_named, .names = hooks};
static const struct schema_key hw_protocol_item = {NUMBER, .read = read_named, .names = ether_types,
						   .max = UINT16_MAX};
static const struct schema_key family_item = {NUMBER, .read = read_named, .names = families};
static const struct schema_key id_item = {NUMBER, .read = read_number, .max = ID_MAX};
static const struct schema_key vlan_id_item = {NUMBER, .read = read_number, .max = VLAN_ID_MAX};
static const struct schema_key group_item = {NUMBER, .read = read_number, .max = UINT16_MAX};
static const struct schema_key icmp_type_item = {NUMBER, .read = read_number, .max = UINT8_MAX};

/* One value, or a list of them. */
#define VALUES(member, of)                                                                         \
	{                                                                                          \
		.name = #member, .offset = offsetof(struct nfl_filter_term, member.items),         \
		.count_offset = offsetof(struct nfl_filter_term, member.count),                    \
		.item_size = sizeof(*((struct nfl_filter_term *)0)->member.items),                 \
		.read = read_list, .item = &(of), .min = 1, .lone = true                           \
	}

static const struct schema_key term_keys[] = {
    VALUES(any_address, cidr_item),
    VALUES(source_address, cidr_item),
    VALUES(destination_address, cidr_item),
    VALUES(any_port, port_item),
    VALUES(source_port, port_item),
    VALUES(destination_port, port_item),
    VALUES(protocol, protocol_item),
    VALUES(ip_version, ip_version_item),
    VALUES(tcp_flags, tcp_flags_item),
    VALUES(mark, mark_item),
    VALUES(prefix, match_item),
    VALUES(hook, hook_item),
    VALUES(any_interface, match_item),
    VALUES(input_interface, match_item),
    VALUES(output_interface, match_item),
    VALUES(uid, id_item),
    VALUES(gid, id_item),
    VALUES(hw_address, hw_address_item),
    VALUES(vlan_id, vlan_id_item),
    VALUES(hw_protocol, hw_protocol_item),
    VALUES(family, family_item),
    VALUES(netns, netns_item),
    VALUES(group, group_item),
    VALUES(icmp_type, icmp_type_item),
};

static void rule_term(struct problems *problems, const struct schema *schema,
		      const struct node *map, void *object)
{
	struct nfl_filter_term *term = object;

	(void)schema;
	term->size = sizeof(*term);
	if (!map->first)
		config_problem_add(problems, map->mark,
				   "expected at least one key: every packet matches");
}

static const struct schema schema_term = {SCHEMA(term_keys), .check = rule_term};

/* --- the filter -------------------------------------------------------------------------- */

static const struct schema_key term_item = {.read = read_map, .map = &schema_term};

static size_t count_values(const struct nfl_filter_term *terms, size_t count)
{
	size_t values = 0;

	for (size_t t = 0; t < count; t++) {
		for (size_t k = 0; k < ARRAY_SIZE(term_keys); k++) {
			size_t more;

			memcpy(&more, (const char *)&terms[t] + term_keys[k].count_offset,
			       sizeof(more));
			values += more;
		}
	}
	return values;
}

static void rule_filter(struct problems *problems, const struct schema *schema,
			const struct node *map, void *object)
{
	const struct config_filter *filter = object;
	size_t terms = filter->include_count + filter->exclude_count;
	size_t values = count_values(filter->include, filter->include_count) +
			count_values(filter->exclude, filter->exclude_count);

	(void)schema;
	if (terms > NFL_FILTER_TERMS_MAX)
		config_problem_add(problems, map->mark, "filter: %zu entries are more than %u",
				   terms, NFL_FILTER_TERMS_MAX);
	if (values > NFL_FILTER_VALUES_MAX)
		config_problem_add(problems, map->mark, "filter: %zu values are more than %u",
				   values, NFL_FILTER_VALUES_MAX);
	if (!walk_find(map, "include") && !walk_find(map, "exclude"))
		config_problem_add(problems, map->mark, "expected the key 'include' or 'exclude'");
}

static const struct schema_key filter_keys[] = {
    {.name = "include",
     LIST_OF(config_filter, include, include_count),
     .read = read_list,
     .item = &term_item,
     .min = 1},
    {.name = "exclude",
     LIST_OF(config_filter, exclude, exclude_count),
     .read = read_list,
     .item = &term_item,
     .min = 1},
};

const struct schema schema_filter = {
    SCHEMA(filter_keys),
    .mark_offset = offsetof(struct config_filter, mark),
    .check = rule_filter,
};

/* --- its end ----------------------------------------------------------------------------- */

static void list_done(const struct schema_key *key, const struct nfl_filter_term *term)
{
	bool are_bytes = key->item == &hw_address_item;
	bool are_texts = key->item == &match_item || key->item == &netns_item;
	void *items;
	size_t count;

	memcpy(&items, (const char *)term + key->offset, sizeof(items));
	memcpy(&count, (const char *)term + key->count_offset, sizeof(count));
	for (size_t i = 0; are_bytes && i < count; i++)
		free_text(&((struct nfl_bytes *)items)[i]);
	for (size_t i = 0; are_texts && i < count; i++)
		free_text(&((struct nfl_match *)items)[i].text);
	free(items);
}

void filter_value_done(struct nfl_filter_term *term)
{
	for (size_t k = 0; k < schema_term.count; k++)
		list_done(&term_keys[k], term);
}

static void terms_done(struct nfl_filter_term *terms, size_t count)
{
	for (size_t t = 0; t < count; t++)
		filter_value_done(&terms[t]);
	free(terms);
}

/* --- single values ----------------------------------------------------------------------- */

/* "KEY: expected WHAT, not 'text'" or "KEY: 7 is not in 1..5": what of it says what was expected. */
static void cut_expected(const char *problem, char ret[FILTER_EXPECTED_BYTES])
{
	static const char expected[] = ": expected ", bounds[] = " is not in ";
	const char *what = strstr(problem, expected);
	const char *end;

	if (!what) {
		what = strstr(problem, bounds);
		(void)snprintf(ret, FILTER_EXPECTED_BYTES, "a number in %s",
			       what ? what + strlen(bounds) : "bounds");
		return;
	}
	what += strlen(expected);
	end = strstr(what, ", not ");
	(void)snprintf(ret, FILTER_EXPECTED_BYTES, "%.*s", (int)(end ? end - what : 200), what);
}

static const struct schema_key *find_key(const char *name)
{
	for (size_t k = 0; k < schema_term.count; k++)
		if (strcmp(term_keys[k].name, name) == 0)
			return &term_keys[k];
	return NULL;
}

/* Moves the one item of @from behind those of @to. */
static int move_item(const struct schema_key *key, struct nfl_filter_term *from,
		     struct nfl_filter_term *to)
{
	void *item, *items, *grown;
	size_t count;

	memcpy(&item, (char *)from + key->offset, sizeof(item));
	memcpy(&items, (char *)to + key->offset, sizeof(items));
	memcpy(&count, (char *)to + key->count_offset, sizeof(count));
	grown = reallocarray(items, count + 1, key->item_size);
	if (!grown)
		return -ENOMEM;
	memcpy((char *)grown + count * key->item_size, item, key->item_size);
	count++;
	memcpy((char *)to + key->offset, &grown, sizeof(grown));
	memcpy((char *)to + key->count_offset, &count, sizeof(count));
	free(item);
	*from = (struct nfl_filter_term){0};
	return 0;
}

static int read_value(const struct schema_key *key, const char *text, struct nfl_filter_term *ret,
		      char ret_expected[FILTER_EXPECTED_BYTES])
{
	struct config_errors errors = {0};
	struct problems problems = {.path = "", .errors = &errors};
	size_t len = strlen(text);
	struct node *node = calloc(1, sizeof(*node) + len + 1);
	int r = 0;

	if (!node)
		return -ENOMEM;
	node->kind = NODE_SCALAR;
	node->len = len;
	memcpy(node->text, text, len);
	read_list(&problems, key, node, ret);
	if (problems.no_memory)
		r = -ENOMEM;
	else if (errors.count > 0)
		r = -EINVAL;
	if (r == -EINVAL)
		cut_expected(errors.items[0].text, ret_expected);
	config_errors_done(&errors);
	free(node);
	return r;
}

int filter_value_add(struct nfl_filter_term *term, const char *key, const char *text,
		     char ret_expected[FILTER_EXPECTED_BYTES])
{
	const struct schema_key *found = find_key(key);
	struct nfl_filter_term one = {0};
	int r;

	if (!found)
		return -EINVAL;
	r = read_value(found, text, &one, ret_expected);
	if (r == 0)
		r = move_item(found, &one, term);
	filter_value_done(&one);
	return r;
}

void filter_done(struct config_filter *filter)
{
	terms_done(filter->include, filter->include_count);
	terms_done(filter->exclude, filter->exclude_count);
}
