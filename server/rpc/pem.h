/* SPDX-License-Identifier: MIT */
/*
 * rpc/pem.h - certificate, key and CA of a TLS endpoint, read from files and checked
 *
 * What passes here is what gRPC can use: it is tried on a TLS context of OpenSSL, as gRPC will. gRPC
 * itself says of a broken file at most that something is wrong. Threads: main.
 */
#ifndef RPC_PEM_H
#define RPC_PEM_H

#include <stdbool.h>

struct rpc_error;
struct rpc_tls;

/* The files' texts; all zero is none. */
struct pem {
	char *certificate; /* owned, OpenSSL's; with its chain */
	char *private_key; /* owned, OpenSSL's; wiped at the end */
	char *client_ca;   /* owned, OpenSSL's; NULL: not asked for */
};

/**
 * pem_load - read the files; a certificate that is out of date is only warned of
 * Returns 0; -EINVAL: what a file holds cannot be used; or another -errno. @err names the file and
 * the reason.
 */
int pem_load(const struct rpc_tls *files, struct pem *ret, struct rpc_error *err);
bool pem_is_equal(const struct pem *a, const struct pem *b);
void pem_done(struct pem *pem);

#endif
