/* SPDX-License-Identifier: MIT */
/* A tree of keys and texts, or lists of texts, becomes an array. */
#include "pairs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "file.h"
#include "tree.h"

#define WRONG_BYTES 640

static void add_pair(struct problems *problems, const struct node *key, const struct node *value,
		     bool listed, struct config_pairs *pairs)
{
	struct config_pair *grown, *pair;

	grown = reallocarray(pairs->items, pairs->count + 1, sizeof(*grown));
	if (!grown) {
		problems->no_memory = true;
		return;
	}
	pairs->items = grown;
	pair = &grown[pairs->count++];
	*pair = (struct config_pair){.key = strdup(key->text),
				     .value = strdup(value->text),
				     .listed = listed,
				     .key_mark = key->mark,
				     .mark = value->mark};
	if (!pair->key || !pair->value)
		problems->no_memory = true;
}

/* A text without a NUL, which an escape could have given it. */
static bool is_word(struct problems *problems, const char *what, const struct node *node)
{
	char shown[NODE_DESCRIBE_BYTES];

	if (node_is_text(node) && strlen(node->text) == node->len)
		return true;
	if (node->kind != NODE_ALIAS) /* that was told */
		config_problem_add(problems, node->mark, "%s: expected a text, not %s", what,
				   node_describe(node, shown));
	return false;
}

static bool is_known(const struct config_pairs *pairs, const struct node *key)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].key, key->text) == 0)
			return true;
	return false;
}

static void read_value(struct problems *problems, const struct node *key, const struct node *value,
		       struct config_pairs *pairs)
{
	if (value->kind != NODE_LIST) {
		if (is_word(problems, key->text, value))
			add_pair(problems, key, value, false, pairs);
		return;
	}
	for (const struct node *item = value->first; item; item = item->next)
		if (is_word(problems, key->text, item))
			add_pair(problems, key, item, true, pairs);
}

static void read_map(struct problems *problems, const struct node *map, struct config_pairs *pairs)
{
	if (map->kind != NODE_MAP) {
		config_problem_add(problems, map->mark, "expected a map of settings");
		return;
	}
	for (const struct node *key = map->first; key; key = key->next->next) {
		if (!is_word(problems, "a key", key))
			continue;
		if (is_known(pairs, key))
			config_problem_add(problems, key->mark, "%s is given twice", key->text);
		else
			read_value(problems, key, key->next, pairs);
	}
}

static void read_pairs(struct problems *problems, const char *text, size_t len,
		       struct config_pairs *pairs)
{
	CLEANUP(tree_freep) struct node *root = NULL;

	if (len > CONFIG_FILE_MAX_BYTES) {
		config_problem_add(problems, (struct config_mark){0}, "more than %zu bytes",
				   CONFIG_FILE_MAX_BYTES);
		return;
	}
	if (!text_check(problems, text, len))
		return;
	root = tree_parse(problems, text, len);
	if (root)
		read_map(problems, root, pairs);
}

int config_pairs_load(const char *path, struct config_pairs *ret, struct config_errors *errors)
{
	struct problems problems = {.path = path, .errors = errors};
	/* One byte more than allowed shows a file that is too large. */
	CLEANUP(freep) char *text = malloc(CONFIG_FILE_MAX_BYTES + 1);
	size_t len = 0;
	int r;

	*errors = (struct config_errors){0};
	*ret = (struct config_pairs){.path = strdup(path)};
	if (!text || !ret->path)
		return -ENOMEM;
	r = config_file_read(path, text, CONFIG_FILE_MAX_BYTES + 1, &len);
	if (r < 0)
		return r;
	read_pairs(&problems, text, len, ret);
	config_problem_sort(&problems);
	if (problems.no_memory) {
		config_errors_done(errors); /* of a part of the file */
		return -ENOMEM;
	}
	return config_problem_count(&problems) ? -EINVAL : 0;
}

void config_pairs_wrong(const struct config_pairs *pairs, struct config_mark mark,
			struct config_errors *errors, const char *format, ...)
{
	struct problems problems = {.path = pairs->path, .errors = errors};
	char text[WRONG_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	config_problem_add(&problems, mark, "%s", text);
	config_problem_sort(&problems);
}

void config_pairs_done(struct config_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].key);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	free(pairs->path);
	*pairs = (struct config_pairs){0};
}
