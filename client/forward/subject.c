/* SPDX-License-Identifier: MIT */
/* Patterns of subjects: checked once, rendered once for each source. */
#include "subject.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum place_holder {
	PLACE_NONE,
	PLACE_HOST,
	PLACE_NETNS,
	PLACE_GROUP,
	PLACE_UNKNOWN,
};

/* What stands at *at, which is moved past it. */
static enum place_holder take_place(const char **at)
{
	static const struct {
		const char *text;
		enum place_holder place;
	} known[] = {{"{host}", PLACE_HOST}, {"{netns}", PLACE_NETNS}, {"{group}", PLACE_GROUP}};

	if (**at != '{' && **at != '}')
		return PLACE_NONE;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].text);

		if (strncmp(*at, known[i].text, len) == 0) {
			*at += len;
			return known[i].place;
		}
	}
	return PLACE_UNKNOWN;
}

static bool is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '.' && c != '*' && c != '>' && c != '%';
}

const char *subject_check(const char *pattern)
{
	bool begins = true;

	for (const char *at = pattern; *at;) {
		enum place_holder place = take_place(&at);

		if (place == PLACE_UNKNOWN)
			return "a subject; {host}, {netns} and {group} are known in braces";
		if (place == PLACE_NONE && *at != '.' && !is_plain(*at))
			return "a subject without blanks, wildcards and %";
		if (place == PLACE_NONE && *at == '.' && begins)
			return "a subject without empty parts between its dots";
		begins = place == PLACE_NONE && *at == '.';
		at += place == PLACE_NONE;
	}
	return begins ? "a subject that does not end with a dot" : NULL;
}

static void put_value(FILE *f, const char *value)
{
	if (!*value)
		(void)fputc('_', f);
	for (; *value; value++) {
		if (is_plain(*value))
			(void)fputc(*value, f);
		else
			(void)fprintf(f, "%%%02X", (unsigned)(unsigned char)*value);
	}
}

static void put_place(FILE *f, enum place_holder place, const char *host, const char *netns,
		      uint16_t group)
{
	if (place == PLACE_HOST)
		put_value(f, host);
	else if (place == PLACE_NETNS)
		put_value(f, netns ? netns : "");
	else if (netns)
		(void)fprintf(f, "%u", (unsigned)group);
	else
		(void)fputc('_', f);
}

char *subject_render(const char *pattern, const char *host, const char *netns, uint16_t group)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (const char *at = pattern; *at;) {
		enum place_holder place = take_place(&at);

		if (place != PLACE_NONE && place != PLACE_UNKNOWN)
			put_place(f, place, host, netns, group);
		else
			(void)fputc(*at++, f);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* Each part with a value in it as a *, for a pattern that begins with one. */
static void put_stars(char *out, const char *pattern)
{
	char *part = out;

	for (const char *at = pattern; *at; at++) {
		*out++ = *at;
		if (*at == '.')
			part = out;
		if (*at == '{') {
			at += strcspn(at, ".") - 1;
			out = part;
			*out++ = '*';
		}
	}
	*out = '\0';
}

char *subject_wildcard(const char *pattern)
{
	size_t fixed = strcspn(pattern, "{");
	char *text = malloc(strlen(pattern) + 1);

	if (!text)
		return NULL;
	while (fixed > 0 && pattern[fixed - 1] != '.' && pattern[fixed])
		fixed--;
	if (fixed == 0) {
		put_stars(text, pattern);
		return text;
	}
	memcpy(text, pattern, fixed);
	(void)strcpy(text + fixed, pattern[fixed] ? ">" : "");
	return text;
}
