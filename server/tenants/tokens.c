/* SPDX-License-Identifier: MIT */
/*
 * A hash tells nothing of its token, so a file of them may be read by anybody; who may write it can
 * add a token of his own. What is found wrong in a file is told without its content, which may be a
 * token that was put there by mistake.
 */
#include "tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "claims.h"
#include "cleanup.h"

#define TOKEN_FILE_MAX_BYTES 4096
#define HEX_DIGITS           ((size_t)2 * POLICY_SHA256_BYTES)

static int value_of_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool parse_hash(const char *text, size_t len, uint8_t *ret)
{
	uint8_t hash[POLICY_SHA256_BYTES];

	if (len != HEX_DIGITS)
		return false;
	for (size_t i = 0; i < sizeof(hash); i++) {
		int high = value_of_digit(text[2 * i]);
		int low = value_of_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, hash, sizeof(hash));
	return true;
}

static int add_hash(struct claims *tokens, const struct tenant *tenant,
		    const struct identity_spec *spec, const uint8_t *sha256)
{
	struct claim *claim = claims_add(tokens, tenant, spec);

	if (!claim)
		return -ENOMEM;
	memcpy(claim->sha256, sha256, sizeof(claim->sha256));
	return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

struct token_file {
	char bytes[TOKEN_FILE_MAX_BYTES + 1]; /* one more, to see that there is more */
	size_t len;
	mode_t mode;
};

/* 0, or -errno; -EINVAL: not a regular file, -EFBIG. */
static int read_token_file(const char *path, struct token_file *ret)
{
	/* Not to wait for the other end where it is a FIFO. */
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	ret->mode = status.st_mode;
	for (ret->len = 0; n != 0 && ret->len < sizeof(ret->bytes);) {
		n = read(fd, ret->bytes + ret->len, sizeof(ret->bytes) - ret->len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			ret->len += (size_t)n;
	}
	return ret->len > TOKEN_FILE_MAX_BYTES ? -EFBIG : 0;
}

static bool is_blank(char letter)
{
	return letter == ' ' || letter == '\t' || letter == '\r';
}

struct line {
	const char *text; /* without what is blank on both ends */
	size_t len;
};

/* Takes the next line off @bytes; false: that was all. */
static bool take_line(const char **bytes, const char *end, struct line *ret)
{
	const char *start = *bytes;
	const char *stop;

	if (start == end)
		return false;
	stop = memchr(start, '\n', (size_t)(end - start));
	*bytes = stop ? stop + 1 : end;
	if (!stop)
		stop = end;
	while (start < stop && is_blank(*start))
		start++;
	while (stop > start && is_blank(stop[-1]))
		stop--;
	*ret = (struct line){.text = start, .len = (size_t)(stop - start)};
	return true;
}

static int claim_lines(struct claims *tokens, const struct tenant *tenant,
		       const struct identity_spec *spec, const struct token_file *file,
		       struct policy_problems *problems)
{
	const char *bytes = file->bytes;
	uint8_t sha256[POLICY_SHA256_BYTES];
	unsigned number = 0;
	size_t found = 0;
	struct line line;
	int r = 0;

	while (r == 0 && take_line(&bytes, file->bytes + file->len, &line)) {
		number++;
		if (line.len == 0 || line.text[0] == '#')
			continue;
		if (!parse_hash(line.text, line.len, sha256))
			return problem_add(problems, true, spec->line, spec->column,
					   "token_sha256_file: line %u of %.300s is not %zu "
					   "hexadecimal digits, the SHA-256 of a token",
					   number, spec->text, HEX_DIGITS);
		r = add_hash(tokens, tenant, spec, sha256);
		found++;
	}
	if (r == 0 && found == 0)
		r = problem_add(problems, true, spec->line, spec->column,
				"token_sha256_file: %.300s has no SHA-256 of a token", spec->text);
	return r;
}

static const char *why_unread(int r)
{
	if (r == -EINVAL)
		return "not a regular file";
	if (r == -EFBIG)
		return "larger than 4 KiB";
	return strerrordesc_np(-r);
}

static int claim_file(struct claims *tokens, const struct tenant *tenant,
		      const struct identity_spec *spec, struct policy_problems *problems)
{
	struct token_file file;
	int r = read_token_file(spec->text, &file);

	if (r < 0)
		return problem_add(problems, true, spec->line, spec->column,
				   "token_sha256_file: cannot read %.300s: %s", spec->text,
				   why_unread(r));
	if (file.mode & (S_IWGRP | S_IWOTH))
		r = problem_add(problems, false, spec->line, spec->column,
				"token_sha256_file: %.300s can be written by others, who can add "
				"a token of their own",
				spec->text);
	return r < 0 ? r : claim_lines(tokens, tenant, spec, &file, problems);
}

int tokens_claim(struct claims *tokens, const struct tenant *tenant,
		 const struct identity_spec *spec, struct policy_problems *problems)
{
	uint8_t sha256[POLICY_SHA256_BYTES];

	if (spec->kind == IDENTITY_TOKEN_SHA256_FILE)
		return claim_file(tokens, tenant, spec, problems);
	if (!parse_hash(spec->text, strlen(spec->text), sha256))
		return problem_add(problems, true, spec->line, spec->column,
				   "token_sha256: expected %zu hexadecimal digits", HEX_DIGITS);
	return add_hash(tokens, tenant, spec, sha256);
}

/* --- compared -------------------------------------------------------------------------------- */

/*
 * Constant time by construction: every hash is compared, in full, and which one was equal is kept by
 * masks, without a branch. How many tokens there are can be seen, and is no secret.
 */
const struct tenant *tokens_find(const struct claims *tokens, const uint8_t *sha256)
{
	size_t found = 0; /* its index, from 1 */

	for (size_t i = 0; i < tokens->count; i++) {
		int differs = CRYPTO_memcmp(tokens->items[i].sha256, sha256, POLICY_SHA256_BYTES);
		size_t mask = (size_t)0 - (size_t)(differs == 0);

		found = (found & ~mask) | ((i + 1) & mask);
	}
	return found ? tokens->items[found - 1].tenant : NULL;
}
