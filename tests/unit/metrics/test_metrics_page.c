/* SPDX-License-Identifier: MIT */
/* Requests of HTTP as bytes, and the answers to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"

/* In memory of just this size, so that a byte read beyond it is seen. */
static enum request parse(const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	enum request request;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	request = request_parse(copy, len);
	free(copy);
	return request;
}

static void the_first_line_decides(void **state)
{
	static const struct {
		const char *bytes;
		enum request expected;
	} cases[] = {
	    {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", REQUEST_GET},
	    {"GET /metrics HTTP/1.0\r\n\r\n", REQUEST_GET},
	    {"GET /metrics HTTP/1.1\n\n", REQUEST_GET},
	    {"GET /metrics?name[]=x HTTP/1.1\r\n\r\n", REQUEST_GET},
	    {"HEAD /metrics HTTP/1.1\r\n\r\n", REQUEST_HEAD},
	    {"POST /metrics HTTP/1.1\r\n\r\n", REQUEST_OTHER_METHOD},
	    {"get /metrics HTTP/1.1\r\n\r\n", REQUEST_OTHER_METHOD},
	    {"GETS /metrics HTTP/1.1\r\n\r\n", REQUEST_OTHER_METHOD},
	    {"GET / HTTP/1.1\r\n\r\n", REQUEST_OTHER_PATH},
	    {"GET /metricsx HTTP/1.1\r\n\r\n", REQUEST_OTHER_PATH},
	    {"GET /metric HTTP/1.1\r\n\r\n", REQUEST_OTHER_PATH},
	    {"GET  HTTP/1.1\r\n\r\n", REQUEST_OTHER_PATH},
	    {"GET /metrics\r\n\r\n", REQUEST_BROKEN},
	    {"GET /metrics HTTP/2\r\n\r\n", REQUEST_BROKEN},
	    {"GET /metrics HTTP/1\r\n\r\n", REQUEST_BROKEN},
	    {" /metrics HTTP/1.1\r\n\r\n", REQUEST_BROKEN},
	    {"\r\n\r\n", REQUEST_BROKEN},
	    {"\n\n", REQUEST_BROKEN},
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REQUEST_BROKEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse(cases[i].bytes, strlen(cases[i].bytes)) != cases[i].expected)
			fail_msg("%s", cases[i].bytes);
}

static void a_request_is_complete_with_its_empty_line(void **state)
{
	static const char bytes[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof(bytes) - 1; len++)
		assert_int_equal(parse(bytes, len), REQUEST_INCOMPLETE);
	assert_int_equal(parse(bytes, sizeof(bytes) - 1), REQUEST_GET);
}

static void a_zero_byte_ends_nothing(void **state)
{
	static const char bytes[] = "GET /metrics\0 HTTP/1.1\r\n\r\n";

	(void)state;
	assert_int_equal(parse(bytes, sizeof(bytes) - 1), REQUEST_OTHER_PATH);
}

static void write_page(void *data, struct text *text)
{
	text_add(text, "%s", (const char *)data);
}

static void answer_is(enum request request, struct page *page, const char *status, size_t body)
{
	struct answer answer;
	size_t len;

	answer_make(&answer, request, page);
	assert_memory_equal(answer_from(&answer, 0, &len), status, strlen(status));
	assert_int_equal(len, answer.head_len);
	assert_int_equal(answer_len(&answer), answer.head_len + body);
	if (body)
		assert_memory_equal(answer_from(&answer, answer.head_len, &len), "page", 4);
	answer_done(&answer);
}

static void each_request_has_its_answer(void **state)
{
	char content[] = "page";
	struct page *page = page_new(write_page, content);

	(void)state;
	answer_is(REQUEST_GET, page, "HTTP/1.1 200 OK\r\n", 4);
	answer_is(REQUEST_HEAD, page, "HTTP/1.1 200 OK\r\n", 0);
	answer_is(REQUEST_GET, NULL, "HTTP/1.1 503 Service Unavailable\r\n", 0);
	answer_is(REQUEST_OTHER_PATH, NULL, "HTTP/1.1 404 Not Found\r\n", 0);
	answer_is(REQUEST_OTHER_METHOD, NULL, "HTTP/1.1 405 Method Not Allowed\r\nAllow: ", 0);
	answer_is(REQUEST_TOO_LONG, NULL, "HTTP/1.1 431 ", 0);
	answer_is(REQUEST_BROKEN, NULL, "HTTP/1.1 400 Bad Request\r\n", 0);
	assert_null(page_unref(page)); /* the last reference: leaks are seen */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_line_decides),
	    cmocka_unit_test(a_request_is_complete_with_its_empty_line),
	    cmocka_unit_test(a_zero_byte_ends_nothing),
	    cmocka_unit_test(each_request_has_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
