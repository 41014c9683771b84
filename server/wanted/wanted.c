/* SPDX-License-Identifier: MIT */
/*
 * Rules are kept in two parts: those of one namespace in the order of their texts, to be found by
 * halves, and globs behind them, each of which is tried. What matches is written out, one element for
 * each group; sorting brings those of the same group together, which are then merged.
 */
#include "wanted.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static bool is_glob(enum presence_kind kind)
{
	return kind == PRESENCE_NAME_GLOB || kind == PRESENCE_PATH_GLOB;
}

int rules_add(struct rules *rules, const char *text, const struct rule *rule)
{
	char *copy = strdup(text);

	if (copy && rules->count == rules->cap) {
		size_t cap = rules->cap ? 2 * rules->cap : 16;
		struct rule *items = reallocarray(rules->items, cap, sizeof(struct rule));

		if (items) {
			rules->items = items;
			rules->cap = cap;
		}
	}
	if (!copy || rules->count == rules->cap) {
		free(copy);
		return -ENOMEM;
	}
	rules->items[rules->count] = *rule;
	rules->items[rules->count++].text = copy;
	return 0;
}

static int compare_rules(const void *a, const void *b)
{
	const struct rule *left = a;
	const struct rule *right = b;
	int order = is_glob(left->kind) - is_glob(right->kind);

	return order ? order : strcmp(left->text, right->text);
}

void rules_sort(struct rules *rules)
{
	if (rules->count > 1)
		qsort(rules->items, rules->count, sizeof(struct rule), compare_rules);
	rules->literals = 0;
	while (rules->literals < rules->count && !is_glob(rules->items[rules->literals].kind))
		rules->literals++;
}

void rules_done(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->items[i].text);
	free(rules->items);
	*rules = (struct rules){0};
}

/* --- merging ----------------------------------------------------------------------------- */

/* What the profiles mean by themselves, from nfl/listener.h. */
static uint32_t qthresh_in_force(const struct nfl_listener_options *options)
{
	if (options->set & NFL_SET_QTHRESH)
		return options->qthresh ? options->qthresh : 1;
	switch (options->profile) {
	case NFL_PROFILE_LATENCY:
		return 1;
	case NFL_PROFILE_ADAPTIVE: /* between the two, whatever the rate */
		return 64;
	case NFL_PROFILE_BALANCED:
	case NFL_PROFILE_THROUGHPUT:
		break;
	}
	return 4096;
}

static uint32_t timeout_in_force(const struct nfl_listener_options *options)
{
	if (options->set & NFL_SET_TIMEOUT)
		return options->timeout_ms;
	switch (options->profile) {
	case NFL_PROFILE_BALANCED:
		return 10;
	case NFL_PROFILE_LATENCY:
	case NFL_PROFILE_ADAPTIVE: /* up to 20, and only while batches fill faster */
		return 0;
	case NFL_PROFILE_THROUGHPUT:
		return 100;
	}
	return 0;
}

static bool is_faster(const struct nfl_listener_options *a, const struct nfl_listener_options *b)
{
	if (timeout_in_force(a) != timeout_in_force(b))
		return timeout_in_force(a) < timeout_in_force(b);
	return qthresh_in_force(a) < qthresh_in_force(b);
}

/* PACKET is 0, then META, NONE: the smaller number copies more. Range 0 is the whole packet. */
static void merge_copy(struct nfl_listener_options *into, const struct nfl_listener_options *other)
{
	if (other->copy_mode < into->copy_mode) {
		into->copy_mode = other->copy_mode;
		into->copy_range = other->copy_range;
	} else if (other->copy_mode == into->copy_mode) {
		if (other->copy_range == 0 || into->copy_range == 0)
			into->copy_range = 0;
		else if (other->copy_range > into->copy_range)
			into->copy_range = other->copy_range;
	}
}

/* The faster one's profile, timeout and batch buffer, which belong together. */
static void merge_latency(struct nfl_listener_options *into,
			  const struct nfl_listener_options *other)
{
	const uint32_t faster_only = NFL_SET_TIMEOUT | NFL_SET_NLBUFSIZ | NFL_SET_QTHRESH;
	uint32_t qthresh = qthresh_in_force(into);

	if (qthresh_in_force(other) < qthresh)
		qthresh = qthresh_in_force(other);
	if (is_faster(other, into)) {
		into->profile = other->profile;
		into->set = (into->set & ~faster_only) | (other->set & faster_only);
		into->timeout_ms = other->timeout_ms;
		into->nlbufsiz = other->nlbufsiz;
		into->qthresh = other->qthresh;
	}
	if (qthresh < qthresh_in_force(into)) {
		into->set |= NFL_SET_QTHRESH;
		into->qthresh = qthresh;
	}
}

static uint32_t rcvbuf_in_force(const struct nfl_listener_options *options)
{
	return options->set & NFL_SET_RCVBUF ? options->rcvbuf : NFL_RCVBUF_DEFAULT;
}

static void merge_options(struct nfl_listener_options *into,
			  const struct nfl_listener_options *other)
{
	merge_copy(into, other);
	merge_latency(into, other);
	into->flags |= other->flags;
	if (rcvbuf_in_force(other) > rcvbuf_in_force(into)) {
		into->set = (into->set & ~NFL_SET_RCVBUF) | (other->set & NFL_SET_RCVBUF);
		into->rcvbuf = other->rcvbuf;
	}
}

/* The largest budget, and none is larger than any. */
static void merge_account(struct wanted *into, const struct wanted *other)
{
	if (!into->account)
		return;
	if (!other->account || other->account_bytes > into->account_bytes) {
		into->account = other->account;
		into->account_bytes = other->account_bytes;
	}
}

static void merge(struct wanted *into, const struct wanted *other)
{
	merge_options(&into->options, &other->options);
	merge_account(into, other);
}

static int compare_groups(const void *a, const void *b)
{
	const struct wanted *left = a;
	const struct wanted *right = b;

	return (int)left->options.group - (int)right->options.group;
}

static size_t merge_all(struct wanted *items, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(items, count, sizeof(struct wanted), compare_groups);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare_groups(&items[kept - 1], &items[i]) == 0) {
			merge(&items[kept - 1], &items[i]);
		} else {
			items[kept++] = items[i];
		}
	}
	return kept;
}

/* --- finding ----------------------------------------------------------------------------- */

struct found {
	struct wanted *items; /* owned */
	size_t count;
};

static void found_done(struct found *found)
{
	free(found->items);
}

/* All groups of a rule. */
static int take(struct found *found, const struct rule *rule)
{
	size_t more = (size_t)rule->last - rule->first + 1;
	struct wanted *items =
	    reallocarray(found->items, found->count + more, sizeof(struct wanted));

	if (!items)
		return -ENOMEM;
	found->items = items;
	for (size_t i = 0; i < more; i++) {
		items[found->count] = rule->wanted;
		items[found->count++].options.group = (uint16_t)(rule->first + i);
	}
	return 0;
}

/* The first literal whose text does not come before. */
static size_t find_literal(const struct rules *rules, const char *shown)
{
	size_t low = 0;
	size_t high = rules->literals;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(rules->items[middle].text, shown) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool matches_path(const char *glob, const char *path)
{
	size_t folder = (size_t)(strrchr(glob, '/') - glob) + 1;

	return strncmp(glob, path, folder) == 0 && !strchr(path + folder, '/') &&
	       fnmatch(glob + folder, path + folder, FNM_PERIOD) == 0;
}

static bool matches(const struct rule *rule, const char *shown)
{
	bool is_path = shown[0] == '/';

	if (rule->kind == PRESENCE_PATH_GLOB)
		return is_path && matches_path(rule->text, shown);
	return !is_path && !presence_is_reserved(shown) &&
	       fnmatch(rule->text, shown, FNM_PERIOD) == 0;
}

/* The next rule that meets this namespace; @position: find_literal() at first. NULL: no more. */
static const struct rule *next_rule(const struct rules *rules, const char *shown, size_t *position)
{
	while (*position < rules->count) {
		const struct rule *rule = &rules->items[*position];

		if (*position >= rules->literals) {
			++*position;
			if (matches(rule, shown))
				return rule;
		} else if (strcmp(rule->text, shown) == 0) {
			++*position;
			return rule;
		} else {
			*position = rules->literals;
		}
	}
	return NULL;
}

int rules_find(const struct rules *rules, const char *shown, struct wanted **ret, size_t *ret_count)
{
	CLEANUP(found_done) struct found found = {0};
	size_t position = find_literal(rules, shown);
	const struct rule *rule;
	int r = 0;

	while (r == 0 && (rule = next_rule(rules, shown, &position)))
		r = take(&found, rule);
	if (r < 0)
		return r;
	*ret_count = merge_all(found.items, found.count);
	*ret = TAKE_PTR(found.items);
	return 0;
}

bool rules_get(const struct rules *rules, const char *shown, uint16_t group, struct wanted *ret)
{
	size_t position = find_literal(rules, shown);
	const struct rule *rule;
	bool is_found = false;

	while ((rule = next_rule(rules, shown, &position))) {
		if (group < rule->first || group > rule->last)
			continue;
		if (is_found)
			merge(ret, &rule->wanted);
		else
			*ret = rule->wanted;
		is_found = true;
	}
	if (is_found)
		ret->options.group = group;
	return is_found;
}

bool rules_meet(const struct rules *rules, const char *shown)
{
	size_t position = find_literal(rules, shown);

	return next_rule(rules, shown, &position);
}

bool rules_name(const struct rules *rules, const char *shown)
{
	size_t place = find_literal(rules, shown);

	return place < rules->literals && strcmp(rules->items[place].text, shown) == 0;
}
