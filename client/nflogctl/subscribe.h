/* SPDX-License-Identifier: MIT */
/* subscribe.h - what the options of nflogctl subscribe say, and whether they go together */
#ifndef NFLOGCTL_SUBSCRIBE_H
#define NFLOGCTL_SUBSCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>

#include "filter_options.h"
#include "options.h"
#include "out_file.h"
#include "output.h"
#include "target.h"
#include "when.h"

enum color {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* How the time of a packet is written in lines and tables. */
enum time_format {
	TIME_CLOCK,
	TIME_DATE,
	TIME_RFC3339,
	TIME_EPOCH,
	TIME_RELATIVE,
	TIME_DELTA,
	TIME_NONE,
};

/* The options that say how packets are shown, and where. */
struct output_settings {
	const struct output_format *format; /* NULL: not given */
	bool quiet;
	enum color color;
	bool utc;
	bool date;
	enum time_format time_format;
	bool numeric;
	enum nfl_pcapng_link link; /* 0: not given */
	const char *write_path;    /* NULL: not given */
	uint64_t rotate_bytes;     /* 0: not given */
	uint64_t keep;             /* 0: not given */
};

/* Files to talk to a broker with; NULL: none. */
struct broker_files {
	const char *ca;
	const char *cert;
	const char *key;
	const char *creds;
};

struct subscribe_settings {
	const char *from_text; /* as the user gave it; NULL: there is a server */
	struct target from;
	struct broker_files broker;
	struct text_list netns;
	struct group_list groups;
	uint64_t last; /* 0: not given */
	struct when since;
	bool all;
	struct when until;
	bool no_follow;
	bool no_reconnect;
	const char *resume_file;
	bool strict_resume;
	bool wait;
	uint64_t max_lag_bytes;
	enum nfl_client_slow_policy slow_policy;
	struct output_settings output;
	uint64_t count;
	uint32_t payload_bytes;
	uint32_t heartbeat_ms;
	enum nfl_client_view view;
	const char *label;
	bool exit_on_loss;
	struct filter_settings filter;
	bool print_request;
	uint32_t window_ms; /* 0: not given */
};

#define SUBSCRIBE_LABEL_MAX 64

/**
 * subscribe_request - the options as a request; borrows from them
 * @token, @len: the place that an earlier run has left comes before what the options say for the first
 *     run; NULL: there is none
 * @label: room for the default one
 */
void subscribe_request(const struct subscribe_settings *settings, const void *token, size_t len,
		       int64_t now_ns, char label[SUBSCRIBE_LABEL_MAX + 1],
		       struct nfl_client_subscribe_options *request);

/* A format or an option that is for one server only, where there are several. Returns EXIT_DONE, or
 * EXIT_USAGE after complaining. */
int subscribe_check_servers(const struct subscribe_settings *settings, size_t servers);

/* Options of a broker's files, whichever it is. The same. */
int broker_files_check(const struct command *command, const struct broker_files *files);

/* The options, of subscribe and forward; the field is a struct broker_files. */
#define BROKER_OPTIONS(offset)                                                                     \
	{"broker-ca", 0,                                                                           \
	 "FILE",      (offset) + offsetof(struct broker_files, ca),                                \
	 parse_file,  "talk TLS to a broker whose certificate this CA\nsigned"},                   \
	    {"broker-cert", 0,                                                                     \
	     "FILE",        (offset) + offsetof(struct broker_files, cert),                        \
	     parse_file,    "show it this certificate"},                                           \
	    {"broker-key", 0, "FILE", (offset) + offsetof(struct broker_files, key), parse_file,   \
	     "and its key"},                                                                       \
	{                                                                                          \
		"broker-creds", 0, "FILE", (offset) + offsetof(struct broker_files, creds),        \
		    parse_file, "NATS: credentials (a JWT and its seed)"                           \
	}

/* Options that would be ignored in silence beside others are refused. @now_ns: CLOCK_REALTIME.
 * Returns EXIT_DONE, or EXIT_USAGE after complaining. */
int subscribe_check(const struct subscribe_settings *settings, int64_t now_ns);

/* The part of it about where a stream begins and ends, for forward too. */
int subscribe_check_stream(const struct subscribe_settings *settings, int64_t now_ns);

/* The same for the options of output alone. */
int output_check(const struct output_settings *settings);

/* What is in force, also where nothing was given. */
const struct output_format *output_format(const struct output_settings *settings);
/* How packets are shown; the rest of *ret is the caller's. */
void output_set(const struct output_settings *settings, struct output *ret);
/* Where they are written. */
struct out_file output_file(const struct output_settings *settings);

/* Values of options, for struct output_settings. */
const char *parse_output(const char *value, void *field);      /* const struct output_format * */
const char *parse_color(const char *value, void *field);       /* enum color */
const char *parse_time_format(const char *value, void *field); /* enum time_format */
const char *parse_link(const char *value, void *field);        /* enum nfl_pcapng_link */
const char *parse_keep(const char *value, void *field);        /* uint64_t */

#endif
