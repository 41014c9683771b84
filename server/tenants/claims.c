/* SPDX-License-Identifier: MIT */
/* Tables of claims grow by doubling and are sorted once; problems are kept in the order found until all are. */
#include "claims.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX_BYTES 160

/* --- tables ---------------------------------------------------------------------------------- */

static bool make_room(struct claims *claims)
{
	size_t cap = claims->cap ? 2 * claims->cap : 16;
	struct claim *items;

	if (claims->count < claims->cap)
		return true;
	items = reallocarray(claims->items, cap, sizeof(struct claim));
	if (!items)
		return false;
	claims->items = items;
	claims->cap = cap;
	return true;
}

struct claim *claims_add(struct claims *claims, const struct tenant *tenant,
			 const struct identity_spec *spec)
{
	char *text = spec->text ? strdup(spec->text) : NULL;
	struct claim *claim;

	if ((spec->text && !text) || !make_room(claims)) {
		free(text);
		return NULL;
	}
	claim = &claims->items[claims->count++];
	*claim = (struct claim){
	    .tenant = tenant,
	    .kind = spec->kind,
	    .line = spec->line,
	    .column = spec->column,
	    .text = text,
	    .id = spec->uid,
	    .parent = NO_CLAIM,
	};
	return claim;
}

void claims_done(struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++)
		free(claims->items[i].text);
	free(claims->items);
	*claims = (struct claims){0};
}

int claim_compare_id(const struct claim *a, const struct claim *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

int claim_compare_text(const struct claim *a, const struct claim *b)
{
	return strcmp(a->text, b->text);
}

int claim_compare_sha256(const struct claim *a, const struct claim *b)
{
	return memcmp(a->sha256, b->sha256, sizeof(a->sha256));
}

int claim_compare_places(const struct claim *a, const struct claim *b)
{
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->column > b->column) - (a->column < b->column);
}

static int compare_claims(const void *a, const void *b, void *compare)
{
	int order = (*(claim_compare_fn **)compare)(a, b);

	return order ? order : claim_compare_places(a, b);
}

void claims_sort(struct claims *claims, claim_compare_fn *compare)
{
	if (claims->count > 1)
		qsort_r(claims->items, claims->count, sizeof(struct claim), compare_claims,
			&compare);
}

size_t claims_before(const struct claims *claims, const void *key,
		     int (*compare)(const struct claim *claim, const void *key))
{
	size_t low = 0;
	size_t high = claims->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&claims->items[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int compare_to_id(const struct claim *claim, const void *key)
{
	uint32_t id = *(const uint32_t *)key;

	return (claim->id > id) - (claim->id < id);
}

static int compare_to_text(const struct claim *claim, const void *key)
{
	return strcmp(claim->text, key);
}

const struct claim *claims_find_id(const struct claims *claims, uint32_t id)
{
	size_t i = claims_before(claims, &id, compare_to_id);

	return i < claims->count && claims->items[i].id == id ? &claims->items[i] : NULL;
}

const struct claim *claims_find_text(const struct claims *claims, const char *text)
{
	size_t i = claims_before(claims, text, compare_to_text);

	return i < claims->count && strcmp(claims->items[i].text, text) == 0 ? &claims->items[i]
									     : NULL;
}

/* --- what is wrong --------------------------------------------------------------------------- */

static int add_problem(struct policy_problems *problems, const struct policy_problem *problem)
{
	size_t of_kind = 0;
	struct policy_problem *items;

	for (size_t i = 0; i < problems->count; i++)
		of_kind += problems->items[i].is_error == problem->is_error;
	if (of_kind >= POLICY_PROBLEMS_MAX) {
		problems->more++;
		return 0;
	}
	items = reallocarray(problems->items, problems->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	items[problems->count++] = *problem;
	problems->items = items;
	return 0;
}

int problem_add(struct policy_problems *problems, bool is_error, unsigned line, unsigned column,
		const char *format, ...)
{
	struct policy_problem problem = {.is_error = is_error, .line = line, .column = column};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(problem.text, sizeof(problem.text), format, args);
	va_end(args);
	return add_problem(problems, &problem);
}

static int compare_problems(const void *a, const void *b)
{
	const struct policy_problem *left = a;
	const struct policy_problem *right = b;

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	if (left->column != right->column)
		return left->column < right->column ? -1 : 1;
	return strcmp(left->text, right->text);
}

int problems_end(struct policy_problems *problems)
{
	if (problems->count > 1)
		qsort(problems->items, problems->count, sizeof(*problems->items), compare_problems);
	for (size_t i = 0; i < problems->count; i++) {
		if (problems->items[i].is_error)
			return -EINVAL;
	}
	return 0;
}

void policy_problems_done(struct policy_problems *problems)
{
	free(problems->items);
	*problems = (struct policy_problems){0};
}

struct label {
	char text[LABEL_MAX_BYTES];
};

static struct label label_of(const struct claim *claim)
{
	/* In the order of enum identity_kind. */
	static const char *const kinds[] = {"unix_user",    "unix_uid",          "unix_group",
					    "cert_uri",     "cert_dns",          "cert_cn",
					    "token_sha256", "token_sha256_file", "loopback"};
	const char *kind = kinds[claim->kind];
	struct label label;

	if (claim->kind == IDENTITY_UNIX_UID)
		(void)snprintf(label.text, sizeof(label.text), "%s %" PRIu32, kind, claim->id);
	else if (claim->kind == IDENTITY_LOOPBACK)
		(void)snprintf(label.text, sizeof(label.text), "%s", kind);
	else if (claim->kind == IDENTITY_TOKEN_SHA256)
		(void)snprintf(label.text, sizeof(label.text), "%s %.8s...", kind, claim->text);
	else
		(void)snprintf(label.text, sizeof(label.text), "%s %s", kind, claim->text);
	return label;
}

int problem_add_clash(struct policy_problems *problems, const struct claim *mine,
		      const char *relation, const struct claim *other)
{
	struct label mine_label = label_of(mine);
	struct label other_label = label_of(other);

	return problem_add(problems, true, mine->line, mine->column,
			   "identities: %s %s %s, also tenant %.64s's at %u:%u", mine_label.text,
			   relation, other_label.text, other->tenant->name, other->line,
			   other->column);
}

int claims_check(const struct claims *claims, claim_compare_fn *compare, const char *relation,
		 struct policy_problems *problems)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < claims->count; i++) {
		const struct claim *mine = &claims->items[i];
		const struct claim *other = mine - 1;

		if (mine->tenant != other->tenant && compare(mine, other) == 0)
			r = problem_add_clash(problems, mine, relation, other);
	}
	return r;
}
