/* SPDX-License-Identifier: MIT */
/* Files of TLS, and what a certificate proves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <grpc/support/time.h>

#include "certs.h"
#include "identify.h"
#include "log.h"
#include "meeting.h"
#include "policy.h"
#include "rpc.h"
#include "tls.h"

#define SERVER_NAME "server.test"
#define MANY        33 /* more names than a certificate may have */

static const struct meeting_header token[] = {{"authorization", "Bearer 0123456789abcdef"}, {0}};

struct desk {
	char folder[32];
	char certificate[200], private_key[200], client_ca[200];
	struct rpc_tls files;
	struct cert ca, server, other; /* "other" is a CA, too */
};

static int desk_open(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	assert_non_null(desk);
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	(void)strcpy(desk->folder, "/tmp/nfl-tls-XXXXXX");
	assert_non_null(mkdtemp(desk->folder));
	cert_make(&desk->ca, &(struct cert_wish){.common_name = "clients and servers"});
	cert_make(&desk->other, &(struct cert_wish){.common_name = "others"});
	cert_make(&desk->server,
		  &(struct cert_wish){.issuer = &desk->ca, .alt_names = "DNS:" SERVER_NAME});
	cert_path(desk->folder, "crt", desk->certificate);
	cert_path(desk->folder, "key", desk->private_key);
	cert_path(desk->folder, "ca", desk->client_ca);
	cert_write(desk->folder, "crt", desk->server.text);
	cert_write(desk->folder, "key", desk->server.key_text);
	cert_write(desk->folder, "ca", desk->ca.text);
	desk->files = (struct rpc_tls){.certificate = desk->certificate,
				       .private_key = desk->private_key,
				       .client_ca = desk->client_ca};
	*state = desk;
	return 0;
}

static int desk_close(void **state)
{
	struct desk *desk = *state;

	(void)unlink(desk->certificate);
	(void)unlink(desk->private_key);
	(void)unlink(desk->client_ca);
	assert_int_equal(rmdir(desk->folder), 0);
	cert_done(&desk->ca);
	cert_done(&desk->other);
	cert_done(&desk->server);
	free(desk);
	return 0;
}

static struct tls *load(const struct desk *desk)
{
	struct rpc_error err = {0};
	struct tls *tls;

	if (tls_new(&desk->files, &tls, &err) < 0)
		fail_msg("%s", err.text);
	return tls;
}

/* Fails the test unless the files are refused, for this reason and by this name. */
static void expect_refusal(const struct desk *desk, const char *path, const char *reason)
{
	struct rpc_error err = {0};
	struct tls *tls = NULL;

	assert_true(tls_new(&desk->files, &tls, &err) < 0);
	assert_null(tls);
	if (strncmp(err.text, path, strlen(path)) != 0 || !strstr(err.text, reason))
		fail_msg("%s", err.text);
}

/* --- files ------------------------------------------------------------------------------------- */

static void a_file_that_is_not_there_is_named(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(unlink(desk->private_key), 0);
	expect_refusal(desk, desk->private_key, "No such file");
}

static void files_without_pem_are_refused(void **state)
{
	struct desk *desk = *state;

	cert_write(desk->folder, "ca", "");
	expect_refusal(desk, desk->client_ca, "has no certificate");
	cert_write(desk->folder, "key", "hello\n");
	expect_refusal(desk, desk->private_key, "has no private key");
	cert_write(desk->folder, "crt", desk->server.key_text);
	expect_refusal(desk, desk->certificate, "has no certificate");
}

static void a_certificate_cut_short_is_refused(void **state)
{
	struct desk *desk = *state;
	char *text = strdup(desk->server.text);

	assert_non_null(text);
	text[strlen(text) / 2] = '\0';
	cert_write(desk->folder, "crt", text);
	expect_refusal(desk, desk->certificate, "has a broken certificate");
	free(text);
}

static void a_broken_certificate_behind_a_good_one_is_refused(void **state)
{
	struct desk *desk = *state;
	char text[8192];

	(void)snprintf(text, sizeof(text), "%s-----BEGIN CERTIFICATE-----\nAAAA\n", desk->ca.text);
	cert_write(desk->folder, "ca", text);
	expect_refusal(desk, desk->client_ca, "has a broken certificate");
}

static void a_key_of_another_certificate_is_refused(void **state)
{
	struct desk *desk = *state;

	cert_write(desk->folder, "key", desk->other.key_text);
	expect_refusal(desk, desk->private_key, "is not the key of the certificate");
}

static void an_encrypted_key_is_refused_without_asking(void **state)
{
	struct desk *desk = *state;
	char *text = cert_encrypted_key(&desk->server, "secret");

	cert_write(desk->folder, "key", text);
	expect_refusal(desk, desk->private_key, "encrypted");
	free(text);
}

static void a_key_too_weak_for_tls_is_refused_at_load(void **state)
{
	struct desk *desk = *state;
	struct cert weak;

	cert_make(&weak, &(struct cert_wish){.issuer = &desk->ca, .is_weak = true});
	cert_write(desk->folder, "crt", weak.text);
	cert_write(desk->folder, "key", weak.key_text);
	expect_refusal(desk, desk->certificate, "key too small");
	cert_done(&weak);
}

static void an_expired_certificate_is_only_warned_of(void **state)
{
	struct desk *desk = *state;
	struct cert old;

	cert_make(&old, &(struct cert_wish){.issuer = &desk->ca, .is_expired = true});
	cert_write(desk->folder, "crt", old.text);
	cert_write(desk->folder, "key", old.key_text);
	tls_free(load(desk));
	cert_done(&old);
}

/* --- who --------------------------------------------------------------------------------------- */

/* The client trusts @ca and shows @cert, or nothing. */
static void meet(struct meeting *meeting, struct tls *tls, const struct cert *ca,
		 const struct cert *cert, const struct meeting_header *headers)
{
	grpc_ssl_pem_key_cert_pair pair = {0};

	if (cert)
		pair = (grpc_ssl_pem_key_cert_pair){.private_key = cert->key_text,
						    .cert_chain = cert->text};
	meeting_listen(meeting, "127.0.0.1", tls_credentials(tls));
	meeting_connect(meeting,
			grpc_ssl_credentials_create(ca->text, cert ? &pair : NULL, NULL, NULL),
			SERVER_NAME, headers);
}

static void done(struct meeting *meeting, struct tls *tls)
{
	meeting_end(meeting);
	tls_free(tls);
}

static struct identity *identify(struct meeting *meeting)
{
	struct identity *identity = NULL;
	struct status err;

	if (!identity_new(&meeting->call, &identity, &err))
		fail_msg("%s", err.text);
	return identity;
}

static void a_certificate_proves_all_of_its_names(void **state)
{
	struct desk *desk = *state;
	struct tls *tls = load(desk);
	struct meeting meeting;
	struct identity *identity;
	const struct principal *who;
	struct cert client;

	cert_make(&client, &(struct cert_wish){.issuer = &desk->ca,
					       .common_name = "red client",
					       .alt_names = "URI:spiffe://corp/red/1,DNS:a.test,"
							    "URI:https://x/,DNS:b.test"});
	meet(&meeting, tls, &desk->ca, &client, NULL);
	identity = identify(&meeting);
	who = identity_principal(identity);
	assert_int_equal(who->uri_count, 2);
	assert_string_equal(who->uris[0], "spiffe://corp/red/1");
	assert_string_equal(who->uris[1], "https://x/");
	assert_int_equal(who->dns_count, 2);
	assert_string_equal(who->dns[0], "a.test");
	assert_string_equal(who->dns[1], "b.test");
	assert_string_equal(who->common_name, "red client");
	assert_false(who->has_uid);
	assert_false(who->is_loopback);
	assert_false(who->has_token);
	assert_string_equal(identity_text(identity), "cert spiffe://corp/red/1");
	identity_free(identity);
	done(&meeting, tls);
	cert_done(&client);
}

static void a_name_that_hides_behind_a_nul_proves_nothing(void **state)
{
	struct desk *desk = *state;
	struct tls *tls = load(desk);
	struct meeting meeting;
	struct identity *identity = NULL;
	struct status err;
	struct cert client;

	cert_make(&client, &(struct cert_wish){.issuer = &desk->ca,
					       .common_name = "red",
					       .raw_dns = "red.test\0.evil.test",
					       .raw_dns_len = 19});
	meet(&meeting, tls, &desk->ca, &client, NULL);
	assert_false(identity_new(&meeting.call, &identity, &err));
	assert_int_equal(err.code, GRPC_STATUS_UNAUTHENTICATED);
	done(&meeting, tls);
	cert_done(&client);
}

static void a_certificate_with_too_many_names_proves_nothing(void **state)
{
	struct desk *desk = *state;
	struct tls *tls = load(desk);
	char names[MANY * 16] = "";
	struct meeting meeting;
	struct identity *identity = NULL;
	struct status err;
	struct cert client;
	size_t len = 0;

	for (int i = 0; i < MANY; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%sDNS:n%d.test",
					i ? "," : "", i);
	cert_make(&client, &(struct cert_wish){.issuer = &desk->ca, .alt_names = names});
	meet(&meeting, tls, &desk->ca, &client, NULL);
	assert_false(identity_new(&meeting.call, &identity, &err));
	assert_non_null(strstr(err.text, "too many"));
	done(&meeting, tls);
	cert_done(&client);
}

static void without_client_ca_only_a_token_proves_something(void **state)
{
	struct desk *desk = *state;
	struct meeting meeting;
	struct identity *identity;
	struct tls *tls;

	desk->files.client_ca = NULL;
	tls = load(desk);
	meet(&meeting, tls, &desk->ca, NULL, token);
	identity = identify(&meeting);
	assert_true(identity_principal(identity)->has_token);
	assert_false(identity_principal(identity)->is_loopback);
	assert_string_equal(identity_text(identity), "token 9f9f5111");
	identity_free(identity);
	meeting_part(&meeting);
	meeting_connect(&meeting, grpc_ssl_credentials_create(desk->ca.text, NULL, NULL, NULL),
			SERVER_NAME, NULL);
	identity = identify(&meeting);
	assert_false(identity_principal(identity)->has_token);
	assert_false(identity_principal(identity)->is_loopback);
	assert_int_equal(identity_principal(identity)->uri_count, 0);
	assert_null(identity_principal(identity)->common_name);
	assert_ptr_equal(strstr(identity_text(identity), "tls 127.0.0.1:"),
			 identity_text(identity));
	identity_free(identity);
	done(&meeting, tls);
}

/* --- reload ------------------------------------------------------------------------------------ */

static void a_new_certificate_is_served_at_the_next_handshake(void **state)
{
	struct desk *desk = *state;
	struct rpc_error err = {0};
	struct meeting meeting;
	struct cert fresh;
	struct tls *tls;

	desk->files.client_ca = NULL;
	tls = load(desk);
	cert_make(&fresh,
		  &(struct cert_wish){.issuer = &desk->other, .alt_names = "DNS:" SERVER_NAME});
	meeting_listen(&meeting, "127.0.0.1", tls_credentials(tls));
	meeting_connect(&meeting, grpc_ssl_credentials_create(desk->ca.text, NULL, NULL, NULL),
			SERVER_NAME, NULL);
	cert_write(desk->folder, "crt", fresh.text);
	cert_write(desk->folder, "key", fresh.key_text);
	assert_int_equal(tls_reload(tls, &err), 0);
	meeting_part(&meeting);
	meeting_connect(&meeting, grpc_ssl_credentials_create(desk->other.text, NULL, NULL, NULL),
			SERVER_NAME, NULL);
	done(&meeting, tls);
	cert_done(&fresh);
}

static void a_broken_file_leaves_the_old_certificate_in_use(void **state)
{
	struct desk *desk = *state;
	struct rpc_error err = {0};
	struct meeting meeting;
	struct tls *tls;

	desk->files.client_ca = NULL;
	tls = load(desk);
	meeting_listen(&meeting, "127.0.0.1", tls_credentials(tls));
	cert_write(desk->folder, "key", desk->other.key_text);
	assert_int_equal(tls_reload(tls, &err), -EINVAL);
	assert_non_null(strstr(err.text, desk->private_key));
	meeting_connect(&meeting, grpc_ssl_credentials_create(desk->ca.text, NULL, NULL, NULL),
			SERVER_NAME, NULL);
	meeting_part(&meeting);
	meeting_connect(&meeting, grpc_ssl_credentials_create(desk->ca.text, NULL, NULL, NULL),
			SERVER_NAME, NULL);
	done(&meeting, tls);
}

#define desk_test(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    desk_test(a_file_that_is_not_there_is_named),
	    desk_test(files_without_pem_are_refused),
	    desk_test(a_certificate_cut_short_is_refused),
	    desk_test(a_broken_certificate_behind_a_good_one_is_refused),
	    desk_test(a_key_of_another_certificate_is_refused),
	    desk_test(an_encrypted_key_is_refused_without_asking),
	    desk_test(a_key_too_weak_for_tls_is_refused_at_load),
	    desk_test(an_expired_certificate_is_only_warned_of),
	    desk_test(a_certificate_proves_all_of_its_names),
	    desk_test(a_name_that_hides_behind_a_nul_proves_nothing),
	    desk_test(a_certificate_with_too_many_names_proves_nothing),
	    desk_test(without_client_ca_only_a_token_proves_something),
	    desk_test(a_new_certificate_is_served_at_the_next_handshake),
	    desk_test(a_broken_file_leaves_the_old_certificate_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
