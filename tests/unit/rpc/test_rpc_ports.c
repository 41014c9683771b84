/* SPDX-License-Identifier: MIT */
/* TCP endpoints: which addresses are served how, and their certificates read again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <grpc/grpc_security.h>

#include "bytes.h"
#include "certs.h"
#include "log.h"
#include "ports.h"
#include "rpc.h"

struct harbour {
	grpc_server *server;
	struct ports *ports;
	char folder[32];
	char certificate[200], key_one[200], key_two[200];
	struct cert cert, other;
};

static int harbour_open(void **state)
{
	struct harbour *harbour = calloc(1, sizeof(*harbour));

	assert_non_null(harbour);
	log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	grpc_init();
	harbour->server = grpc_server_create(NULL, NULL);
	harbour->ports = ports_new(harbour->server, 2);
	assert_non_null(harbour->ports);
	(void)strcpy(harbour->folder, "/tmp/nfl-ports-XXXXXX");
	assert_non_null(mkdtemp(harbour->folder));
	cert_make(&harbour->cert, &(struct cert_wish){.common_name = "server"});
	cert_make(&harbour->other, &(struct cert_wish){.common_name = "other"});
	cert_path(harbour->folder, "crt", harbour->certificate);
	cert_path(harbour->folder, "key1", harbour->key_one);
	cert_path(harbour->folder, "key2", harbour->key_two);
	cert_write(harbour->folder, "crt", harbour->cert.text);
	cert_write(harbour->folder, "key1", harbour->cert.key_text);
	cert_write(harbour->folder, "key2", harbour->cert.key_text);
	*state = harbour;
	return 0;
}

static int harbour_close(void **state)
{
	struct harbour *harbour = *state;
	grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck(NULL);

	grpc_server_shutdown_and_notify(harbour->server, queue, NULL);
	(void)grpc_completion_queue_pluck(queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_server_destroy(harbour->server);
	grpc_completion_queue_shutdown(queue);
	grpc_completion_queue_destroy(queue);
	ports_free(harbour->ports);
	(void)unlink(harbour->certificate);
	(void)unlink(harbour->key_one);
	(void)unlink(harbour->key_two);
	assert_int_equal(rmdir(harbour->folder), 0);
	cert_done(&harbour->cert);
	cert_done(&harbour->other);
	free(harbour);
	grpc_shutdown();
	return 0;
}

static int add(struct harbour *harbour, const char *tcp, const char *key, struct rpc_error *err)
{
	const struct rpc_tls tls = {.certificate = harbour->certificate, .private_key = key};
	const struct rpc_endpoint endpoint = {.tcp = tcp, .tls = key ? &tls : NULL};

	return ports_add(harbour->ports, &endpoint, err);
}

static void plaintext_is_for_loopback_and_tls_for_every_address(void **state)
{
	static const char *const elsewhere[] = {"0.0.0.0:0", "[::]:0", "10.0.0.1:7443"};
	struct harbour *harbour = *state;
	struct rpc_error err;

	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		assert_int_equal(add(harbour, elsewhere[i], NULL, &err), -EINVAL);
		assert_non_null(strstr(err.text, "without TLS no other is served"));
	}
	assert_int_equal(add(harbour, "127.0.0.1:0", NULL, &err), 0);
	assert_int_equal(add(harbour, "0.0.0.0:0", harbour->key_one, &err), 0);
}

static void an_endpoint_with_broken_files_is_none(void **state)
{
	struct harbour *harbour = *state;
	struct rpc_error err;

	cert_write(harbour->folder, "key1", harbour->other.key_text);
	assert_int_equal(add(harbour, "127.0.0.1:0", harbour->key_one, &err), -EINVAL);
	assert_non_null(strstr(err.text, harbour->key_one));
}

static void a_reload_names_the_endpoint_that_keeps_its_old_files(void **state)
{
	struct harbour *harbour = *state;
	struct rpc_error err;

	assert_int_equal(add(harbour, "127.0.0.1:0", harbour->key_one, &err), 0);
	assert_int_equal(add(harbour, "127.0.0.1:0", harbour->key_two, &err), 0);
	assert_int_equal(ports_reload_tls(harbour->ports, &err), 0);
	cert_write(harbour->folder, "key2", harbour->other.key_text);
	assert_int_equal(ports_reload_tls(harbour->ports, &err), -EINVAL);
	assert_non_null(strstr(err.text, harbour->key_two));
	cert_write(harbour->folder, "key2", harbour->cert.key_text);
	assert_int_equal(unlink(harbour->key_one), 0);
	assert_int_equal(ports_reload_tls(harbour->ports, &err), -ENOENT);
	assert_non_null(strstr(err.text, harbour->key_one));
}

#define harbour_test(name) cmocka_unit_test_setup_teardown(name, harbour_open, harbour_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    harbour_test(plaintext_is_for_loopback_and_tls_for_every_address),
	    harbour_test(an_endpoint_with_broken_files_is_none),
	    harbour_test(a_reload_names_the_endpoint_that_keeps_its_old_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
