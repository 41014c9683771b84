/* SPDX-License-Identifier: MIT */
/* token.h - a resume token that is kept: a copy of the server's bytes. Zeroed it is none. */
#ifndef CLIENT_TOKEN_H
#define CLIENT_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

struct token {
	uint8_t *bytes; /* owned */
	size_t len;     /* 0: none */
	size_t capacity;
};

/* Makes room, so that token_set() of so many bytes cannot fail. 0 or -ENOMEM; the token stays. */
int token_reserve(struct token *token, size_t len);

/* After token_reserve() for at least as many. */
void token_set(struct token *token, struct nfl_bytes bytes);

void token_done(struct token *token);

#endif
