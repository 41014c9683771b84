/* SPDX-License-Identifier: MIT */
/*
 * settings.h - options that the environment and a configuration file can set, too
 *
 * An option of the command line comes first, then the environment (NFLOGCTL_TLS_CA for --tls-ca),
 * then the file (tls_ca), then the default. A list is taken from one of them as a whole. The
 * option's own parser reads the text wherever it stands.
 *
 * Threads: main; what it returns lives as long as the program.
 */
#ifndef NFLOGCTL_SETTINGS_H
#define NFLOGCTL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct command;
struct common;
struct option_spec;

enum setting_origin {
	SETTING_DEFAULT,
	SETTING_FILE,
	SETTING_ENVIRONMENT,
	SETTING_OPTION,
};

/* What is in force: one text, several of a list, or of a default perhaps none. */
struct setting {
	const char *option;  /* without dashes */
	const char *initial; /* the default as text; NULL: none */
	enum setting_origin origin;
	const char **texts; /* owned array of borrowed texts */
	size_t count;
	char *
	    where; /* owned; "NFLOGCTL_SERVER", "/path/config.yaml:3:9"; NULL: by the command line */
};

#define SETTING_COUNT 10
extern struct setting settings_all[SETTING_COUNT];

/* The command line has this option. 0 or -ENOMEM. */
int settings_note_option(const char *option, const char *text);

/**
 * settings_apply - fill in what the command line left open
 * @command: whose options are set beside the common ones; may be NULL
 * Returns EXIT_DONE; or after complaining EXIT_USAGE for what is wrong in the environment or the
 * file, EXIT_ERROR where the file cannot be read.
 */
int settings_apply(const struct command *command, struct common *common);

/* Where an option's value comes from. */
enum setting_origin settings_origin(const char *option);

/* The configuration file, and whether there is one; NULL: none is looked for. */
const char *settings_file(bool *ret_read);

/* "tls-ca" as the environment has it, "NFLOGCTL_TLS_CA", and as the file has it, "tls_ca". */
#define SETTING_NAME_MAX 64
void settings_environment_name(const char *option, char buf[SETTING_NAME_MAX]);
void settings_key(const char *option, char buf[SETTING_NAME_MAX]);

#endif
