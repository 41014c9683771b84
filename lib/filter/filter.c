/* SPDX-License-Identifier: MIT */
/*
 * filter.c - which packets are wanted
 *
 * In come the terms of <nfl/filter.h>, out goes for every packet whether it passes. Called by
 * programs of libnfl and, for each record and subscriber, by nflogd: match() does not allocate.
 */
#include <nfl/filter.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <nfl/decode.h>

#include "cleanup.h"
#include "compile.h"
#include "error.h"

struct nfl_filter {
	struct term_list include;
	struct term_list exclude;
};

static void free_filterp(struct nfl_filter **filter)
{
	nfl_filter_free(*filter);
}

int nfl_filter_new(const struct nfl_filter_term *include, size_t include_count,
		   const struct nfl_filter_term *exclude, size_t exclude_count,
		   struct nfl_filter **ret, struct nfl_error *err)
{
	CLEANUP(free_filterp) struct nfl_filter *filter = NULL;
	struct spent spent = {0};
	int r;

	if (include_count > NFL_FILTER_TERMS_MAX ||
	    exclude_count > NFL_FILTER_TERMS_MAX - include_count)
		return error_set(err, -E2BIG, "expected at most %u filters, include and exclude",
				 NFL_FILTER_TERMS_MAX);
	filter = calloc(1, sizeof(*filter));
	if (!filter)
		return error_set(err, -ENOMEM, "out of memory");
	r = compile_terms("include", include, include_count, &spent, &filter->include, err);
	if (r == 0)
		r = compile_terms("exclude", exclude, exclude_count, &spent, &filter->exclude, err);
	if (r == -ENOMEM)
		return error_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	*ret = TAKE_PTR(filter);
	return 0;
}

void nfl_filter_free(struct nfl_filter *filter)
{
	if (!filter)
		return;
	term_list_done(&filter->include);
	term_list_done(&filter->exclude);
	free(filter);
}

static bool runs(const struct bpf_step *program, const struct nfl_packet *packet)
{
	return bpf_run(program, nfl_decode_network(&packet->record), packet->original_length);
}

static bool term_matches(const struct term *term, const struct subject *subject)
{
	for (size_t i = 0; i < term->count; i++)
		if (!check_matches(&term->checks[i], subject))
			return false;
	return !term->program || runs(term->program, subject->packet);
}

static bool any_matches(const struct term_list *list, const struct subject *subject)
{
	for (size_t i = 0; i < list->count; i++)
		if (term_matches(&list->terms[i], subject))
			return true;
	return false;
}

bool nfl_filter_match(const struct nfl_filter *filter, const struct nfl_packet *packet,
		      const char *netns, uint16_t group)
{
	struct subject subject = {.packet = packet, .group = group};

	if (netns)
		subject.netns = (struct nfl_bytes){(const uint8_t *)netns, (uint32_t)strlen(netns)};
	if (filter->include.count > 0 && !any_matches(&filter->include, &subject))
		return false;
	return !any_matches(&filter->exclude, &subject);
}
