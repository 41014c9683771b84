/* SPDX-License-Identifier: MIT */
/*
 * metrics/http.h - one page by HTTP/1.1, and nothing else of HTTP
 *
 * GET and HEAD of /metrics; the connection is closed after each answer. By hand and not by a library: what
 * is there to parse is one line, and Debian's libmicrohttpd would bring GnuTLS into a process that is
 * exposed, and knows a timeout for silence but none for a request as a whole.
 *
 * One thread, at most HTTP_CONNECTIONS of them at a time (the oldest goes when one more comes, though not
 * before HTTP_STAY_MS, so nobody can keep others out by holding them), HTTP_REQUEST_BYTES of a request, HTTP_REQUEST_MS to send it and
 * HTTP_ANSWER_MS to take the answer, which is made at most once in HTTP_FRESH_MS.
 *
 * Threads: open, start, free from main.
 */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

#include <stddef.h>

#define HTTP_CONNECTIONS   64
#define HTTP_STAY_MS       20
#define HTTP_REQUEST_BYTES 4096
#define HTTP_REQUEST_MS    5000
#define HTTP_ANSWER_MS     10000
#define HTTP_FRESH_MS      100

struct http;
struct text;

struct http_options {
	const char *listen; /* numeric address and port: "127.0.0.1:9477", "[::1]:9477" */
	/* Writes the page, on the server's thread. */
	void (*write)(void *data, struct text *text);
	void *data; /* borrowed */
};

/* Binds and listens; nobody is answered before http_start(). 0 or -errno. */
int http_open(const struct http_options *options, struct http **ret);
int http_start(struct http *http);
void http_free(struct http *http); /* NULL is allowed; ends the thread first */

#endif
