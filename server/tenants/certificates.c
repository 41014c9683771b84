/* SPDX-License-Identifier: MIT */
/*
 * URIs are sorted by what they have before their first '*'. All patterns whose beginning begins a given
 * text stand on one chain: the last one that is not behind the text, then the next shorter one that
 * begins that one, and so on. Only those can match the text, or meet a pattern that begins with it, so
 * neither needs a look at the others.
 */
#include "certificates.h"

#include <string.h>

#include "claims.h"

#define DNS_NAME_MAX_BYTES 253

/* --- globs of one path segment --------------------------------------------------------------- */

struct segment {
	const char *text; /* borrowed; not terminated */
	size_t len;
};

typedef bool segments_fn(struct segment a, struct segment b);

static bool is_equal(struct segment a, struct segment b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* After a '*' only the last one is tried again: what an earlier one leaves is enough for all behind. */
static bool segment_matches(struct segment glob, struct segment text)
{
	size_t g = 0;
	size_t t = 0;
	size_t after_star = 0; /* 0: none yet */
	size_t retry = 0;

	while (g < glob.len || t < text.len) {
		if (g < glob.len && glob.text[g] == '*') {
			after_star = ++g;
			retry = t;
		} else if (g < glob.len && t < text.len && glob.text[g] == text.text[t]) {
			g++;
			t++;
		} else if (after_star && retry < text.len) {
			g = after_star;
			t = ++retry;
		} else {
			return false;
		}
	}
	return true;
}

static size_t shorter(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What is before the first '*', and behind the last. */
static struct segment head_of(struct segment glob)
{
	const char *star = memchr(glob.text, '*', glob.len);

	return (struct segment){glob.text, star ? (size_t)(star - glob.text) : glob.len};
}

static struct segment tail_of(struct segment glob)
{
	const char *star = memrchr(glob.text, '*', glob.len);
	size_t before = star ? (size_t)(star - glob.text) + 1 : 0;

	return (struct segment){glob.text + before, glob.len - before};
}

static bool heads_agree(struct segment a, struct segment b)
{
	return memcmp(a.text, b.text, shorter(a.len, b.len)) == 0;
}

static bool tails_agree(struct segment a, struct segment b)
{
	size_t len = shorter(a.len, b.len);

	return memcmp(a.text + a.len - len, b.text + b.len - len, len) == 0;
}

/*
 * Where both have a '*', the text of the longer head, then what either has between its stars, then the
 * longer tail matches both; so nothing but the heads and the tails can keep them apart.
 */
static bool segments_meet(struct segment a, struct segment b)
{
	bool a_is_glob = memchr(a.text, '*', a.len);
	bool b_is_glob = memchr(b.text, '*', b.len);

	if (a_is_glob && b_is_glob)
		return heads_agree(head_of(a), head_of(b)) && tails_agree(tail_of(a), tail_of(b));
	if (a_is_glob)
		return segment_matches(a, b);
	if (b_is_glob)
		return segment_matches(b, a);
	return is_equal(a, b);
}

/* --- URIs ------------------------------------------------------------------------------------ */

/* Is @meet true of each two segments at the same place? A '*' cannot reach beyond one. */
static bool all_segments(const char *a, const char *b, segments_fn *meet)
{
	for (;;) {
		struct segment of_a = {a, strcspn(a, "/")};
		struct segment of_b = {b, strcspn(b, "/")};

		if (!meet(of_a, of_b))
			return false;
		a += of_a.len;
		b += of_b.len;
		if (!*a || !*b)
			return *a == *b;
		a++;
		b++;
	}
}

/* Where the ends differ, that is seen first: thousands may begin with the same. */
static bool uris_meet(const struct claim *a, const struct claim *b)
{
	const char *end_a = a->text + a->len;
	const char *end_b = b->text + b->len;

	for (size_t left = shorter(a->tail, b->tail); left > 0; left--) {
		if (*--end_a != *--end_b)
			return false;
	}
	return all_segments(a->text, b->text, segments_meet);
}

static int compare_literals(const struct claim *a, const struct claim *b)
{
	int order = memcmp(a->text, b->text, shorter(a->literal, b->literal));

	return order ? order : (a->literal > b->literal) - (a->literal < b->literal);
}

static bool begins(const struct claim *claim, const char *text)
{
	return strncmp(claim->text, text, claim->literal) == 0;
}

static void link_chains(struct claims *uris)
{
	for (size_t i = 1; i < uris->count; i++) {
		size_t parent = i - 1;

		while (parent != NO_CLAIM && !begins(&uris->items[parent], uris->items[i].text))
			parent = uris->items[parent].parent;
		uris->items[i].parent = parent;
	}
}

/* One for each claim is enough. */
static int tell_meeting(const struct claims *uris, const struct claim *claim,
			struct policy_problems *problems)
{
	for (size_t i = claim->parent; i != NO_CLAIM; i = uris->items[i].parent) {
		const struct claim *other = &uris->items[i];

		if (other->tenant == claim->tenant || !uris_meet(other, claim))
			continue;
		if (claim_compare_places(claim, other) < 0)
			return problem_add_clash(problems, other, "meets", claim);
		return problem_add_clash(problems, claim, "meets", other);
	}
	return 0;
}

static void measure(struct claim *claim)
{
	struct segment whole = {claim->text, strlen(claim->text)};

	claim->len = whole.len;
	claim->literal = head_of(whole).len;
	claim->tail = tail_of(whole).len;
}

int uris_check(struct claims *uris, struct policy_problems *problems)
{
	int r = 0;

	for (size_t i = 0; i < uris->count; i++)
		measure(&uris->items[i]);
	claims_sort(uris, compare_literals);
	link_chains(uris);
	for (size_t i = 1; r == 0 && i < uris->count; i++)
		r = tell_meeting(uris, &uris->items[i], problems);
	return r;
}

/* Below 0 also for one that begins the text. */
static int compare_to_uri(const struct claim *claim, const void *uri)
{
	return strncmp(claim->text, uri, claim->literal) > 0 ? 1 : -1;
}

const struct tenant *uris_find(const struct claims *uris, const char *uri)
{
	size_t before = claims_before(uris, uri, compare_to_uri);

	for (size_t i = before ? before - 1 : NO_CLAIM; i != NO_CLAIM; i = uris->items[i].parent) {
		const struct claim *claim = &uris->items[i];

		if (begins(claim, uri) && all_segments(claim->text, uri, segment_matches))
			return claim->tenant; /* uris_check() found that it is the only one */
	}
	return NULL;
}

/* --- DNS names ------------------------------------------------------------------------------- */

/* The wildcard that would match a name, in @ret; false: there is no such. */
static bool make_wildcard(const char *name, char ret[DNS_NAME_MAX_BYTES + 2])
{
	const char *rest = strchr(name, '.');

	if (!rest || rest == name || strlen(rest) > DNS_NAME_MAX_BYTES)
		return false;
	ret[0] = '*';
	memcpy(ret + 1, rest, strlen(rest) + 1);
	return true;
}

int dns_check(struct claims *dns, struct policy_problems *problems)
{
	char wildcard[DNS_NAME_MAX_BYTES + 2];
	int r;

	claims_sort(dns, claim_compare_text);
	r = claims_check(dns, claim_compare_text, "is", problems);
	for (size_t i = 0; r == 0 && i < dns->count; i++) {
		const struct claim *claim = &dns->items[i];
		const struct claim *other;

		if (claim->text[0] == '*' || !make_wildcard(claim->text, wildcard))
			continue;
		other = claims_find_text(dns, wildcard);
		if (other && other->tenant != claim->tenant)
			r = problem_add_clash(problems, claim, "meets", other);
	}
	return r;
}

const struct tenant *dns_find(const struct claims *dns, const char *name)
{
	char lower[DNS_NAME_MAX_BYTES + 1];
	char wildcard[DNS_NAME_MAX_BYTES + 2];
	const struct claim *claim;
	size_t len = strlen(name);

	if (len > DNS_NAME_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i <= len; i++)
		lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	claim = claims_find_text(dns, lower);
	if (!claim && make_wildcard(lower, wildcard))
		claim = claims_find_text(dns, wildcard);
	return claim ? claim->tenant : NULL;
}
