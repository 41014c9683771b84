/* SPDX-License-Identifier: MIT */
/* compile.c: every value is checked, and what is wrong told by its name in the request, before
 * anything is made of it. Called by filter.c. */
#include "compile.h"

#include <errno.h>
#include <stdlib.h>

#include "error.h"

/* Where a term stands in the request. */
struct place {
	const char *list;
	size_t index;
	struct nfl_error *err;
};

static int check_values(const struct place *place, enum field_id id, struct field_list list)
{
	for (size_t i = 0; i < list.count; i++) {
		const char *part;
		const char *wrong = field_check(id, list.items, i, &part);

		if (wrong)
			return error_set(place->err, -EINVAL, "%s[%zu].%s[%zu]%s: %s", place->list,
					 place->index, fields[id].name, i, part, wrong);
	}
	return 0;
}

static size_t glob_words_of(struct field_list list)
{
	const struct nfl_match *matches = list.items;
	size_t words = 0;

	for (size_t i = 0; i < list.count; i++) {
		struct nfl_match match = matches[i];

		texts_simplify(&match);
		if (match.kind == NFL_MATCH_GLOB)
			words += glob_words(match.text);
	}
	return words;
}

static int too_many(const struct place *place, enum field_id id, const char *what, unsigned max)
{
	return error_set(place->err, -E2BIG, "%s[%zu].%s: expected at most %u %s in all filters",
			 place->list, place->index, fields[id].name, max, what);
}

/* Values that are valid one by one. */
static int spend(const struct place *place, enum field_id id, struct field_list list,
		 struct spent *spent)
{
	if (fields[id].type == TYPE_MASKED)
		spent->masked += list.count;
	if (fields[id].type == TYPE_MATCHES)
		spent->glob_words += glob_words_of(list);
	if (spent->masked > NFL_FILTER_MASKED_MAX)
		return too_many(place, id, "masked values", NFL_FILTER_MASKED_MAX);
	if (spent->glob_words > NFL_FILTER_GLOBS_MAX)
		return too_many(place, id, "globs (of 64 characters)", NFL_FILTER_GLOBS_MAX);
	return 0;
}

static int compile_field(const struct place *place, enum field_id id, struct field_list list,
			 struct spent *spent, struct term *term)
{
	int r;

	spent->values += list.count;
	if (spent->values > NFL_FILTER_VALUES_MAX)
		return too_many(place, id, "values", NFL_FILTER_VALUES_MAX);
	r = check_values(place, id, list);
	if (r < 0)
		return r;
	r = spend(place, id, list, spent);
	return r < 0 ? r : check_init(&term->checks[term->count++], id, list);
}

static int compile_program(const struct place *place, struct nfl_bytes bpf, struct spent *spent,
			   struct term *term)
{
	size_t at;
	const char *expected = bpf_check(bpf, &at);

	if (expected && at == BPF_WHOLE)
		return error_set(place->err, -EINVAL, "%s[%zu].bpf: expected %s", place->list,
				 place->index, expected);
	if (expected)
		return error_set(place->err, -EINVAL, "%s[%zu].bpf: instruction %zu: expected %s",
				 place->list, place->index, at, expected);
	spent->instructions += bpf.len / BPF_INSN_BYTES;
	if (spent->instructions > NFL_FILTER_BPF_MAX)
		return error_set(place->err, -E2BIG,
				 "%s[%zu].bpf: expected at most %u instructions in all filters",
				 place->list, place->index, NFL_FILTER_BPF_MAX);
	term->program = calloc(bpf.len / BPF_INSN_BYTES, sizeof(*term->program));
	if (!term->program)
		return -ENOMEM;
	bpf_load(bpf, term->program);
	return 0;
}

static int compile_fields(const struct place *place, const struct nfl_filter_term *source,
			  size_t count, struct spent *spent, struct term *term)
{
	int r = 0;

	term->checks = calloc(count, sizeof(*term->checks));
	if (!term->checks)
		return -ENOMEM;
	for (unsigned id = 0; r == 0 && id < FIELD_COUNT; id++) {
		struct field_list list = field_list_of(source, id);

		if (list.count > 0)
			r = compile_field(place, id, list, spent, term);
	}
	return r;
}

static int compile_term(const struct place *place, const struct nfl_filter_term *source,
			struct spent *spent, struct term *term)
{
	size_t count = 0;
	int r = 0;

	if (source->size != sizeof(*source))
		return error_set(place->err, -EINVAL, "%s[%zu].size is %zu, expected %zu",
				 place->list, place->index, source->size, sizeof(*source));
	for (unsigned id = 0; id < FIELD_COUNT; id++)
		count += field_list_of(source, id).count > 0;
	if (count > 0)
		r = compile_fields(place, source, count, spent, term);
	if (r == 0 && source->bpf.len > 0)
		r = compile_program(place, source->bpf, spent, term);
	return r;
}

int compile_terms(const char *name, const struct nfl_filter_term *terms, size_t count,
		  struct spent *spent, struct term_list *ret, struct nfl_error *err)
{
	int r = 0;

	*ret = (struct term_list){0};
	if (count == 0)
		return 0;
	ret->terms = calloc(count, sizeof(*ret->terms));
	if (!ret->terms)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct place place = {.list = name, .index = i, .err = err};

		r = compile_term(&place, &terms[i], spent, &ret->terms[ret->count++]);
	}
	return r;
}

void term_list_done(struct term_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		for (size_t c = 0; c < list->terms[i].count; c++)
			check_done(&list->terms[i].checks[c]);
		free(list->terms[i].checks);
		free(list->terms[i].program);
	}
	free(list->terms);
}
