/* SPDX-License-Identifier: MIT */
/* Every response carries a token, so that its memory is kept and only ever grows. */
#include "token.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int token_reserve(struct token *token, size_t len)
{
	uint8_t *grown;

	if (len <= token->capacity)
		return 0;
	grown = realloc(token->bytes, len);
	if (!grown)
		return -ENOMEM;
	token->bytes = grown;
	token->capacity = len;
	return 0;
}

void token_set(struct token *token, struct nfl_bytes bytes)
{
	assert(bytes.len <= token->capacity);
	if (bytes.len > 0)
		memcpy(token->bytes, bytes.data, bytes.len);
	token->len = bytes.len;
}

void token_done(struct token *token)
{
	free(token->bytes);
	*token = (struct token){0};
}
