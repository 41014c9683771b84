/* SPDX-License-Identifier: MIT */
/* Certificates and tokens from files; memory that held them is wiped. */
#include "secure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

#define PEM_MAX_BYTES        1048576
#define TOKEN_MIN_BYTES      16 /* as the server has it */
#define TOKEN_MAX_BYTES      4096
#define TOKEN_FILE_MAX_BYTES 65536

static void free_text(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void secrets_done(struct secrets *secrets)
{
	free_text(&secrets->ca);
	free_text(&secrets->cert);
	free_text(&secrets->key);
	free_text(&secrets->token);
}

void secure_done(struct secure *secure)
{
	secrets_done(&secure->first);
	free(secure->name);
	free(secure->ca_path);
	free(secure->cert_path);
	free(secure->key_path);
	free(secure->token_path);
}

static int fail(struct nfl_client_error *err, int r, const char *path, const char *what)
{
	err->code = r == -ENOMEM ? NFL_CLIENT_RESOURCE_EXHAUSTED : NFL_CLIENT_INVALID_ARGUMENT;
	(void)snprintf(err->message, sizeof(err->message), "%s%s%s", path, *path ? ": " : "", what);
	return r;
}

/* --- files ------------------------------------------------------------------------------- */

/* Reads to the end; @text has room for @max bytes, one too many, and a terminator. */
static int read_all(int fd, char *text, size_t max)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len <= max) {
		n = TEMP_FAILURE_RETRY(read(fd, text + len, max + 1 - len));
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	text[len] = '\0';
	return len > max || strlen(text) != len ? -EBADMSG : 0;
}

/* A pipe ("<(pass nflogd)") can be read once only. */
static bool can_be_read_again(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int read_file(const char *path, size_t max, bool again, char **ret,
		     struct nfl_client_error *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | (again ? O_NONBLOCK : 0));
	CLEANUP(free_text) char *text = NULL;
	int r;

	if (fd < 0)
		return fail(err, -errno, path, strerror(errno));
	if (again && !can_be_read_again(fd))
		return -EBADMSG;
	text = calloc(1, max + 2);
	if (!text)
		return fail(err, -ENOMEM, path, strerror(ENOMEM));
	r = read_all(fd, text, max);
	if (r < 0)
		return fail(err, r, path, r == -EBADMSG ? "expected text" : strerror(-r));
	*ret = strdup(text); /* of its own length */
	return *ret ? 0 : fail(err, -ENOMEM, path, strerror(ENOMEM));
}

static int read_pem(const char *path, bool again, char **ret, struct nfl_client_error *err)
{
	int r = path ? read_file(path, PEM_MAX_BYTES, again, ret, err) : 0;

	if (r == 0 && path && !strstr(*ret, "-----BEGIN "))
		return fail(err, -EBADMSG, path, "expected PEM");
	return r;
}

static int read_tls(const struct secure *secure, bool again, struct secrets *ret,
		    struct nfl_client_error *err)
{
	int r = read_pem(secure->ca_path, again, &ret->ca, err);

	if (r == 0)
		r = read_pem(secure->cert_path, again, &ret->cert, err);
	if (r == 0)
		r = read_pem(secure->key_path, again, &ret->key, err);
	return r;
}

static int check_token(const char *path, const char *token, struct nfl_client_error *err)
{
	size_t len = strlen(token);
	bool good = len >= TOKEN_MIN_BYTES && len <= TOKEN_MAX_BYTES;

	for (size_t i = 0; i < len && good; i++)
		good = token[i] > ' ' && token[i] <= '~';
	return good ? 0
		    : fail(err, -EBADMSG, path,
			   "expected a token, 16 to 4096 printable characters on one line");
}

static int read_token(const struct secure *secure, bool again, char **ret,
		      struct nfl_client_error *err)
{
	int r = read_file(secure->token_path, TOKEN_FILE_MAX_BYTES, again, ret, err);
	char *end;

	if (r < 0)
		return r;
	end = *ret + strcspn(*ret, "\r\n");
	explicit_bzero(end, strlen(end)); /* other lines may be secrets, too */
	return check_token(secure->token_path, *ret, err);
}

/* --- what the user wants ----------------------------------------------------------------- */

static int copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static int copy_options(struct secure *secure, const struct nfl_client_options *options,
			struct nfl_client_error *err)
{
	secure->tls = options->tls_ca || options->flags & NFL_CLIENT_TLS;
	if (copy_text(options->tls_ca, &secure->ca_path) < 0 ||
	    copy_text(options->tls_cert, &secure->cert_path) < 0 ||
	    copy_text(options->tls_key, &secure->key_path) < 0 ||
	    copy_text(options->tls_name, &secure->name) < 0 ||
	    copy_text(options->token_file, &secure->token_path) < 0 ||
	    copy_text(options->token, &secure->first.token) < 0)
		return fail(err, -ENOMEM, "", strerror(ENOMEM));
	return 0;
}

static int check_options(const struct secure *secure, bool is_unix, struct nfl_client_error *err)
{
	bool has_token = secure->token_path || secure->first.token;

	if (secure->tls && is_unix)
		return fail(err, -EINVAL, "", "a unix socket has no TLS");
	if (!secure->tls && (secure->cert_path || secure->key_path || secure->name))
		return fail(err, -EINVAL, "", "a certificate, key or name is for TLS only");
	if (!secure->cert_path != !secure->key_path)
		return fail(err, -EINVAL, "",
			    "a certificate needs its key, and a key its certificate");
	if (secure->token_path && secure->first.token)
		return fail(err, -EINVAL, "", "a token and a file of one are too many");
	if (has_token && !secure->tls && !is_unix)
		return fail(err, -EINVAL, "", "a token is sent over TLS and the unix socket only");
	return secure->first.token ? check_token("token", secure->first.token, err) : 0;
}

int secure_init(struct secure *secure, const struct nfl_client_options *options, bool is_unix,
		struct nfl_client_error *err)
{
	int r = copy_options(secure, options, err);

	if (r == 0)
		r = check_options(secure, is_unix, err);
	if (r == 0)
		r = read_tls(secure, false, &secure->first, err);
	if (r == 0 && secure->token_path)
		r = read_token(secure, false, &secure->first.token, err);
	return r;
}

/* --- what gRPC gets ---------------------------------------------------------------------- */

grpc_channel_credentials *secure_credentials(const struct secure *secure)
{
	CLEANUP(secrets_done) struct secrets fresh = {0};
	const struct secrets *use = &secure->first;
	grpc_ssl_pem_key_cert_pair pair;
	struct nfl_client_error err;

	if (!secure->tls)
		return grpc_insecure_credentials_create();
	if (read_tls(secure, true, &fresh, &err) == 0)
		use = &fresh;
	pair = (grpc_ssl_pem_key_cert_pair){.private_key = use->key, .cert_chain = use->cert};
	return grpc_ssl_credentials_create(use->ca, use->cert ? &pair : NULL, NULL, NULL);
}

bool secure_authorization(const struct secure *secure, grpc_slice *ret)
{
	static const char scheme[] = "Bearer ";
	CLEANUP(free_text) char *fresh = NULL;
	const char *token = secure->first.token;
	struct nfl_client_error err;

	if (secure->token_path && read_token(secure, true, &fresh, &err) == 0)
		token = fresh;
	if (!token)
		return false;
	*ret = grpc_slice_malloc(strlen(scheme) + strlen(token));
	memcpy(GRPC_SLICE_START_PTR(*ret), scheme, strlen(scheme));
	memcpy(GRPC_SLICE_START_PTR(*ret) + strlen(scheme), token, strlen(token));
	return true;
}
