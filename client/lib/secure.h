/* SPDX-License-Identifier: MIT */
/*
 * secure.h - what a client and its server prove to each other: TLS, and a bearer token
 *
 * Files are read when the client is made, and again for each connection (TLS) or call (the token) that
 * the library makes. What cannot be read then, or is no regular file, stays as it was: it may be just
 * being replaced, and if not, the server says so.
 *
 * Threads: any, after secure_init().
 */
#ifndef CLIENT_SECURE_H
#define CLIENT_SECURE_H

#include <stdbool.h>

#include <grpc/grpc_security.h>
#include <grpc/slice.h>

#include <nfl/client.h>

/* Texts of files, owned, wiped at the end; NULL: not given. */
struct secrets {
	char *ca;
	char *cert;
	char *key;
	char *token;
};

/* Const after secure_init(). */
struct secure {
	bool tls;
	char *name;    /* owned; NULL: that of the address */
	char *ca_path; /* owned, as the next three; NULL: not given */
	char *cert_path;
	char *key_path;
	char *token_path;
	struct secrets first; /* as they were when the client was made */
};

/**
 * secure_init - check what the user wants, and read the files
 * @secure: zero-initialised; secure_done() also after a failure
 * @is_unix: the server is on a unix socket
 * @err: says what is wrong, by the file's name where it is one
 * Returns 0; -EINVAL: options that contradict each other, among them a token without TLS; -EBADMSG: a
 * file does not hold what it should; -ENOMEM; or -errno of reading a file.
 */
int secure_init(struct secure *secure, const struct nfl_client_options *options, bool is_unix,
		struct nfl_client_error *err);
void secure_done(struct secure *secure);

/* For one connection, owned by the caller; NULL without memory. */
grpc_channel_credentials *secure_credentials(const struct secure *secure);

/* The value of `authorization` for one call, unref it. False: there is none. */
bool secure_authorization(const struct secure *secure, grpc_slice *ret);

#endif
