/* SPDX-License-Identifier: MIT */
/* What a TLS endpoint serves with, and gRPC's question whether that has changed. */
#include "tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "pem.h"
#include "rpc.h"

struct tls {
	char *certificate; /* owned; const, as the next two: paths */
	char *private_key; /* owned */
	char *client_ca;   /* owned; NULL: clients need no certificate */
	pthread_mutex_t lock;
	struct pem pem; /* [lock] */
	bool is_new;    /* [lock] gRPC does not have it yet */
};

static void tls_freep(struct tls **tls)
{
	tls_free(*tls);
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	pem_done(&tls->pem);
	(void)pthread_mutex_destroy(&tls->lock);
	free(tls->certificate);
	free(tls->private_key);
	free(tls->client_ca);
	free(tls);
}

static int copy_paths(struct tls *tls, const struct rpc_tls *files)
{
	tls->certificate = strdup(files->certificate);
	tls->private_key = strdup(files->private_key);
	if (files->client_ca)
		tls->client_ca = strdup(files->client_ca);
	return tls->certificate && tls->private_key && (tls->client_ca || !files->client_ca)
		   ? 0
		   : -ENOMEM;
}

int tls_reload(struct tls *tls, struct rpc_error *err)
{
	const struct rpc_tls files = {.certificate = tls->certificate,
				      .private_key = tls->private_key,
				      .client_ca = tls->client_ca};
	CLEANUP(pem_done) struct pem fresh = {0};
	struct pem old;
	int r = pem_load(&files, &fresh, err);

	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&tls->lock);
	if (!pem_is_equal(&tls->pem, &fresh)) {
		old = tls->pem;
		tls->pem = fresh;
		tls->is_new = true;
		fresh = old;
	}
	(void)pthread_mutex_unlock(&tls->lock);
	return 0;
}

int tls_new(const struct rpc_tls *files, struct tls **ret, struct rpc_error *err)
{
	struct tls *made = calloc(1, sizeof(*made));
	int r;

	if (!made)
		return -ENOMEM;
	r = -pthread_mutex_init(&made->lock, NULL);
	if (r < 0) {
		free(made);
		return r;
	}
	CLEANUP(tls_freep) struct tls *tls = made;

	r = copy_paths(tls, files);
	if (r == 0)
		r = tls_reload(tls, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(tls);
	return 0;
}

/* [lock] gRPC aborts when there are no roots at all. Where clients need no certificate none is asked
 * for, so what stands there is trusted with nothing. */
static grpc_ssl_server_certificate_config *make_config(const struct tls *tls)
{
	const grpc_ssl_pem_key_cert_pair pair = {.private_key = tls->pem.private_key,
						 .cert_chain = tls->pem.certificate};
	const char *roots = tls->pem.client_ca ? tls->pem.client_ca : tls->pem.certificate;

	return grpc_ssl_server_certificate_config_create(roots, &pair, 1);
}

/* gRPC asks for each handshake, from whichever thread. */
static grpc_ssl_certificate_config_reload_status fetch(void *data,
						       grpc_ssl_server_certificate_config **ret)
{
	grpc_ssl_certificate_config_reload_status status =
	    GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
	struct tls *tls = data;

	(void)pthread_mutex_lock(&tls->lock);
	if (tls->is_new) {
		*ret = make_config(tls);
		tls->is_new = false;
		status = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
	}
	(void)pthread_mutex_unlock(&tls->lock);
	return status;
}

grpc_server_credentials *tls_credentials(struct tls *tls)
{
	return grpc_ssl_server_credentials_create_with_options(
	    grpc_ssl_server_credentials_create_options_using_config_fetcher(
		tls_asks_for_certificates(tls)
		    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
		    : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
		fetch, tls));
}

bool tls_asks_for_certificates(const struct tls *tls)
{
	return tls->client_ca;
}
