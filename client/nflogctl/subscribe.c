/* SPDX-License-Identifier: MIT */
/* nflogctl subscribe: the stream, until it ends, is interrupted or nobody reads it any more. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "interrupt.h"
#include "options.h"
#include "output.h"

#define LABEL_MAX 64

enum color {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

struct settings {
	struct text_list netns;
	struct group_list groups;
	output_fn show;
	uint64_t count;
	uint32_t payload_bytes;
	uint32_t heartbeat_ms;
	enum nfl_client_view view;
	enum color color;
	const char *label;
	bool quiet;
	bool utc;
	bool date;
	bool exit_on_loss;
};

static struct settings settings;

static const char *parse_output(const char *value, void *field)
{
	output_fn *show = field;

	if (strcmp(value, "compact") == 0)
		*show = output_compact;
	else if (strcmp(value, "json") == 0)
		*show = output_json;
	else
		return "compact or json";
	return NULL;
}

static const char *parse_color(const char *value, void *field)
{
	static const char *const names[] = {
	    [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			*(enum color *)field = (enum color)i;
			return NULL;
		}
	}
	return "auto, always or never";
}

#define FIELD(name) offsetof(struct settings, name)

static const struct option_spec options[] = {
    {"netns", 'n', "NAME", FIELD(netns), parse_texts,
     "only this network namespace; may be repeated\n(default: all you may read)"},
    {"group", 'g', "NUMBER", FIELD(groups), parse_groups, "only this NFLOG group; may be repeated"},
    {"output", 'o', "FORMAT", FIELD(show), parse_output,
     "compact (default): a line for each packet\njson: an object for each packet"},
    {"quiet", 'q', NULL, FIELD(quiet), parse_flag, "print no packets, only the counts at the end"},
    {"count", 'c', "NUMBER", FIELD(count), parse_count, "end after so many packets"},
    {"view", 0, "VIEW", FIELD(view), parse_view,
     "basic (default): what the headers say\nfull: payload and all attributes too\n"
     "raw: attributes alone, nothing decoded"},
    {"payload", 0, "BYTES", FIELD(payload_bytes), parse_length,
     "so many bytes of each payload at most;\nimplies --view full"},
    {"heartbeat", 0, "SECONDS", FIELD(heartbeat_ms), parse_interval,
     "show a sign of life after so much silence"},
    {"label", 0, "TEXT", FIELD(label), parse_label,
     "name of this subscription in the server's\nstatistics (default: nflogctl@HOST)"},
    {"color", 0, "WHEN", FIELD(color), parse_color, "auto (default), always or never"},
    {"utc", 0, NULL, FIELD(utc), parse_flag, "times in UTC"},
    {"date", 0, NULL, FIELD(date), parse_flag, "compact: the date too"},
    {"exit-on-loss", 0, NULL, FIELD(exit_on_loss), parse_flag,
     "end with exit code 7 at the first loss"},
};

struct totals {
	uint64_t packets;
	uint64_t lost;
};

static bool use_color(void)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (settings.color != COLOR_AUTO)
		return settings.color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

static uint32_t render_flags(void)
{
	return (use_color() ? NFL_RENDER_COLOR : 0) | (settings.utc ? NFL_RENDER_UTC : 0) |
	       (settings.date ? NFL_RENDER_DATE : 0);
}

/* What cannot go together would be ignored in silence. */
static int check_settings(int argc, char **argv)
{
	const struct command *command = &command_subscribe;

	if (argc > 0)
		return complain_usage(command, "unexpected argument %s", argv[0]);
	if (settings.quiet && settings.show)
		return complain_usage(command,
				      "--quiet prints no packets: it cannot have --output");
	if (settings.payload_bytes && settings.view == NFL_CLIENT_VIEW_BASIC)
		return complain_usage(command, "--view basic has no payload: it cannot have "
					       "--payload");
	if (settings.date && settings.show == output_json)
		return complain_usage(command, "times in JSON have a date always: --date is for "
					       "compact");
	if (settings.payload_bytes && !settings.view)
		settings.view = NFL_CLIENT_VIEW_FULL;
	if (!settings.show)
		settings.show = settings.quiet ? output_quiet : output_compact;
	return EXIT_DONE;
}

static void default_label(char label[LABEL_MAX + 1])
{
	char host[LABEL_MAX + 1] = "";

	(void)gethostname(host, sizeof(host) - 1); /* a cut or missing name is no harm */
	(void)snprintf(label, LABEL_MAX + 1, "nflogctl@%.*s", LABEL_MAX - 9, host);
}

static int subscribe(struct nfl_client *client, struct nfl_client_stream **ret)
{
	char label[LABEL_MAX + 1];
	struct nfl_client_subscribe_options request = {
	    .size = sizeof(request),
	    .netns = settings.netns.items,
	    .netns_count = settings.netns.count,
	    .groups = settings.groups.items,
	    .group_count = settings.groups.count,
	    .view = settings.view,
	    .max_packets = settings.count,
	    .payload_limit = settings.payload_bytes,
	    .heartbeat_ms = settings.heartbeat_ms,
	    .flags = NFL_CLIENT_NO_RECONNECT,
	    .label = settings.label,
	};

	if (!request.label) {
		default_label(label);
		request.label = label;
	}
	return nfl_client_subscribe(client, &request, ret);
}

/* Counts and shows one event; true when it was the last one wanted. */
static bool take_event(struct output *output, const struct nfl_client_event *event,
		       struct totals *totals)
{
	output->show(output, event);
	if (event->type == NFL_CLIENT_PACKET)
		return ++totals->packets == settings.count;
	if (event->type != NFL_CLIENT_LOSS)
		return false;
	totals->lost += event->loss->count;
	return settings.exit_on_loss;
}

/* Reads until the stream or its reader ends. Returns what nfl_client_next() did, 1 if it goes on. */
static int read_stream(struct nfl_client_stream *stream, struct output *output,
		       struct interrupt *interrupt, struct totals *totals)
{
	struct nfl_client_event event;
	int r;

	do {
		/* Write when there is nothing else to do: large writes under load. */
		r = nfl_client_next(stream, output->out.used ? 0 : -1, &event);
		if (r == -ETIMEDOUT) {
			(void)out_flush(&output->out);
			continue;
		}
		if (r != 1)
			return r;
		if (interrupt_passed(interrupt,
				     event.packet ? event.packet->record.receive_time_ns : 0))
			return -ECANCELED;
		if (take_event(output, &event, totals))
			return 1;
	} while (!output->out.error);
	return 1;
}

static void print_summary(const struct totals *totals)
{
	(void)fprintf(stderr, "-- %" PRIu64 " packet%s, %" PRIu64 " lost\n", totals->packets,
		      totals->packets == 1 ? "" : "s", totals->lost);
}

static int finish(struct nfl_client_stream *stream, const struct output *output,
		  const struct totals *totals, int r)
{
	const struct nfl_client_status *status = nfl_client_status(stream);

	if (output->out.error == -EPIPE)
		return EXIT_DONE; /* as in "nflogctl subscribe | head" */
	print_summary(totals);
	if (output->out.error) {
		complain("cannot write to standard output: %s", strerror(-output->out.error));
		return EXIT_ERROR;
	}
	if (settings.exit_on_loss && totals->lost > 0)
		return EXIT_LOSS;
	if (r == -ECANCELED)
		return EXIT_INTERRUPTED;
	return r < 0 ? complain_call(r, status->code, status->message) : EXIT_DONE;
}

static int show_stream(struct nfl_client_stream *stream)
{
	struct output output = {
	    .show = settings.show,
	    .render_flags = render_flags(),
	    .heartbeats = settings.heartbeat_ms > 0,
	};
	struct totals totals = {0};
	struct interrupt interrupt;
	int r = out_init(&output.out, STDOUT_FILENO);

	if (r == 0)
		r = interrupt_start(&interrupt, stream);
	if (r < 0) {
		complain("%s", strerror(-r));
		out_done(&output.out);
		return EXIT_ERROR;
	}
	r = read_stream(stream, &output, &interrupt, &totals);
	(void)out_flush(&output.out);
	interrupt_stop(&interrupt);
	r = finish(stream, &output, &totals, r);
	out_done(&output.out);
	return r;
}

static void stream_freep(struct nfl_client_stream **stream)
{
	nfl_client_stream_free(*stream);
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(stream_freep) struct nfl_client_stream *stream = NULL;
	int r = check_settings(argc, argv);

	(void)command;
	if (r != EXIT_DONE)
		return r;
	interrupt_block();
	r = open_client(common, &client);
	if (r != EXIT_DONE)
		return r;
	r = subscribe(client, &stream);
	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	return show_stream(stream);
}

const struct command command_subscribe = {
    .name = "subscribe",
    .arguments = "",
    .summary = "print packets as they are logged",
    .text =
	"Print packets as they are logged, one line for each, until interrupted. Losses and\n"
	"sources that change are told on standard error (in JSON: as objects with a \"type\"),\n"
	"and a summary at the end.",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .settings = &settings,
    .run = run,
};
