/* SPDX-License-Identifier: MIT */
/* Page tokens: the key (group, netns) in hexadecimal, for a netns may be no UTF-8. */
#include "page.h"

#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "call.h"

#define PAGE_SIZE     500
#define PAGE_SIZE_CAP 5000
#define GROUP_DIGITS  4

bool page_is_after(const struct page *page, const char *netns, uint16_t group)
{
	int order = page->netns ? strcmp(netns, page->netns) : 1;

	return order > 0 || (order == 0 && group > page->group);
}

char *page_token(struct arena *arena, const char *netns, uint16_t group)
{
	size_t len = strlen(netns);
	char *token = arena_alloc(arena, GROUP_DIGITS + 2 * len + 1);

	if (!token)
		return NULL;
	(void)snprintf(token, GROUP_DIGITS + 1, "%04x", group);
	for (size_t i = 0; i < len; i++)
		(void)snprintf(token + GROUP_DIGITS + 2 * i, 3, "%02x", (uint8_t)netns[i]);
	return token;
}

/* The value of one digit as page_token() writes it, or -1. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_token(const char *token, struct arena *arena, struct page *page)
{
	size_t len = strlen(token);
	char *netns;

	if (len <= GROUP_DIGITS || len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (digit(token[i]) < 0)
			return false;
	netns = arena_alloc(arena, (len - GROUP_DIGITS) / 2 + 1);
	if (!netns)
		return false;
	for (size_t i = 0; i < GROUP_DIGITS; i++)
		page->group = (uint16_t)(page->group << 4 | digit(token[i]));
	for (size_t i = GROUP_DIGITS; i < len; i += 2)
		netns[(i - GROUP_DIGITS) / 2] = (char)(digit(token[i]) << 4 | digit(token[i + 1]));
	page->netns = netns;
	return true;
}

bool page_parse(int32_t page_size, const char *token, struct arena *arena, struct page *ret,
		struct status *err)
{
	if (page_size < 0)
		return status_set(err, GRPC_STATUS_INVALID_ARGUMENT,
				  "page_size: expected 0 or more, not %d", page_size);
	*ret = (struct page){.size = page_size ? (size_t)page_size : PAGE_SIZE};
	if (ret->size > PAGE_SIZE_CAP)
		ret->size = PAGE_SIZE_CAP;
	if (token[0] && !parse_token(token, arena, ret))
		return status_set(err, GRPC_STATUS_INVALID_ARGUMENT,
				  "page_token: expected a next_page_token of this server");
	return true;
}
