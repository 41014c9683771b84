/* SPDX-License-Identifier: MIT */
/* ListNetns and ListSources: the registry's sources, page by page. */
#include <string.h>

#include "arena.h"
#include "cleanup.h"
#include "messages.h"
#include "page.h"
#include "select.h"
#include "server.h"
#include "source.h"
#include "times.h"
#include "unary.h"

#define ANSWER_ARENA_MAX ((size_t)67108864)

/* Sources after the page before, from this index on. */
static size_t find_start(const struct source_list *list, const struct page *page)
{
	size_t i = 0;

	while (i < list->count &&
	       !page_is_after(page, list->items[i]->netns, list->items[i]->group))
		i++;
	return i;
}

static bool fill_sources(const struct source_list *list, const struct page *page,
			 Nflog__V1__ListSourcesResponse *response, struct arena *arena)
{
	size_t i = find_start(list, page);
	const struct source *last;

	response->sources = arena_alloc(arena, (page->size + 1) * sizeof(*response->sources));
	if (!response->sources)
		return false;
	for (; i < list->count && response->n_sources < page->size; i++) {
		Nflog__V1__Source *source = messages_source(arena, list->items[i]);

		if (!source)
			return false;
		response->sources[response->n_sources++] = source;
	}
	if (i == list->count)
		return true;
	last = list->items[i - 1];
	response->next_page_token = page_token(arena, last->netns, last->group);
	return response->next_page_token != NULL;
}

void list_sources(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	const Nflog__V1__ListSourcesRequest *request = (const void *)message;
	Nflog__V1__ListSourcesResponse response = NFLOG__V1__LIST_SOURCES_RESPONSE__INIT;
	CLEANUP(arena_done) struct arena answer;
	CLEANUP(source_list_done) struct source_list list = {0};
	struct page page;
	struct status status;

	arena_init(&answer, ANSWER_ARENA_MAX);
	if (!select_netns(call, request->netns, request->n_netns, &list, &status) ||
	    !page_parse(request->page_size, request->page_token, arena, &page, &status)) {
		call_finish(call, &status);
		return;
	}
	call_reply_built(call, fill_sources(&list, &page, &response, &answer), &response.base);
}

/* How many sources from the first on are of the same namespace. */
static size_t count_same(const struct source_list *list, size_t first)
{
	size_t i = first;

	while (i < list->count && strcmp(list->items[i]->netns, list->items[first]->netns) == 0)
		i++;
	return i - first;
}

/* One namespace from its sources. */
static Nflog__V1__Netns *make_netns(struct source *const *sources, size_t count,
				    struct arena *arena)
{
	Nflog__V1__Netns *netns = arena_alloc(arena, sizeof(*netns));
	int64_t newest_ns = 0;

	if (!netns)
		return NULL;
	nflog__v1__netns__init(netns);
	netns->name = messages_text(arena, sources[0]->netns);
	netns->groups = arena_alloc(arena, count * sizeof(*netns->groups));
	if (!netns->name || !netns->groups)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		int64_t time_ns = atomic_load(&sources[i]->last_packet_ns);
		uint64_t inode = atomic_load(&sources[i]->netns_inode);

		netns->groups[netns->n_groups++] = sources[i]->group;
		newest_ns = time_ns > newest_ns ? time_ns : newest_ns;
		netns->inode = inode ? inode : netns->inode;
	}
	if (newest_ns > 0) {
		netns->last_packet_time = times_new_timestamp(arena, newest_ns);
		return netns->last_packet_time ? netns : NULL;
	}
	return netns;
}

static bool fill_netns(const struct source_list *list, const struct page *page,
		       Nflog__V1__ListNetnsResponse *response, struct arena *arena)
{
	size_t i = find_start(list, page);

	response->netns = arena_alloc(arena, (page->size + 1) * sizeof(*response->netns));
	if (!response->netns)
		return false;
	while (i < list->count && response->n_netns < page->size) {
		size_t count = count_same(list, i);
		Nflog__V1__Netns *netns = make_netns(list->items + i, count, arena);

		if (!netns)
			return false;
		response->netns[response->n_netns++] = netns;
		i += count;
	}
	if (i == list->count)
		return true;
	response->next_page_token = page_token(arena, list->items[i - 1]->netns, UINT16_MAX);
	return response->next_page_token != NULL;
}

void list_netns(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	const Nflog__V1__ListNetnsRequest *request = (const void *)message;
	Nflog__V1__ListNetnsResponse response = NFLOG__V1__LIST_NETNS_RESPONSE__INIT;
	CLEANUP(arena_done) struct arena answer;
	CLEANUP(source_list_done) struct source_list list = {0};
	struct page page;
	struct status status;

	arena_init(&answer, ANSWER_ARENA_MAX);
	if (!page_parse(request->page_size, request->page_token, arena, &page, &status) ||
	    !select_netns(call, NULL, 0, &list, &status)) {
		call_finish(call, &status);
		return;
	}
	call_reply_built(call, fill_netns(&list, &page, &response, &answer), &response.base);
}
