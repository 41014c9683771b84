/* SPDX-License-Identifier: MIT */
/*
 * One map of the file against its table of keys. Every problem is told and the walk goes on, so
 * that one load finds all of them.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

/* Where each key of a table stands in a map: NULL while it was not seen. */
struct seen {
	const struct node *keys[SCHEMA_KEYS_MAX];
};

const struct node *walk_find(const struct node *map, const char *name)
{
	for (const struct node *key = map->first; key; key = key->next->next) {
		if (node_is(key, name))
			return key->next;
	}
	return NULL;
}

static void tell_unknown(struct problems *problems, const struct schema *schema,
			 const struct node *key)
{
	char names[384] = "", found[NODE_DESCRIBE_BYTES];
	size_t used = 0;

	if (key->kind != NODE_SCALAR) {
		config_problem_add(problems, key->mark, "expected a key, not %s",
				   node_describe(key, found));
		return;
	}
	for (size_t i = 0; i < schema->count && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 schema->keys[i].name);
	config_problem_add(problems, key->mark, "unknown key %s (expected one of: %s)",
			   node_describe(key, found), names);
}

/* The table's line for a key of the file, or NULL after telling why there is none. */
static const struct schema_key *find_key(struct problems *problems, const struct schema *schema,
					 const struct node *key, struct seen *seen)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (!node_is(key, schema->keys[i].name))
			continue;
		if (seen->keys[i]) {
			config_problem_add(problems, key->mark,
					   "duplicate key '%s' (first at %u:%u)", key->text,
					   seen->keys[i]->mark.line, seen->keys[i]->mark.column);
			return NULL;
		}
		seen->keys[i] = key;
		return &schema->keys[i];
	}
	if (key->kind != NODE_ALIAS)
		tell_unknown(problems, schema, key);
	return NULL;
}

static void set_mark(const struct schema *schema, struct config_mark mark, void *object)
{
	if (schema->mark_offset)
		memcpy((char *)object + schema->mark_offset, &mark, sizeof(mark));
}

/* Also of the maps inside, which the file may leave out. */
static void set_defaults(const struct schema *schema, void *object)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_key *key = &schema->keys[i];

		if (key->initial)
			read_store(key, key->initial, object);
		if (key->read == read_map)
			set_defaults(key->map, (char *)object + key->offset);
	}
}

static void read_pair(struct problems *problems, const struct schema *schema,
		      const struct node *key, struct seen *seen, void *object)
{
	const struct schema_key *line = find_key(problems, schema, key, seen);
	const struct node *value = key->next;

	if (!line)
		return;
	if (line->given)
		*((bool *)((char *)object + line->given)) = true;
	if (line->marks)
		set_mark(schema, value->mark, object);
	if (value->kind != NODE_ALIAS)
		line->read(problems, line, value, object);
}

void walk_map(struct problems *problems, const struct schema *schema, const struct node *map,
	      void *object)
{
	struct seen seen = {0};

	assert(schema->count <= SCHEMA_KEYS_MAX);
	set_mark(schema, map->mark, object);
	set_defaults(schema, object);
	for (const struct node *key = map->first; key; key = key->next->next)
		read_pair(problems, schema, key, &seen, object);
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->keys[i].required && !seen.keys[i])
			config_problem_add(problems, map->mark, "missing key '%s'",
					   schema->keys[i].name);
	}
	if (schema->check)
		schema->check(problems, schema, map, object);
}
