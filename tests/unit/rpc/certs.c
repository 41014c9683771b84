/* SPDX-License-Identifier: MIT */
/* Keys and certificates by OpenSSL, in memory and as files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "certs.h"

#define DAY_S 86400L

static char *take_text(BIO *bio)
{
	char *bytes;
	size_t len = (size_t)BIO_get_mem_data(bio, &bytes);
	char *text = strndup(bytes, len);

	assert_non_null(text);
	assert_int_equal(BIO_free(bio), 1);
	return text;
}

static char *key_text(const struct cert *cert, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(
	    PEM_write_bio_PrivateKey(bio, cert->key, passphrase ? EVP_aes_128_cbc() : NULL,
				     (const unsigned char *)passphrase,
				     passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
	    1);
	return take_text(bio);
}

char *cert_encrypted_key(const struct cert *cert, const char *passphrase)
{
	return key_text(cert, passphrase);
}

static void set_name(X509 *x509, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(x509);

	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
						    (const unsigned char *)"nflogd tests", -1, -1,
						    0),
			 1);
	if (common_name)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
							    (const unsigned char *)common_name, -1,
							    -1, 0),
				 1);
}

static void add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void add_raw_dns(X509 *x509, const void *bytes, size_t len)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	assert_int_equal(ASN1_STRING_set(text, bytes, (int)len), 1);
	GENERAL_NAME_set0_value(name, GEN_DNS, text);
	assert_int_equal(sk_GENERAL_NAME_push(names, name), 1);
	assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0), 1);
	GENERAL_NAMES_free(names);
}

static void fill(struct cert *cert, const struct cert_wish *wish)
{
	static long serial = 1;
	X509 *x509 = cert->x509;

	assert_int_equal(X509_set_version(x509, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), -2 * DAY_S));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(x509), wish->is_expired ? -DAY_S : DAY_S));
	set_name(x509, wish->common_name);
	assert_int_equal(X509_set_pubkey(x509, cert->key), 1);
	if (!wish->issuer)
		add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
	if (wish->alt_names)
		add_extension(x509, NID_subject_alt_name, wish->alt_names);
	if (wish->raw_dns)
		add_raw_dns(x509, wish->raw_dns, wish->raw_dns_len);
}

void cert_make(struct cert *cert, const struct cert_wish *wish)
{
	const struct cert *issuer = wish->issuer ? wish->issuer : cert;
	BIO *bio = BIO_new(BIO_s_mem());

	*cert = (struct cert){.x509 = X509_new()};
	cert->key = wish->is_weak ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256");
	assert_non_null(cert->key);
	fill(cert, wish);
	assert_int_equal(X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer->x509)), 1);
	assert_true(X509_sign(cert->x509, issuer->key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, cert->x509), 1);
	cert->text = take_text(bio);
	cert->key_text = key_text(cert, NULL);
}

void cert_done(struct cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
	free(cert->text);
	free(cert->key_text);
}

void cert_path(const char *folder, const char *name, char ret[200])
{
	assert_in_range(snprintf(ret, 200, "%s/%s", folder, name), 1, 199);
}

void cert_write(const char *folder, const char *name, const char *text)
{
	char path[200];
	FILE *file;

	cert_path(folder, name, path);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}
