/* SPDX-License-Identifier: MIT */
/*
 * What a table cannot say: values that have more than one form, and keys of one map that depend on
 * each other. Rules that join several maps are in check.c.
 */
#include "rules.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "check.h"
#include "value.h"

/* Keys that have no meaning beside another one. */
static void refuse_beside(struct problems *problems, const struct node *map, const char *key,
			  const char *beside)
{
	const struct node *value = walk_find(map, key);

	if (value && walk_find(map, beside))
		config_problem_add(problems, value->mark, "%s: has no meaning with '%s'", key,
				   beside);
}

void rule_listen(struct problems *problems, const struct schema *schema, const struct node *map,
		 void *object)
{
	struct config_listen *listen = object;

	(void)schema;
	if (!walk_find(map, "unix") && !walk_find(map, "tcp"))
		config_problem_add(problems, map->mark, "expected the key 'unix' or 'tcp'");
	refuse_beside(problems, map, "tcp", "unix");
	refuse_beside(problems, map, "tls", "unix");
	refuse_beside(problems, map, "mode", "tcp");
	refuse_beside(problems, map, "group", "tcp");
	if (!listen->tcp)
		return;
	(void)value_parse_endpoint(listen->tcp, &listen->tcp_loopback); /* it was accepted */
	if (!listen->tcp_loopback && !listen->tls.given)
		config_problem_add(problems, listen->mark,
				   "tcp: '%s' is not a loopback address, so it needs the key 'tls'",
				   listen->tcp);
}

/* There is neither TLS nor a password: who reaches it reads it. */
void rule_metrics(struct problems *problems, const struct schema *schema, const struct node *map,
		  void *object)
{
	const struct config *config = object;
	bool is_loopback;

	(void)schema;
	if (!config->metrics_listen || config->metrics_remote)
		return;
	if (value_parse_endpoint(config->metrics_listen, &is_loopback) && !is_loopback)
		config_problem_add(problems, walk_find(map, "listen")->mark,
				   "listen: '%s' is not a loopback address, so it needs "
				   "'remote: true'",
				   config->metrics_listen);
}

/* A value that was refused left its default behind, which says nothing about the others. */
static bool is_refused(const struct problems *problems, const struct node *map, const char *key)
{
	const struct node *value = walk_find(map, key);

	return value && config_problem_is_at(problems, value->mark);
}

void rule_history(struct problems *problems, const struct schema *schema, const struct node *map,
		  void *object)
{
	const struct config_history *history = object;

	(void)schema;
	if (is_refused(problems, map, "bytes_per_source") ||
	    is_refused(problems, map, "bytes_total"))
		return;
	if (history->bytes_per_source > history->bytes_total)
		config_problem_add(problems, map->mark,
				   "history: bytes_per_source (%" PRIu64
				   ") is more than bytes_total (%" PRIu64 ")",
				   history->bytes_per_source, history->bytes_total);
}

bool rule_one_key(struct problems *problems, const struct node *map, const char *what)
{
	size_t keys = 0;

	for (const struct node *key = map->first; key; key = key->next->next)
		keys++;
	if (keys != 1)
		config_problem_add(problems, map->mark, "expected a map of one key, %s, not of %zu",
				   what, keys);
	return keys == 1;
}

void rule_identity(struct problems *problems, const struct schema *schema, const struct node *map,
		   void *object)
{
	struct config_identity *identity = object;

	if (!rule_one_key(problems, map, "the kind of identity"))
		return;
	for (size_t i = 0; i < schema->count; i++) {
		if (node_is(map->first, schema->keys[i].name))
			identity->kind = (enum config_identity_kind)i;
	}
	if ((identity->kind != CONFIG_IDENTITY_TOKEN_SHA256 &&
	     identity->kind != CONFIG_IDENTITY_CERT_DNS) ||
	    !identity->text)
		return;
	for (char *letter = identity->text; *letter; letter++)
		*letter = (char)tolower((unsigned char)*letter); /* one form, to compare */
}

void rule_netns(struct problems *problems, const struct schema *schema, const struct node *map,
		void *object)
{
	struct config_source *source = object;

	(void)schema;
	if (!rule_one_key(problems, map, "path or pid"))
		return;
	if (walk_find(map, "pid"))
		source->netns_kind = CONFIG_NETNS_PID;
	else if (source->netns && strpbrk(source->netns, "*?["))
		source->netns_kind = CONFIG_NETNS_PATH_GLOB;
	else
		source->netns_kind = CONFIG_NETNS_PATH;
}

/* A name, a glob, "host", or a map of the other two ways. */
void read_netns(struct problems *problems, const struct schema_key *key, const struct node *value,
		void *object)
{
	struct config_source *source = object;

	if (value->kind == NODE_MAP) {
		walk_map(problems, key->map, value, object);
		return;
	}
	if (value->kind == NODE_LIST) {
		read_expected(problems, key, "a name, or a map with 'path' or 'pid'", value);
		return;
	}
	read_text(problems, key, value, object);
	if (!source->netns)
		return;
	if (strcmp(source->netns, "host") == 0)
		source->netns_kind = CONFIG_NETNS_HOST;
	else if (strpbrk(source->netns, "*?["))
		source->netns_kind = CONFIG_NETNS_GLOB;
}

void read_true(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object)
{
	if (node_is(value, "true"))
		read_store(key, true, object);
	else
		read_expected(problems, key, "true", value);
}

void read_size_or_none(struct problems *problems, const struct schema_key *key,
		       const struct node *value, void *object)
{
	if (!node_is(value, "0"))
		read_size(problems, key, value, object);
}

bool read_span(struct problems *problems, const struct schema_key *key, const struct node *value,
	       const char *what, uint32_t *ret_first, uint32_t *ret_last)
{
	uint64_t first, last;

	if (!node_is_text(value) || strlen(value->text) != value->len ||
	    !value_parse_range(value->text, &first, &last)) {
		read_expected(problems, key, what, value);
		return false;
	}
	if (!read_in_bounds(problems, key, value, first > last ? first : last))
		return false;
	if (first > last)
		read_expected(problems, key, "a range that does not go backwards", value);
	*ret_first = (uint32_t)first;
	*ret_last = (uint32_t)last;
	return true;
}

void read_range(struct problems *problems, const struct schema_key *key, const struct node *value,
		void *object)
{
	struct config_group_range *range = object;
	uint32_t first, last;

	if (read_span(problems, key, value, "a group or a range (such as 100 or \"110-119\")",
		      &first, &last))
		*range = (struct config_group_range){(uint16_t)first, (uint16_t)last};
}

/* What an entry wrong in itself would overlap with says nothing, so that waits for a right list. */
void read_groups(struct problems *problems, const struct schema_key *key, const struct node *value,
		 void *object)
{
	struct config_source *source = object;
	size_t before = config_problem_count(problems);

	read_list(problems, key, value, object);
	if (config_problem_count(problems) == before)
		check_groups(problems, value, source);
	if (config_problem_count(problems) != before)
		source->group_count = 0;
}

void rule_source(struct problems *problems, const struct schema *schema, const struct node *map,
		 void *object)
{
	const struct config_source *source = object;
	const struct node *bytes = walk_find(map, "copy_bytes");

	(void)schema;
	if (bytes && source->copy != CONFIG_COPY_PACKET && source->copy_bytes)
		config_problem_add(problems, bytes->mark, "copy_bytes: needs 'copy: packet'");
}

void rule_tenant(struct problems *problems, const struct schema *schema, const struct node *map,
		 void *object)
{
	const struct config_tenant *tenant = object;

	(void)schema;
	/* Without it only an admin, who sees those of all others, sees anything. */
	if (!walk_find(map, "sources") && !tenant->admin && !is_refused(problems, map, "admin"))
		config_problem_add(problems, map->mark, "missing key 'sources'");
}

void rule_root(struct problems *problems, const struct schema *schema, const struct node *map,
	       void *object)
{
	(void)schema;
	(void)map;
	check_config(problems, object);
}
