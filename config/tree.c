/* SPDX-License-Identifier: MIT */
/*
 * Text to tree, the only user of libyaml. What YAML allows and a configuration does not is found
 * here: anchors, aliases, tags, a second document, deep nesting, bytes that are not UTF-8.
 */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "cleanup.h"
#include "printable.h"
#include "utf8.h"

/* Characters of a value that a message shows. */
#define DESCRIBE_CHARACTERS_MAX 40

struct builder {
	struct problems *problems;
	const char *text;
	struct node *root;
	struct node *open[CONFIG_DEPTH_MAX]; /* borrowed; lists and maps being read */
	size_t depth;
	bool has_document;
};

struct config_mark text_mark(const char *text, size_t offset)
{
	struct config_mark mark = {.line = 1, .column = 1};

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) { /* not inside a sequence */
			mark.column++;
		}
	}
	return mark;
}

bool text_check(struct problems *problems, const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t code = 0;

		n = utf8_decode(bytes + i, len - i, &code);
		if (n && code)
			continue;
		if (n)
			config_problem_add(problems, text_mark(text, i), "NUL byte");
		else
			config_problem_add(problems, text_mark(text, i), "byte 0x%02x is not UTF-8",
					   bytes[i]);
		return false;
	}
	return true;
}

void tree_free(struct node *node)
{
	/* Recursion is as deep as the tree, CONFIG_DEPTH_MAX. */
	while (node) {
		struct node *next = node->next;

		tree_free(node->first);
		free(node);
		node = next;
	}
}

void tree_freep(struct node **node)
{
	tree_free(*node);
}

bool node_is(const struct node *node, const char *text)
{
	return node->kind == NODE_SCALAR && node->len == strlen(text) &&
	       memcmp(node->text, text, node->len) == 0;
}

bool node_is_text(const struct node *node)
{
	if (node->kind != NODE_SCALAR)
		return false;
	return !node->plain ||
	       (!node_is(node, "") && !node_is(node, "~") && !node_is(node, "null"));
}

const char *node_describe(const struct node *node, char buf[NODE_DESCRIBE_BYTES])
{
	const uint8_t *bytes = (const uint8_t *)node->text;
	size_t used = 0, at = 0;

	if (node->kind == NODE_MAP)
		return "a map";
	if (node->kind == NODE_LIST)
		return "a list";
	if (!node_is_text(node))
		return "nothing";
	buf[used++] = '\'';
	for (unsigned i = 0; i < DESCRIBE_CHARACTERS_MAX && at < node->len; i++) {
		uint32_t code = 0;
		size_t n = utf8_decode(bytes + at, node->len - at, &code);

		/* An escape can make a control character, which a terminal must not see. */
		if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
			used += (size_t)snprintf(buf + used, sizeof("\\xff"), "\\x%02x", code);
		} else if (!printable_is(code)) {
			buf[used++] = '?';
		} else {
			memcpy(buf + used, bytes + at, n);
			used += n;
		}
		at += n ? n : 1;
	}
	(void)strcpy(buf + used, at < node->len ? "...'" : "'");
	return buf;
}

static struct config_mark to_mark(yaml_mark_t mark)
{
	/* libyaml counts from 0. A file has CONFIG_FILE_MAX_BYTES, so both fit. */
	return (struct config_mark){.line = (unsigned)mark.line + 1,
				    .column = (unsigned)mark.column + 1};
}

static void tell_syntax(struct builder *b, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "not YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		b->problems->no_memory = true;
	else if (parser->error == YAML_READER_ERROR)
		config_problem_add(b->problems, text_mark(b->text, parser->problem_offset), "%s",
				   problem);
	else if (parser->context)
		config_problem_add(b->problems, to_mark(parser->problem_mark), "%s (%s at %zu:%zu)",
				   problem, parser->context, parser->context_mark.line + 1,
				   parser->context_mark.column + 1);
	else
		config_problem_add(b->problems, to_mark(parser->problem_mark), "%s", problem);
}

/* Appends a node where reading is; the tree owns it. NULL without memory. */
static struct node *add_node(struct builder *b, enum node_kind kind, yaml_mark_t mark,
			     const void *text, size_t len)
{
	struct node *node = calloc(1, sizeof(*node) + len + 1);
	struct node *parent = b->depth ? b->open[b->depth - 1] : NULL;

	if (!node) {
		b->problems->no_memory = true;
		return NULL;
	}
	node->kind = kind;
	node->mark = to_mark(mark);
	node->len = len;
	if (len)
		memcpy(node->text, text, len);
	if (!parent)
		b->root = node;
	else if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	if (parent)
		parent->last = node;
	return node;
}

static void tell_properties(struct builder *b, yaml_mark_t mark, const yaml_char_t *anchor,
			    const yaml_char_t *tag)
{
	if (anchor)
		config_problem_add(b->problems, to_mark(mark), "anchors (&) are not allowed");
	if (tag)
		config_problem_add(b->problems, to_mark(mark), "tags (!) are not allowed");
}

static bool open_node(struct builder *b, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node;

	if (b->depth == CONFIG_DEPTH_MAX) {
		config_problem_add(b->problems, to_mark(event->start_mark),
				   "nested more than %d levels deep", CONFIG_DEPTH_MAX);
		return false;
	}
	node = add_node(b, kind, event->start_mark, NULL, 0);
	if (!node)
		return false;
	b->open[b->depth++] = node;
	return true;
}

static bool add_scalar(struct builder *b, const yaml_event_t *event)
{
	struct node *node = add_node(b, NODE_SCALAR, event->start_mark, event->data.scalar.value,
				     event->data.scalar.length);

	if (!node)
		return false;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	tell_properties(b, event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
	return true;
}

static bool begin_document(struct builder *b, const yaml_event_t *event)
{
	if (b->has_document) {
		config_problem_add(b->problems, to_mark(event->start_mark),
				   "a second document: expected only one");
		return false;
	}
	b->has_document = true;
	return true;
}

/* Returns false when reading ends early; the reason was told. */
static bool take_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return true;
	case YAML_DOCUMENT_START_EVENT:
		return begin_document(b, event);
	case YAML_ALIAS_EVENT:
		config_problem_add(b->problems, to_mark(event->start_mark),
				   "aliases (*) are not allowed");
		return add_node(b, NODE_ALIAS, event->start_mark, NULL, 0);
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		tell_properties(b, event->start_mark, event->data.sequence_start.anchor,
				event->data.sequence_start.tag);
		return open_node(b, NODE_LIST, event);
	case YAML_MAPPING_START_EVENT:
		tell_properties(b, event->start_mark, event->data.mapping_start.anchor,
				event->data.mapping_start.tag);
		return open_node(b, NODE_MAP, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	}
	return true;
}

static bool take_events(struct builder *b, yaml_parser_t *parser)
{
	bool more = true;

	while (more) {
		CLEANUP(yaml_event_delete) yaml_event_t event = {0};

		if (!yaml_parser_parse(parser, &event)) {
			tell_syntax(b, parser);
			return false;
		}
		if (!take_event(b, &event))
			return false;
		more = event.type != YAML_STREAM_END_EVENT;
	}
	return true;
}

struct node *tree_parse(struct problems *problems, const char *text, size_t len)
{
	CLEANUP(yaml_parser_delete) yaml_parser_t parser;
	struct builder b = {.problems = problems, .text = text};

	if (!yaml_parser_initialize(&parser)) {
		problems->no_memory = true;
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!take_events(&b, &parser)) {
		tree_free(b.root);
		return NULL;
	}
	return b.root;
}
