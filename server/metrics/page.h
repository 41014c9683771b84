/* SPDX-License-Identifier: MIT */
/* metrics/page.h - requests and answers of HTTP, as bytes; private to the room. Threads: the server's. */
#ifndef METRICS_PAGE_H
#define METRICS_PAGE_H

#include <stddef.h>

#include "text.h"

/* What there is to tell, shared by the answers that are on their way. */
struct page {
	unsigned refs;
	struct text text;
};

/* One reference; NULL: no memory. */
struct page *page_new(void (*write)(void *data, struct text *text), void *data);
struct page *page_unref(struct page *page); /* returns NULL; NULL is allowed */

enum request {
	REQUEST_INCOMPLETE, /* its empty line has not come */
	REQUEST_GET,
	REQUEST_HEAD,
	REQUEST_BROKEN,
	REQUEST_OTHER_PATH,
	REQUEST_OTHER_METHOD,
	REQUEST_TOO_LONG,
};

/* From the first line; the others are not looked at. */
enum request request_parse(const char *bytes, size_t len);

struct answer {
	char head[256];
	size_t head_len;
	struct page *page; /* a reference; NULL: the head is all */
};

/* @page: of a GET or HEAD; NULL: there is none. */
void answer_make(struct answer *answer, enum request request, struct page *page);
void answer_done(struct answer *answer);
size_t answer_len(const struct answer *answer);
/* The bytes from there on that lie together. */
const char *answer_from(const struct answer *answer, size_t sent, size_t *ret_len);

#endif
