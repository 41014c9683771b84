/* SPDX-License-Identifier: MIT */
/* certs.h - certificates made for a test */
#ifndef CERTS_H
#define CERTS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

struct cert {
	X509 *x509;
	EVP_PKEY *key;
	char *text;     /* PEM; owned */
	char *key_text; /* the same */
};

struct cert_wish {
	const struct cert *issuer; /* NULL: signed by itself, and a CA */
	const char *common_name;   /* NULL: none */
	const char *alt_names;     /* as in OpenSSL's files: "URI:spiffe://x,DNS:y"; NULL: none */
	const void *raw_dns;       /* one DNS name of any bytes, instead of alt_names */
	size_t raw_dns_len;
	bool is_expired;
	bool is_weak; /* a key that no TLS accepts */
};

/* All succeed or fail the test. */
void cert_make(struct cert *cert, const struct cert_wish *wish);
void cert_done(struct cert *cert);

/* "@folder/@name" in @ret. */
void cert_path(const char *folder, const char *name, char ret[200]);
/* A file with this text. */
void cert_write(const char *folder, const char *name, const char *text);
/* The key as PEM behind a passphrase; free() it. */
char *cert_encrypted_key(const struct cert *cert, const char *passphrase);

#endif
