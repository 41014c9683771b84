/* SPDX-License-Identifier: MIT */
/* TLS and tokens: what nfl_client_new() takes, and what it says of the rest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <nfl/client.h>

#include "bytes.h"

#define TOKEN "0123456789abcdef"
#define TCP   "127.0.0.1:1"
#define UNIX  "/nonexistent"
#define PEM   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

struct files {
	char folder[32];
	char pem[64], token[64];
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int files_make(void **state)
{
	struct files *files = calloc(1, sizeof(*files));

	assert_non_null(files);
	(void)strcpy(files->folder, "/tmp/nfl-secure-XXXXXX");
	assert_non_null(mkdtemp(files->folder));
	(void)snprintf(files->pem, sizeof(files->pem), "%s/pem", files->folder);
	(void)snprintf(files->token, sizeof(files->token), "%s/token", files->folder);
	write_file(files->pem, PEM);
	write_file(files->token, TOKEN "\nmore\n");
	*state = files;
	return 0;
}

static int files_remove(void **state)
{
	struct files *files = *state;

	(void)unlink(files->pem);
	(void)unlink(files->token);
	assert_int_equal(rmdir(files->folder), 0);
	free(files);
	return 0;
}

static void expect_made(struct nfl_client_options options)
{
	struct nfl_client_error err = {0};
	struct nfl_client *client;

	options.size = sizeof(options);
	options.err = &err;
	if (nfl_client_new(&options, &client) < 0)
		fail_msg("%s", err.message);
	nfl_client_free(client);
}

static void expect_refusal(struct nfl_client_options options, int r, const char *text)
{
	struct nfl_client_error err = {0};
	struct nfl_client *client = NULL;

	options.size = sizeof(options);
	options.err = &err;
	assert_int_equal(nfl_client_new(&options, &client), r);
	assert_null(client);
	assert_int_equal(err.code, NFL_CLIENT_INVALID_ARGUMENT);
	if (!strstr(err.message, text))
		fail_msg("%s", err.message);
	options.err = NULL;
	assert_int_equal(nfl_client_new(&options, &client), r);
}

static void what_fits_together_is_taken(void **state)
{
	const struct files *files = *state;
	const struct nfl_client_options good[] = {
	    {.server = TCP, .flags = NFL_CLIENT_TLS},
	    {.server = TCP, .tls_ca = files->pem},
	    {.server = TCP,
	     .tls_ca = files->pem,
	     .tls_cert = files->pem,
	     .tls_key = files->pem,
	     .tls_name = "x",
	     .token = TOKEN},
	    {.server = TCP, .tls_ca = files->pem, .token_file = files->token},
	    {.server = UNIX, .token_file = files->token},
	    {.server = UNIX, .token = TOKEN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		expect_made(good[i]);
}

static void a_token_is_never_for_plaintext_tcp(void **state)
{
	const struct files *files = *state;

	expect_refusal((struct nfl_client_options){.server = TCP, .token = TOKEN}, -EINVAL,
		       "over TLS and the unix socket only");
	expect_refusal(
	    (struct nfl_client_options){.server = "localhost:1", .token_file = files->token},
	    -EINVAL, "over TLS and the unix socket only");
}

static void options_that_contradict_each_other_are_refused(void **state)
{
	const struct files *files = *state;
	const char *pem = files->pem;

	expect_refusal((struct nfl_client_options){.server = UNIX, .flags = NFL_CLIENT_TLS},
		       -EINVAL, "unix socket");
	expect_refusal((struct nfl_client_options){.server = UNIX, .tls_ca = pem}, -EINVAL,
		       "unix socket");
	expect_refusal((struct nfl_client_options){.server = TCP, .tls_cert = pem, .tls_key = pem},
		       -EINVAL, "for TLS only");
	expect_refusal((struct nfl_client_options){.server = TCP, .tls_name = "x"}, -EINVAL,
		       "for TLS only");
	expect_refusal((struct nfl_client_options){.server = TCP, .tls_ca = pem, .tls_cert = pem},
		       -EINVAL, "needs its key");
	expect_refusal((struct nfl_client_options){.server = TCP, .tls_ca = pem, .tls_key = pem},
		       -EINVAL, "needs its key");
	expect_refusal(
	    (struct nfl_client_options){.server = UNIX, .token = TOKEN, .token_file = files->token},
	    -EINVAL, "too many");
	expect_refusal((struct nfl_client_options){.server = UNIX, .flags = 2}, -EINVAL, "flag");
}

static void files_that_are_not_there_or_hold_something_else_are_named(void **state)
{
	const struct files *files = *state;
	struct nfl_client_options tls = {.server = TCP, .tls_ca = files->pem};
	struct nfl_client_options token = {.server = UNIX, .token_file = files->token};

	write_file(files->pem, "hello\n");
	expect_refusal(tls, -EBADMSG, files->pem);
	assert_int_equal(unlink(files->pem), 0);
	expect_refusal(tls, -ENOENT, "No such file");
	write_file(files->token, "short\n");
	expect_refusal(token, -EBADMSG, files->token);
	write_file(files->token, "0123456789 abcdef\n");
	expect_refusal(token, -EBADMSG, "expected a token");
	assert_int_equal(unlink(files->token), 0);
	expect_refusal(token, -ENOENT, files->token);
	token.token_file = files->folder;
	expect_refusal(token, -EISDIR, files->folder);
}

#define files_test(name) cmocka_unit_test_setup_teardown(name, files_make, files_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    files_test(what_fits_together_is_taken),
	    files_test(a_token_is_never_for_plaintext_tcp),
	    files_test(options_that_contradict_each_other_are_refused),
	    files_test(files_that_are_not_there_or_hold_something_else_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
