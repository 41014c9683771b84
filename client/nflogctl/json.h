/* SPDX-License-Identifier: MIT */
/*
 * json.h - JSON for what is rare: lists, status, losses. Packets have nfl_render_json().
 *
 * Members are written in order to a FILE; commas come by themselves. A key of NULL is an element of
 * an array, or the document itself.
 */
#ifndef NFLOGCTL_JSON_H
#define NFLOGCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <nfl/client.h>

struct json {
	FILE *f;
	bool filled; /* the innermost object or array has a member */
};

void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_number(struct json *json, const char *key, uint64_t value);
/* With one digit behind the point. */
void json_rate(struct json *json, const char *key, double value);
void json_text(struct json *json, const char *key, const char *value);
void json_true(struct json *json, const char *key);
/* RFC 3339; nothing when time_ns is 0, which stands for none. */
void json_time(struct json *json, const char *key, int64_t time_ns, uint32_t render_flags);

/* The members that name a source and tell its state. */
void json_source(struct json *json, const struct nfl_client_source *source, uint32_t render_flags);

#endif
