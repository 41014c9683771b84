/* SPDX-License-Identifier: MIT */
/* Bearer tokens: found, checked, hashed in place. No copy is made, so there is none to wipe. */
#include "bearer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <grpc/slice.h>
#include <openssl/evp.h>

#define SCHEME "Bearer"

void bearer_start(void)
{
	uint8_t ignored[BEARER_SHA256_BYTES];

	(void)EVP_Digest("", 0, ignored, NULL, EVP_sha256(), NULL);
}

static bool is_printable(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

int bearer_parse(const char *value, size_t len, const char **ret_token, size_t *ret_len)
{
	const size_t scheme = strlen(SCHEME);
	size_t start = scheme;

	if (len <= scheme || strncasecmp(value, SCHEME, scheme) != 0)
		return -EBADMSG;
	while (start < len && value[start] == ' ')
		start++;
	len -= start;
	if (start == scheme || len < BEARER_TOKEN_MIN || len > BEARER_TOKEN_MAX ||
	    !is_printable(value + start, len))
		return -EBADMSG;
	*ret_token = value + start;
	*ret_len = len;
	return 0;
}

static int hash(const grpc_slice *value, uint8_t ret[BEARER_SHA256_BYTES])
{
	const char *token;
	size_t len;
	int r = bearer_parse((const char *)GRPC_SLICE_START_PTR(*value), GRPC_SLICE_LENGTH(*value),
			     &token, &len);

	if (r < 0)
		return r;
	return EVP_Digest(token, len, ret, NULL, EVP_sha256(), NULL) == 1 ? 1 : -ENOMEM;
}

int bearer_find(const grpc_metadata_array *metadata, uint8_t ret[BEARER_SHA256_BYTES])
{
	const grpc_slice *value = NULL;

	for (size_t i = 0; i < metadata->count; i++) {
		if (grpc_slice_str_cmp(metadata->metadata[i].key, "authorization") != 0)
			continue;
		if (value)
			return -EBADMSG;
		value = &metadata->metadata[i].value;
	}
	return value ? hash(value, ret) : 0;
}
