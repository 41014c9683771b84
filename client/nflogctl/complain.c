/* SPDX-License-Identifier: MIT */
/*
 * Everything nflogctl says about failures. The words may come from the server or from the command
 * line, so nothing goes to the terminal unescaped.
 */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <nfl/render.h>

/* A message with its escapes: each byte may need four. */
#define MESSAGE_MAX 1024
#define ESCAPED_MAX (4 * MESSAGE_MAX)

static void print_args(FILE *f, const char *before, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void print_args(FILE *f, const char *before, const char *format, va_list args)
{
	char message[MESSAGE_MAX], escaped[ESCAPED_MAX];

	(void)vsnprintf(message, sizeof(message), format, args);
	(void)nfl_escape_line(escaped, sizeof(escaped), message, strlen(message));
	(void)fprintf(f, "%s%s\n", before, escaped);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_args(stderr, "nflogctl: ", format, args);
	va_end(args);
}

void complain_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_args(stdout, "", format, args);
	va_end(args);
}

int complain_usage(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_args(stderr, "nflogctl: ", format, args);
	va_end(args);
	(void)fprintf(stderr, "Try 'nflogctl help%s%s'.\n", command ? " " : "",
		      command ? command->name : "");
	return EXIT_USAGE;
}

int complain_memory(void)
{
	complain("%s", strerror(ENOMEM));
	return EXIT_ERROR;
}

static int exit_code_of(int code)
{
	switch (code) {
	case NFL_CLIENT_UNAUTHENTICATED:
		return EXIT_UNAUTHENTICATED;
	case NFL_CLIENT_PERMISSION_DENIED:
		return EXIT_DENIED;
	case NFL_CLIENT_NOT_FOUND:
		return EXIT_NOT_FOUND;
	case NFL_CLIENT_UNAVAILABLE:
	case NFL_CLIENT_DEADLINE_EXCEEDED:
		return EXIT_UNAVAILABLE;
	default:
		return EXIT_ERROR;
	}
}

int complain_call(int r, int code, const char *message)
{
	if (r != -EREMOTEIO) {
		complain("%s", *message ? message : strerror(-r));
		return EXIT_ERROR;
	}
	complain("%s: %s", nfl_client_code_name(code), *message ? message : "no reason given");
	return exit_code_of(code);
}
