/* SPDX-License-Identifier: MIT */
/*
 * options.h - one table of options for parsing and for the help
 *
 * Each option names a field of a settings struct by its offset, and the function that turns its
 * text into that field. The common options are accepted before and after the subcommand.
 */
#ifndef NFLOGCTL_OPTIONS_H
#define NFLOGCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct command;
struct common;

/* What option_parse_fn returns where it is no mistake of the value. */
extern const char option_no_memory[];

/* Reads a value into a field. NULL, or what was expected instead: "a number from 1 to 9". */
typedef const char *(*option_parse_fn)(const char *value, void *field);

struct option_spec {
	const char *name;    /* long, without dashes */
	char letter;         /* short, or 0 */
	const char *metavar; /* name of the value in the help; NULL: takes none */
	size_t offset;       /* of the field in the settings */
	option_parse_fn parse;
	const char *help;
};

struct text_list {
	const char **items; /* owned; each borrowed from the command line */
	size_t count;
};

struct group_list {
	uint16_t *items; /* owned */
	size_t count;
};

const char *parse_flag(const char *value, void *field);     /* bool */
const char *parse_text(const char *value, void *field);     /* const char * */
const char *parse_texts(const char *value, void *field);    /* struct text_list */
const char *parse_groups(const char *value, void *field);   /* struct group_list */
const char *parse_count(const char *value, void *field);    /* uint64_t, from 1 */
const char *parse_length(const char *value, void *field);   /* uint32_t, 1..65535 */
const char *parse_interval(const char *value, void *field); /* uint32_t ms, from seconds */
const char *parse_label(const char *value, void *field);    /* const char *, at most 64 bytes */
const char *parse_file(const char *value, void *field);     /* const char *, not empty */
const char *parse_size(const char *value, void *field);     /* uint64_t bytes, from 1 */
const char *parse_since(const char *value, void *field);    /* struct when, not ahead */
const char *parse_until(const char *value, void *field);    /* struct when */
const char *parse_slow(const char *value, void *field);     /* enum nfl_client_slow_policy */
const char *parse_view(const char *value, void *field);     /* enum nfl_client_view */

/**
 * options_parse - read the options of a command, or those in front of it
 * @command: whose options are known beside the common ones; NULL: none, and parsing stops at the
 *     first argument that is no option
 * @argv: argv[0] is skipped; reordered so that arguments come last
 * @ret_first: index of the first argument that is no option
 * Returns EXIT_DONE; or EXIT_USAGE or EXIT_ERROR after complaining.
 */
int options_parse(const struct command *command, struct common *common, int argc, char **argv,
		  int *ret_first);

/* The option of this name that settings are read by: a common one, or one of subscribe. NULL: none. */
const struct option_spec *options_find(const char *name);

/* The option by its name, or by its letter where name is NULL. command may be NULL: none but the common
 * ones. NULL: there is none. */
const struct option_spec *options_lookup(const struct command *command, const char *name,
					 size_t len, char letter, bool *ret_common);

/* The common options; returns their number. */
size_t options_common(const struct option_spec **ret);

/* May it be given several times? */
bool option_is_list(const char *name);

/* The help's list of options: the command's, then the common ones. command may be NULL. */
void options_print(const struct command *command, FILE *f);

#endif
