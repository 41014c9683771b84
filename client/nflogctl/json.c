/* SPDX-License-Identifier: MIT */
/* Writing JSON a member at a time; texts are of outside origin and are escaped. */
#include "json.h"

#include <inttypes.h>
#include <string.h>

#include <nfl/render.h>

#include "output.h"

#define JSON_ESCAPE_PIECE 64 /* bytes escaped at a time */

static void json_escaped(struct json *json, const char *text)
{
	char escaped[6 * JSON_ESCAPE_PIECE + 1];
	size_t left = strlen(text);

	(void)fputc('"', json->f);
	while (left > 0) {
		size_t piece = left < JSON_ESCAPE_PIECE ? left : JSON_ESCAPE_PIECE;

		/* A piece must not end inside of a character. */
		while (piece < left && piece > JSON_ESCAPE_PIECE - 4 &&
		       ((unsigned char)text[piece] & 0xc0) == 0x80)
			piece--;
		(void)nfl_escape_json(escaped, sizeof(escaped), text, piece);
		(void)fputs(escaped, json->f);
		text += piece;
		left -= piece;
	}
	(void)fputc('"', json->f);
}

static void json_key(struct json *json, const char *key)
{
	if (json->filled)
		(void)fputc(',', json->f);
	json->filled = true;
	if (key)
		(void)fprintf(json->f, "\"%s\":", key);
}

void json_open(struct json *json, const char *key, char bracket)
{
	json_key(json, key);
	(void)fputc(bracket, json->f);
	json->filled = false;
}

void json_close(struct json *json, char bracket)
{
	(void)fputc(bracket, json->f);
	json->filled = true;
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	(void)fprintf(json->f, "%" PRIu64, value);
}

void json_rate(struct json *json, const char *key, double value)
{
	json_key(json, key);
	(void)fprintf(json->f, "%.1f", value);
}

void json_text(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	json_escaped(json, value);
}

void json_true(struct json *json, const char *key)
{
	json_key(json, key);
	(void)fputs("true", json->f);
}

void json_time(struct json *json, const char *key, int64_t time_ns, uint32_t render_flags)
{
	char text[64];

	if (time_ns == 0)
		return;
	(void)nfl_render_time(text, sizeof(text), time_ns, render_flags);
	json_text(json, key, text);
}

void json_source(struct json *json, const struct nfl_client_source *source, uint32_t render_flags)
{
	json_text(json, "netns", source->netns);
	json_number(json, "group", source->group);
	json_number(json, "source_id", source->id);
	json_text(json, "state", state_name(source->state));
	json_time(json, "state_time", source->state_time_ns, render_flags);
	if (*source->detail)
		json_text(json, "detail", source->detail);
}
