/* SPDX-License-Identifier: MIT */
/*
 * PEM files, by OpenSSL. Its errors are a queue for each thread: cleared before and after. STACK_OF(X509)
 * is written out, because tools that check this do not understand a macro there.
 */
#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "cleanup.h"
#include "log.h"
#include "rpc.h"

#define FILE_BYTES_MAX ((off_t)1048576)

static void bio_freep(BIO **bio)
{
	(void)BIO_free(*bio);
}

static void pkey_freep(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void context_freep(SSL_CTX **context)
{
	SSL_CTX_free(*context);
}

static void certificates_freep(struct stack_st_X509 **certificates)
{
	sk_X509_pop_free(*certificates, X509_free);
}

static void free_text(char **text)
{
	OPENSSL_clear_free(*text, *text ? strlen(*text) : 0);
	*text = NULL;
}

void pem_done(struct pem *pem)
{
	free_text(&pem->certificate);
	free_text(&pem->private_key);
	free_text(&pem->client_ca);
}

static bool is_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool pem_is_equal(const struct pem *a, const struct pem *b)
{
	return is_equal(a->certificate, b->certificate) &&
	       is_equal(a->private_key, b->private_key) && is_equal(a->client_ca, b->client_ca);
}

static int fail(struct rpc_error *err, int code, const char *path, const char *what)
{
	(void)snprintf(err->text, sizeof(err->text), "%s: %s", path, what);
	return code;
}

/* The same with OpenSSL's reason. */
static int refuse(struct rpc_error *err, const char *path, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	(void)snprintf(err->text, sizeof(err->text), "%s: %s: %s", path, what,
		       reason ? reason : "unknown reason");
	ERR_clear_error();
	return -EINVAL;
}

/* --- files ------------------------------------------------------------------------------------- */

static int read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(fd, text + len, size - len)) != 0) {
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	text[len] = '\0';
	return strlen(text) == len ? 0 : -EINVAL;
}

/* No stdio: its buffer would keep the private key. */
static int read_file(const char *path, char **ret, struct rpc_error *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(free_text) char *text = NULL;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(err, -errno, path, strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return fail(err, -EINVAL, path, "expected a regular file of at most 1 MiB");
	text = OPENSSL_zalloc((size_t)st.st_size + 1);
	if (!text)
		return fail(err, -ENOMEM, path, "out of memory");
	r = read_all(fd, text, (size_t)st.st_size);
	if (r < 0)
		return fail(err, r, path, r == -EINVAL ? "is no PEM" : strerrordesc_np(-r));
	*ret = TAKE_PTR(text);
	return 0;
}

static int read_files(const struct rpc_tls *files, struct pem *pem, struct rpc_error *err)
{
	int r = read_file(files->certificate, &pem->certificate, err);

	if (r == 0)
		r = read_file(files->private_key, &pem->private_key, err);
	if (r == 0 && files->client_ca)
		r = read_file(files->client_ca, &pem->client_ca, err);
	return r;
}

/* --- what is in them --------------------------------------------------------------------------- */

static bool is_end_of_file(void)
{
	unsigned long error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* All of a file, at least one. */
static int parse_certificates(const char *path, const char *text, struct stack_st_X509 **ret,
			      struct rpc_error *err)
{
	CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(text, -1);
	CLEANUP(certificates_freep) struct stack_st_X509 *all = sk_X509_new_null();
	X509 *next;

	if (!bio || !all)
		return fail(err, -ENOMEM, path, "out of memory");
	while ((next = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)))
		if (sk_X509_push(all, next) == 0) {
			X509_free(next);
			return fail(err, -ENOMEM, path, "out of memory");
		}
	if (sk_X509_num(all) == 0 && is_end_of_file())
		return fail(err, -EINVAL, path, "has no certificate (PEM)");
	if (!is_end_of_file())
		return refuse(err, path, "has a broken certificate");
	ERR_clear_error();
	*ret = TAKE_PTR(all);
	return 0;
}

/* Nobody is there to type one. */
static int no_passphrase(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int parse_key(const char *path, const char *text, EVP_PKEY **ret, struct rpc_error *err)
{
	CLEANUP(bio_freep) BIO *bio = BIO_new_mem_buf(text, -1);
	bool asked = false;

	if (!bio)
		return fail(err, -ENOMEM, path, "out of memory");
	*ret = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	if (*ret)
		return 0;
	if (asked) {
		ERR_clear_error();
		return fail(err, -EINVAL, path, "the private key is encrypted; expected it plain");
	}
	return refuse(err, path, "has no private key (PEM), or a broken one");
}

/* They may be right by the time a client connects, or wrong already: clients judge that, not we. */
static void warn_of_dates(const char *path, const X509 *certificate)
{
	char text[512];

	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		log_warn("rpc.tls", "certificate=%s error=\"has expired\"",
			 log_quote(text, sizeof(text), path));
	else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		log_warn("rpc.tls", "certificate=%s error=\"is not valid yet\"",
			 log_quote(text, sizeof(text), path));
}

static int try_chain(const struct rpc_tls *files, SSL_CTX *context, struct stack_st_X509 *chain,
		     struct rpc_error *err)
{
	if (SSL_CTX_use_certificate(context, sk_X509_value(chain, 0)) != 1)
		return refuse(err, files->certificate, "cannot be used");
	for (int i = 1; i < sk_X509_num(chain); i++)
		if (SSL_CTX_add1_chain_cert(context, sk_X509_value(chain, i)) != 1)
			return refuse(err, files->certificate, "its chain cannot be used");
	return 0;
}

static int check_pair(const struct rpc_tls *files, const struct pem *pem, struct rpc_error *err)
{
	CLEANUP(context_freep) SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	CLEANUP(certificates_freep) struct stack_st_X509 *chain = NULL;
	CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
	int r;

	if (!context)
		return refuse(err, files->certificate, "no TLS");
	r = parse_certificates(files->certificate, pem->certificate, &chain, err);
	if (r == 0)
		r = parse_key(files->private_key, pem->private_key, &key, err);
	if (r == 0)
		r = try_chain(files, context, chain, err);
	if (r < 0)
		return r;
	if (X509_check_private_key(sk_X509_value(chain, 0), key) != 1) {
		ERR_clear_error();
		return fail(err, -EINVAL, files->private_key, "is not the key of the certificate");
	}
	if (SSL_CTX_use_PrivateKey(context, key) != 1)
		return refuse(err, files->private_key, "cannot be used");
	warn_of_dates(files->certificate, sk_X509_value(chain, 0));
	return 0;
}

static int check_client_ca(const struct rpc_tls *files, const struct pem *pem,
			   struct rpc_error *err)
{
	CLEANUP(certificates_freep) struct stack_st_X509 *all = NULL;

	return pem->client_ca ? parse_certificates(files->client_ca, pem->client_ca, &all, err) : 0;
}

int pem_load(const struct rpc_tls *files, struct pem *ret, struct rpc_error *err)
{
	CLEANUP(pem_done) struct pem pem = {0};
	int r = read_files(files, &pem, err);

	ERR_clear_error();
	if (r == 0)
		r = check_pair(files, &pem, err);
	if (r == 0)
		r = check_client_ca(files, &pem, err);
	if (r < 0)
		return r;
	*ret = pem;
	pem = (struct pem){0};
	return 0;
}
