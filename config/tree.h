/* SPDX-License-Identifier: MIT */
/*
 * tree.h - a YAML document as a tree of our own
 *
 * Built from libyaml's events rather than its document, so that nesting is capped before anything
 * is built and aliases never become a graph. Every node knows its place.
 */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "problem.h"

enum node_kind {
	NODE_SCALAR,
	NODE_MAP,
	NODE_LIST,
	NODE_ALIAS, /* an error already told; readers pass over it */
};

struct node {
	enum node_kind kind;
	bool plain; /* a scalar without quotes, so it may mean something else than text */
	struct config_mark mark;
	struct node *first; /* owned; of a list: items; of a map: key, value, key, value, ... */
	struct node *last;
	struct node *next; /* owned by the parent */
	size_t len;        /* of text, which an escape may have given a NUL */
	char text[];       /* of a scalar, NUL-terminated UTF-8 */
};

/* Fills @buf with what stands there, for messages: 'text', "a list", "a map", "nothing". */
#define NODE_DESCRIBE_BYTES 192
const char *node_describe(const struct node *node, char buf[NODE_DESCRIBE_BYTES]);

/* A scalar that is not null: neither absent nor the plain words null and ~. */
bool node_is_text(const struct node *node);

/* A scalar with exactly this text. */
bool node_is(const struct node *node, const char *text);

/**
 * tree_parse - the one document of a text that text_check() has passed
 * Returns NULL without a tree: nothing at all (no problem is told), or syntax, nesting, a second
 * document (told as problems), or no memory. Anchors, aliases and tags are told and the tree is built around them.
 */
struct node *tree_parse(struct problems *problems, const char *text, size_t len);

void tree_free(struct node *node);
void tree_freep(struct node **node);

/* Line and column of a byte; columns count characters. */
struct config_mark text_mark(const char *text, size_t offset);

/* NUL bytes and whatever is not UTF-8 are told: true when there is none. */
bool text_check(struct problems *problems, const char *text, size_t len);

#endif
