/* SPDX-License-Identifier: MIT */
/* The request line, and the head of each answer there is. */
#include "page.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

struct page *page_new(void (*write)(void *data, struct text *text), void *data)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->refs = 1;
	write(data, &page->text);
	return page->text.failed ? page_unref(page) : page;
}

struct page *page_unref(struct page *page)
{
	if (page && --page->refs == 0) {
		text_done(&page->text);
		free(page);
	}
	return NULL;
}

/* --- requests ---------------------------------------------------------------------------------- */

static bool begins(const char *bytes, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

/* Without its query, which means nothing here. */
static bool is_our_path(const char *path, size_t len)
{
	const char *query = memchr(path, '?', len);

	if (query)
		len = (size_t)(query - path);
	return len == strlen("/metrics") && memcmp(path, "/metrics", len) == 0;
}

/* METHOD PATH HTTP/1.x */
static enum request parse_line(const char *line, size_t len)
{
	const char *path = memchr(line, ' ', len);
	const char *version = path ? memchr(path + 1, ' ', len - (size_t)(path + 1 - line)) : NULL;
	size_t method_len = path ? (size_t)(path - line) : 0;

	if (!version || method_len == 0)
		return REQUEST_BROKEN;
	if (!begins(version + 1, len - (size_t)(version + 1 - line), "HTTP/1."))
		return REQUEST_BROKEN;
	if (!is_our_path(path + 1, (size_t)(version - path - 1)))
		return REQUEST_OTHER_PATH;
	if (method_len == 3 && begins(line, len, "GET"))
		return REQUEST_GET;
	if (method_len == 4 && begins(line, len, "HEAD"))
		return REQUEST_HEAD;
	return REQUEST_OTHER_METHOD;
}

enum request request_parse(const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);

	if (!memmem(bytes, len, "\r\n\r\n", 4) && !memmem(bytes, len, "\n\n", 2))
		return REQUEST_INCOMPLETE;
	return parse_line(bytes, (size_t)(end - bytes)); /* an empty line is a line, too */
}

/* --- answers ----------------------------------------------------------------------------------- */

static const char *status_of(enum request request, bool has_page)
{
	switch (request) {
	case REQUEST_GET:
	case REQUEST_HEAD:
		return has_page ? "200 OK" : "503 Service Unavailable";
	case REQUEST_OTHER_PATH:
		return "404 Not Found";
	case REQUEST_OTHER_METHOD:
		return "405 Method Not Allowed\r\nAllow: GET, HEAD";
	case REQUEST_TOO_LONG:
		return "431 Request Header Fields Too Large";
	case REQUEST_BROKEN:
	case REQUEST_INCOMPLETE:
		break;
	}
	return "400 Bad Request";
}

void answer_make(struct answer *answer, enum request request, struct page *page)
{
	int len = snprintf(answer->head, sizeof(answer->head),
			   "HTTP/1.1 %s\r\n"
			   "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
			   "Content-Length: %zu\r\n"
			   "Connection: close\r\n"
			   "\r\n",
			   status_of(request, page), page ? page->text.len : 0);

	answer->head_len = (size_t)len; /* it fits, whatever is in it */
	answer->page = NULL;
	if (request == REQUEST_GET && page) {
		page->refs++;
		answer->page = page;
	}
}

void answer_done(struct answer *answer)
{
	answer->page = page_unref(answer->page);
}

size_t answer_len(const struct answer *answer)
{
	return answer->head_len + (answer->page ? answer->page->text.len : 0);
}

const char *answer_from(const struct answer *answer, size_t sent, size_t *ret_len)
{
	if (sent < answer->head_len) {
		*ret_len = answer->head_len - sent;
		return answer->head + sent;
	}
	sent -= answer->head_len;
	*ret_len = answer->page->text.len - sent;
	return answer->page->text.bytes + sent;
}
