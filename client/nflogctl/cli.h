/* SPDX-License-Identifier: MIT */
/* cli.h - what every subcommand of nflogctl knows */
#ifndef NFLOGCTL_CLI_H
#define NFLOGCTL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/client.h>

#include "options.h"

/* Exit codes; a contract, written down in nflogctl(1). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_USAGE = 2,
	EXIT_UNAUTHENTICATED = 3,
	EXIT_DENIED = 4,
	EXIT_NOT_FOUND = 5,
	EXIT_UNAVAILABLE = 6,
	EXIT_LOSS = 7,
	EXIT_INTERRUPTED = 130,
};

/* Options that every command has. */
struct common {
	const char *config;          /* borrowed, as all texts */
	struct text_list servers;    /* empty: the default one */
	uint32_t connect_timeout_ms; /* 0: the library's default */
	bool tls;
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	const char *tls_name;
	const char *token_file;
	bool help;
	bool version;
};

/**
 * struct command - one subcommand
 * @summary: in the list of commands; NULL: not listed
 * @arguments: of the usage line, behind the options
 * @text: what it does, in the help
 * @options, @option_count: beside the common ones
 * @settings: zero-initialised or with defaults; the options' fields lie in it
 * @bare: talks to no server: the environment and the configuration file are not looked at
 * @run: with the arguments that are no options; returns an exit code
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *text;
	const struct option_spec *options;
	size_t option_count;
	void *settings;
	bool bare;
	int (*run)(const struct command *command, const struct common *common, int argc,
		   char **argv);
};

extern const struct command command_complete;
extern const struct command command_completion;
extern const struct command command_config;
extern const struct command command_forward;
extern const struct command command_subscribe;
extern const struct command command_list;
extern const struct command command_status;
extern const struct command command_stats;
extern const struct command command_top;
extern const struct command command_whoami;

/* Prints "nflogctl: ..." on stderr; bytes of the texts that a terminal would obey are escaped. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a mistake of the user's, with a hint; returns EXIT_USAGE. command may be NULL. */
int complain_usage(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for want of memory; returns EXIT_ERROR. */
int complain_memory(void);

/* The same for a call that failed: what the server or the library says; returns the exit code. */
int complain_call(int r, int code, const char *message);

/* A line on standard output about what was printed, its texts made safe as by complain(). */
void complain_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The servers that are set: at least one. */
size_t server_count(const struct common *common);
const char *server_address(const struct common *common, size_t at);

/* A client for this server; on failure complains and returns an exit code. */
int open_server(const struct common *common, const char *server, struct nfl_client **ret);

/* The same for a command that talks to one server. */
int open_client(const struct common *common, struct nfl_client **ret);

/* For CLEANUP(client_freep) and CLEANUP(stream_freep). */
void client_freep(struct nfl_client **client);
void stream_freep(struct nfl_client_stream **stream);

#endif
