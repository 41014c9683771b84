/* SPDX-License-Identifier: MIT */
/*
 * schema.h - what a table of keys says, and the readers such a table names
 *
 * A map of the file fills a struct. A table has one line for each key: where its value goes, who
 * reads it, its bounds and default. The tables are in schema.c.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stddef.h>

#include "bytes.h"
#include "tree.h"

#define SCHEMA_KEYS_MAX 32 /* of one map */

struct schema;
struct schema_key;

/* Puts a value into the object, or adds a problem; @value is no NODE_ALIAS. */
typedef void (*schema_read_fn)(struct problems *problems, const struct schema_key *key,
			       const struct node *value, void *object);

/* What a text should have been, such as "an absolute path", or NULL when it is right. */
typedef const char *(*schema_accept_fn)(const char *text);

/* Looks at a whole map after its keys were read. */
typedef void (*schema_check_fn)(struct problems *problems, const struct schema *schema,
				const struct node *map, void *object);

/* A word for a number; a list of them ends with one of name NULL. */
struct schema_name {
	const char *name;
	uint32_t number;
};

struct schema_key {
	const char *name; /* of a list's item: NULL, that of the list */
	schema_read_fn read;
	size_t offset; /* of the value in the object */
	size_t width;  /* bytes of the value */
	size_t given;  /* offset of a bool that says the key is there; 0: none */
	bool required;
	bool marks;                      /* messages about the map point at this value */
	uint64_t min;                    /* of a number; of a list, its entries */
	uint64_t max;                    /* of a number; of a text, its bytes */
	uint64_t initial;                /* a number's value without the key */
	const char *const *choices;      /* read_choice: NULL-ended, in the order of the enum */
	const struct schema_name *names; /* instead of numbers, in packet filters */
	schema_accept_fn accept;         /* read_text */
	const struct schema *map;        /* read_map, and the map form of read_netns */
	const struct schema_key *item;  /* read_list: reads one entry, whose struct is its object */
	size_t count_offset, item_size; /* read_list */
	bool lone;                      /* read_list: one item may stand without a list */
};

struct schema {
	const struct schema_key *keys;
	size_t count;
	size_t mark_offset; /* of a struct config_mark; 0: none */
	schema_check_fn check;
};

/* What the lines of a table have in common. */
#define VALUE(type, member)                                                                        \
	.offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)

#define LIST_OF(type, member, count_member)                                                        \
	.offset = offsetof(struct type, member),                                                   \
	.count_offset = offsetof(struct type, count_member),                                       \
	.item_size = sizeof(*((struct type *)0)->member)

#define SCHEMA(table) .keys = (table), .count = ARRAY_SIZE(table)

extern const struct schema schema_root; /* of struct config */

/* Fills @object from a map: defaults, keys, what is missing, then the schema's check. */
void walk_map(struct problems *problems, const struct schema *schema, const struct node *map,
	      void *object);

/* The value of a key in a map, or NULL. */
const struct node *walk_find(const struct node *map, const char *name);

/* KEY: expected WHAT, not 'value' */
void read_expected(struct problems *problems, const struct schema_key *key, const char *what,
		   const struct node *value);

/* KEY: VALUE is not in MIN..MAX; true when it is. */
bool read_in_bounds(struct problems *problems, const struct schema_key *key,
		    const struct node *value, uint64_t number);

void read_text(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object);
void read_bool(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object);
void read_number(struct problems *problems, const struct schema_key *key, const struct node *value,
		 void *object);
void read_size(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object);
void read_mode(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object);
void read_choice(struct problems *problems, const struct schema_key *key, const struct node *value,
		 void *object);
void read_map(struct problems *problems, const struct schema_key *key, const struct node *value,
	      void *object);
void read_list(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object);

/* Stores a number in a field of key->width bytes. */
void read_store(const struct schema_key *key, uint64_t number, void *object);

#endif
