/* SPDX-License-Identifier: MIT */
/*
 * rpc/tls.h - certificates of a TLS endpoint, which can be replaced while it serves
 *
 * gRPC asks at each handshake whether there is something new; connections that are there go on with
 * what they have. TLS 1.2 and newer is gRPC's default, and nothing here lowers it.
 *
 * Threads: main; gRPC's ask.
 */
#ifndef RPC_TLS_H
#define RPC_TLS_H

#include <stdbool.h>

#include <grpc/grpc_security.h>

struct rpc_error;
struct rpc_tls;
struct tls;

/**
 * tls_new - read and check the files of an endpoint
 * @files: copied
 * Returns 0, or -errno with the file and the reason in @err.
 */
int tls_new(const struct rpc_tls *files, struct tls **ret, struct rpc_error *err);
/* After the server that has its credentials; NULL is allowed. */
void tls_free(struct tls *tls);

/* The caller's. NULL: gRPC refuses. */
grpc_server_credentials *tls_credentials(struct tls *tls);

/* Reads the files again. On failure nothing has changed; the same results as tls_new(). */
int tls_reload(struct tls *tls, struct rpc_error *err);

/* Clients must show a certificate. */
bool tls_asks_for_certificates(const struct tls *tls);

#endif
