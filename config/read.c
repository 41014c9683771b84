/* SPDX-License-Identifier: MIT */
/* Readers of the kinds that a table of keys is made of: text, numbers, choices, maps, lists. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"
#include "value.h"

/* Bytes of a text whose key sets no bound of its own: that of a path (PATH_MAX). */
#define TEXT_MAX_BYTES 4095

typedef bool (*parse_fn)(const char *text, uint64_t *ret);

static void *field(const struct schema_key *key, void *object)
{
	return (char *)object + key->offset;
}

void read_expected(struct problems *problems, const struct schema_key *key, const char *what,
		   const struct node *value)
{
	char found[NODE_DESCRIBE_BYTES];

	config_problem_add(problems, value->mark, "%s: expected %s, not %s", key->name, what,
			   node_describe(value, found));
}

void read_store(const struct schema_key *key, uint64_t number, void *object)
{
	bool truth = number != 0;
	uint32_t narrow = (uint32_t)number;

	if (key->width == sizeof(truth))
		memcpy(field(key, object), &truth, sizeof(truth));
	else if (key->width == sizeof(narrow))
		memcpy(field(key, object), &narrow, sizeof(narrow));
	else
		memcpy(field(key, object), &number, sizeof(number));
}

bool read_in_bounds(struct problems *problems, const struct schema_key *key,
		    const struct node *value, uint64_t number)
{
	if (number >= key->min && number <= key->max)
		return true;
	/* Digits, but perhaps very many of them. */
	config_problem_add(problems, value->mark, "%s: %.40s is not in %" PRIu64 "..%" PRIu64,
			   key->name, value->text, key->min, key->max);
	return false;
}

static void read_parsed(struct problems *problems, const struct schema_key *key,
			const struct node *value, void *object, parse_fn parse, const char *what)
{
	uint64_t number;

	/* The length: an escaped NUL must not hide what follows it. */
	if (!node_is_text(value) || strlen(value->text) != value->len ||
	    !parse(value->text, &number))
		read_expected(problems, key, what, value);
	else if (read_in_bounds(problems, key, value, number))
		read_store(key, number, object);
}

void read_number(struct problems *problems, const struct schema_key *key, const struct node *value,
		 void *object)
{
	read_parsed(problems, key, value, object, value_parse_number,
		    "a decimal number without sign or leading zeros");
}

void read_size(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object)
{
	read_parsed(problems, key, value, object, value_parse_size,
		    "a size in bytes, also with K, M or G (such as 8M)");
}

void read_mode(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object)
{
	read_parsed(problems, key, value, object, value_parse_mode,
		    "file permissions in octal (such as \"0660\")");
}

void read_bool(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object)
{
	if (node_is(value, "true") || node_is(value, "false"))
		read_store(key, node_is(value, "true"), object);
	else
		read_expected(problems, key, "true or false", value);
}

void read_choice(struct problems *problems, const struct schema_key *key, const struct node *value,
		 void *object)
{
	char names[128] = "one of: ";
	size_t used = strlen(names);

	for (size_t i = 0; key->choices[i]; i++) {
		if (node_is(value, key->choices[i])) {
			read_store(key, i, object);
			return;
		}
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 i ? ", " : "", key->choices[i]);
	}
	read_expected(problems, key, names, value);
}

static bool has_control(const struct node *value)
{
	for (size_t i = 0; i < value->len; i++) {
		if ((unsigned char)value->text[i] < 0x20 || value->text[i] == 0x7f)
			return true;
	}
	return false;
}

/* What a text should have been, or NULL when it is right. */
static const char *refuse_text(const struct schema_key *key, const struct node *value)
{
	if (!node_is_text(value) || !value->len)
		return "a text";
	if (has_control(value))
		return "a text without control characters";
	return key->accept ? key->accept(value->text) : NULL;
}

void read_text(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object)
{
	const char *wrong = refuse_text(key, value);
	size_t max = key->max ? key->max : TEXT_MAX_BYTES;
	char **text = field(key, object);

	if (wrong) {
		read_expected(problems, key, wrong, value);
		return;
	}
	if (value->len > max) {
		config_problem_add(problems, value->mark, "%s: %zu bytes are more than %zu",
				   key->name, value->len, max);
		return;
	}
	free(*text); /* two keys of a one-key map, told later, share the field */
	*text = strdup(value->text);
	if (!*text)
		problems->no_memory = true;
}

void read_map(struct problems *problems, const struct schema_key *key, const struct node *value,
	      void *object)
{
	if (value->kind == NODE_MAP)
		walk_map(problems, key->map, value, field(key, object));
	else
		read_expected(problems, key, "a map", value);
}

static size_t count_items(const struct node *list)
{
	size_t count = 0;

	for (const struct node *item = list->first; item; item = item->next)
		count++;
	return count;
}

void read_list(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object)
{
	bool is_list = value->kind == NODE_LIST;
	const struct node *item = is_list ? value->first : value;
	size_t count = is_list ? count_items(value) : 1;
	struct schema_key item_key = *key->item;
	char *items;

	if (!is_list && !key->lone) {
		read_expected(problems, key, "a list", value);
		return;
	}
	if (count < key->min)
		config_problem_add(problems, value->mark, "%s: expected at least one entry",
				   key->name);
	if (!count)
		return;
	items = calloc(count, key->item_size);
	if (!items) {
		problems->no_memory = true;
		return;
	}
	memcpy(field(key, object), &items, sizeof(items));
	memcpy((char *)object + key->count_offset, &count, sizeof(count));
	if (!item_key.name)
		item_key.name = key->name;
	for (size_t i = 0; i < count; i++, item = item->next) {
		if (item->kind != NODE_ALIAS)
			item_key.read(problems, &item_key, item, items + i * key->item_size);
	}
}
