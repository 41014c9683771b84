/* SPDX-License-Identifier: MIT */
/*
 * output.h - how the events of a stream are shown: one file a format
 *
 * Packets go to standard output, or to the file of --write. What else happens goes between them where
 * the format has a place for it, and to standard error as text in all other formats.
 */
#ifndef NFLOGCTL_OUTPUT_H
#define NFLOGCTL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <nfl/client.h>
#include <nfl/pcapng.h>

#include "capture.h"
#include "dictionary.h"
#include "out.h"
#include "stamp.h"

struct output;

/* Shows one event; what fails is kept in out->error. */
typedef void (*output_fn)(struct output *output, const struct nfl_client_event *event);

/**
 * struct output_format - one value of --output
 * @begin: writes what each file begins with; NULL: nothing
 * @is_lines: text in lines for people: takes times in all forms, and colours
 * @is_binary: nothing for a terminal
 * @needs_payload: cannot show what it is for without
 * @view: to ask for, where the user does not say; 0: the server's default
 */
struct output_format {
	const char *name;
	output_fn show;
	void (*begin)(struct output *output);
	bool is_lines;
	bool is_binary;
	bool needs_payload;
	enum nfl_client_view view;
};

extern const struct output_format format_compact;
extern const struct output_format format_table;
extern const struct output_format format_json;
extern const struct output_format format_protojson;
extern const struct output_format format_hex;
extern const struct output_format format_pcapng;
extern const struct output_format format_raw;
/* Shows nothing: the summary at the end is all. */
extern const struct output_format format_quiet;

struct output {
	const struct output_format *format;
	struct out out;
	uint32_t render_flags;   /* NFL_RENDER_* */
	bool heartbeats;         /* show them too */
	bool begun;              /* the stream has started once */
	const char *server;      /* borrowed: of several, safe for a terminal; NULL: there is one */
	const char *server_text; /* borrowed; the same as it is */
	const char *server_key;  /* static text: what JSON calls it; NULL: "server" */
	struct stamp stamp;
	enum nfl_pcapng_link link;
	struct nfl_render_table table;
	struct capture capture;       /* of pcapng */
	struct dictionary dictionary; /* of raw and protojson */
	struct nfl_client_json *json; /* owned; of protojson */
};

void output_done(struct output *output);

/* "fw1:7443 " in front of a line, where there are several servers. Returns the length, at most
 * OUTPUT_SERVER_MAX. */
#define OUTPUT_SERVER_MAX 1024
size_t output_put_server(const struct output *output, char *buf);

/* Tells an event that is no packet on standard error. */
void note_event(struct output *output, const struct nfl_client_event *event);

/* Words for users; "unknown" for a number that this version does not know. */
const char *state_name(enum nfl_client_source_state state);
/* "in the kernel's socket buffer" */
const char *stage_words(enum nfl_client_loss_stage stage);

#endif
