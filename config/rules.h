/* SPDX-License-Identifier: MIT */
/* rules.h - readers and checks of single maps that the tables of schema.c name */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "schema.h"

void read_netns(struct problems *problems, const struct schema_key *key, const struct node *value,
		void *object);
/* `true` and nothing else. */
void read_true(struct problems *problems, const struct schema_key *key, const struct node *value,
	       void *object);
/* A size, or 0 for none, whatever the least is. */
void read_size_or_none(struct problems *problems, const struct schema_key *key,
		       const struct node *value, void *object);
/* One number or two, both within the key's bounds. */
bool read_span(struct problems *problems, const struct schema_key *key, const struct node *value,
	       const char *what, uint32_t *ret_first, uint32_t *ret_last);
void read_range(struct problems *problems, const struct schema_key *key, const struct node *value,
		void *object);
void read_groups(struct problems *problems, const struct schema_key *key, const struct node *value,
		 void *object);

/* True for a map of one key; otherwise tells that it should be one, @what. */
bool rule_one_key(struct problems *problems, const struct node *map, const char *what);

void rule_listen(struct problems *problems, const struct schema *schema, const struct node *map,
		 void *object);
void rule_metrics(struct problems *problems, const struct schema *schema, const struct node *map,
		  void *object);
void rule_history(struct problems *problems, const struct schema *schema, const struct node *map,
		  void *object);
void rule_identity(struct problems *problems, const struct schema *schema, const struct node *map,
		   void *object);
void rule_netns(struct problems *problems, const struct schema *schema, const struct node *map,
		void *object);
void rule_source(struct problems *problems, const struct schema *schema, const struct node *map,
		 void *object);
void rule_tenant(struct problems *problems, const struct schema *schema, const struct node *map,
		 void *object);
void rule_root(struct problems *problems, const struct schema *schema, const struct node *map,
	       void *object);

#endif
