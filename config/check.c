/* SPDX-License-Identifier: MIT */
/*
 * What may stand only once. Everything of a kind becomes an array of claims, which is sorted: two
 * that want the same thing are then neighbours, also in a file of a hundred thousand entries.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* Someone wants the numbers first..last of a thing named by the other fields. */
struct claim {
	size_t scope; /* claims of different scopes do not meet */
	int kind;
	const char *text; /* borrowed */
	uint32_t number;
	uint32_t first, last;
	const char *owner; /* borrowed; a tenant; of identities */
	struct config_mark mark;
};

struct claims {
	struct claim *items;
	size_t count;
};

typedef void (*tell_fn)(struct problems *problems, const struct claim *claim,
			const struct claim *earlier);

static void claims_done(struct claims *claims)
{
	free(claims->items);
}

static bool claims_init(struct problems *problems, struct claims *claims, size_t count)
{
	claims->items = calloc(count ? count : 1, sizeof(*claims->items));
	if (!claims->items)
		problems->no_memory = true;
	return claims->items;
}

static int compare_thing(const struct claim *a, const struct claim *b)
{
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->text, b->text);
}

static bool stands_before(struct config_mark a, struct config_mark b)
{
	return a.line != b.line ? a.line < b.line : a.column < b.column;
}

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_thing(a, b);

	if (order)
		return order;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return stands_before(a->mark, b->mark) ? -1 : stands_before(b->mark, a->mark);
}

static void claims_check(struct problems *problems, struct claims *claims, tell_fn tell)
{
	const struct claim *reach = NULL; /* of this thing, the one that goes furthest */

	if (claims->count > 1)
		qsort(claims->items, claims->count, sizeof(*claims->items), compare_claims);
	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->items[i];

		if (reach && compare_thing(reach, claim) == 0 && claim->first <= reach->last) {
			if (stands_before(claim->mark, reach->mark))
				tell(problems, reach, claim);
			else
				tell(problems, claim, reach);
			if (claim->last <= reach->last)
				continue;
		}
		reach = claim;
	}
}

static void render_range(const struct claim *claim, char buf[16])
{
	if (claim->first == claim->last)
		(void)snprintf(buf, 16, "%u", claim->first);
	else
		(void)snprintf(buf, 16, "%u-%u", claim->first & 0xffff, claim->last & 0xffff);
}

static void tell_groups(struct problems *problems, const struct claim *claim,
			const struct claim *earlier)
{
	char mine[16], theirs[16];

	render_range(claim, mine);
	render_range(earlier, theirs);
	config_problem_add(problems, claim->mark, "groups: %s overlaps %s at %u:%u", mine, theirs,
			   earlier->mark.line, earlier->mark.column);
}

void check_groups(struct problems *problems, const struct node *list,
		  const struct config_source *source)
{
	CLEANUP(claims_done) struct claims claims = {0};
	const struct node *entry = list->first;

	if (!claims_init(problems, &claims, source->group_count))
		return;
	for (; entry && claims.count < source->group_count; entry = entry->next) {
		const struct config_group_range *range = &source->groups[claims.count];

		claims.items[claims.count++] = (struct claim){
		    .text = "", .first = range->first, .last = range->last, .mark = entry->mark};
	}
	claims_check(problems, &claims, tell_groups);
}

static void tell_source(struct problems *problems, const struct claim *claim,
			const struct claim *earlier)
{
	char mine[16];

	render_range(claim, mine);
	config_problem_add(
	    problems, claim->mark,
	    "netns: group %s is already in the source of the same namespace at %u:%u", mine,
	    earlier->mark.line, earlier->mark.column);
}

static void check_sources(struct problems *problems, const struct config *config)
{
	CLEANUP(claims_done) struct claims claims = {0};
	size_t count = 0;

	for (size_t t = 0; t < config->tenant_count; t++) {
		for (size_t s = 0; s < config->tenants[t].source_count; s++)
			count += config->tenants[t].sources[s].group_count;
	}
	if (!claims_init(problems, &claims, count))
		return;
	for (size_t t = 0; t < config->tenant_count; t++) {
		for (size_t s = 0; s < config->tenants[t].source_count; s++) {
			const struct config_source *source = &config->tenants[t].sources[s];

			if (!source->netns && !source->pid)
				continue; /* told already */
			for (size_t g = 0; g < source->group_count; g++)
				claims.items[claims.count++] =
				    (struct claim){.scope = t,
						   .kind = (int)source->netns_kind,
						   .text = source->netns ? source->netns : "",
						   .number = (uint32_t)source->pid,
						   .first = source->groups[g].first,
						   .last = source->groups[g].last,
						   .mark = source->mark};
		}
	}
	claims_check(problems, &claims, tell_source);
}

static void tell_tenant(struct problems *problems, const struct claim *claim,
			const struct claim *earlier)
{
	config_problem_add(problems, claim->mark, "name: a tenant '%s' is already at %u:%u",
			   claim->text, earlier->mark.line, earlier->mark.column);
}

static void check_tenants(struct problems *problems, const struct config *config)
{
	CLEANUP(claims_done) struct claims claims = {0};

	if (!claims_init(problems, &claims, config->tenant_count))
		return;
	for (size_t t = 0; t < config->tenant_count; t++) {
		if (config->tenants[t].name)
			claims.items[claims.count++] = (struct claim){
			    .text = config->tenants[t].name, .mark = config->tenants[t].mark};
	}
	claims_check(problems, &claims, tell_tenant);
}

static void tell_identity(struct problems *problems, const struct claim *claim,
			  const struct claim *earlier)
{
	config_problem_add(problems, claim->mark,
			   "identities: the same identity is already at %u:%u, in tenant %s",
			   earlier->mark.line, earlier->mark.column, earlier->owner);
}

static bool is_whole(const struct config_identity *identity)
{
	if (identity->kind == CONFIG_IDENTITY_UNIX_UID)
		return identity->uid != UINT32_MAX;
	if (identity->kind == CONFIG_IDENTITY_LOOPBACK)
		return identity->loopback;
	return identity->text;
}

static void check_identities(struct problems *problems, const struct config *config)
{
	CLEANUP(claims_done) struct claims claims = {0};
	size_t count = 0;

	for (size_t t = 0; t < config->tenant_count; t++)
		count += config->tenants[t].identity_count;
	if (!claims_init(problems, &claims, count))
		return;
	for (size_t t = 0; t < config->tenant_count; t++) {
		const struct config_tenant *tenant = &config->tenants[t];

		for (size_t i = 0; i < tenant->identity_count; i++) {
			const struct config_identity *identity = &tenant->identities[i];

			if (!is_whole(identity))
				continue; /* told already */
			claims.items[claims.count++] =
			    (struct claim){.kind = (int)identity->kind,
					   .text = identity->text ? identity->text : "",
					   .number = identity->uid,
					   .owner = tenant->name ? tenant->name : "(no name)",
					   .mark = identity->mark};
		}
	}
	claims_check(problems, &claims, tell_identity);
}

static void tell_listen(struct problems *problems, const struct claim *claim,
			const struct claim *earlier)
{
	config_problem_add(problems, claim->mark, "listen: '%s' is already at %u:%u", claim->text,
			   earlier->mark.line, earlier->mark.column);
}

static void check_listens(struct problems *problems, const struct config *config)
{
	CLEANUP(claims_done) struct claims claims = {0};

	if (!claims_init(problems, &claims, config->listen_count))
		return;
	for (size_t i = 0; i < config->listen_count; i++) {
		const struct config_listen *listen = &config->listens[i];
		const char *where = listen->unix_path ? listen->unix_path : listen->tcp;

		if (where)
			claims.items[claims.count++] =
			    (struct claim){.text = where, .mark = listen->mark};
	}
	claims_check(problems, &claims, tell_listen);
}

void check_config(struct problems *problems, const struct config *config)
{
	check_tenants(problems, config);
	check_identities(problems, config);
	check_sources(problems, config);
	check_listens(problems, config);
}
