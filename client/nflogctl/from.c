/* SPDX-License-Identifier: MIT */
/* The loop of subscribe --from. In come messages of a broker; out go lines, packets and losses, as from a
 * server. */
#include "from.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "interrupt.h"
#include "modules.h"
#include "output.h"
#include "subscribe.h"
#include "totals.h"

#define TICK_MS 100
#define UNTIL_GRACE_NS                                                                             \
	(2 * NS_PER_S) /* for messages that are still filled, and the broker's clock */
#define GOES_ON   (-1) /* beside exit codes */
#define HOST_MAX  256
#define NETNS_MAX 4096 /* of a name with its host, for captures */

struct from {
	const struct subscribe_settings *settings;
	const struct broker_module *module;
	struct broker_settings broker_settings; /* the broker borrows them */
	struct broker *broker;
	struct nfl_client_log *log;
	struct nfl_filter *filter;
	struct output output;
	struct out_file file;
	struct totals totals;
	struct interrupt interrupt;
	int64_t since_ns; /* 0: not given, as the next */
	int64_t until_ns;
	bool follows;                /* beyond what is stored already */
	uint64_t malformed;          /* messages */
	char host[4 * HOST_MAX + 1]; /* of the message in hand, safe for a terminal */
	char netns[NETNS_MAX];       /* the source with its host */
};

/* --- options ----------------------------------------------------------------------------- */

static int complain_option(const char *option, const char *why)
{
	return complain_usage(&command_subscribe, "%s is not for --from: %s", option, why);
}

int from_check(const struct subscribe_settings *settings)
{
	static const char of_server[] = "there is no server";
	static const char stored[] = "it shows what was stored";
	const struct output_format *format = output_format(&settings->output);

	if (strcmp(settings->from.scheme, "nats") != 0)
		return complain_usage(&command_subscribe, "--from reads nats:// only");
	if (settings->last)
		return complain_option("--last", "a log has many hosts; --since");
	if (settings->resume_file)
		return complain_option("--resume-file", "--since goes on where a time was");
	if (settings->strict_resume)
		return complain_option("--strict-resume", of_server);
	if (settings->no_reconnect)
		return complain_option("--no-reconnect", of_server);
	if (settings->wait)
		return complain_option("--wait", of_server);
	if (settings->max_lag_bytes)
		return complain_option("--max-lag", of_server);
	if (settings->slow_policy)
		return complain_option("--slow", of_server);
	if (settings->heartbeat_ms)
		return complain_option("--heartbeat", of_server);
	if (settings->label)
		return complain_option("--label", of_server);
	if (settings->view)
		return complain_option("--view", stored);
	if (settings->payload_bytes)
		return complain_option("--payload", stored);
	if (settings->window_ms)
		return complain_option("--window", "its order is the log's");
	if (format == &format_raw || format == &format_protojson)
		return complain_option("--output raw or protojson",
				       "the contract's messages do not say of which host they are");
	return EXIT_DONE;
}

/* --- which events ------------------------------------------------------------------------ */

static bool wants_source(const struct subscribe_settings *settings,
			 const struct nfl_render_source *source)
{
	bool found = settings->netns.count == 0;

	for (size_t i = 0; i < settings->netns.count && !found; i++)
		found = strcmp(settings->netns.items[i], source->netns) == 0;
	if (!found || settings->groups.count == 0)
		return found;
	for (size_t i = 0; i < settings->groups.count; i++)
		if (settings->groups.items[i] == source->group)
			return true;
	return false;
}

static bool wants_packet(const struct from *from, const struct nfl_client_event *event)
{
	int64_t time_ns = event->packet->record.receive_time_ns;

	if ((from->since_ns && time_ns < from->since_ns) ||
	    (from->until_ns && time_ns > from->until_ns))
		return false;
	return nfl_filter_match(from->filter, event->packet, event->render_source.netns,
				event->render_source.group);
}

/* Losses are of no packet that a filter could be asked about. */
static bool wants_loss(const struct from *from, const struct nfl_client_loss *loss)
{
	return !(from->since_ns && loss->last_time_ns && loss->last_time_ns < from->since_ns) &&
	       !(from->until_ns && loss->first_time_ns && loss->first_time_ns > from->until_ns);
}

static bool is_wanted(const struct from *from, const struct nfl_client_event *event)
{
	switch (event->type) {
	case NFL_CLIENT_PACKET:
		return wants_source(from->settings, &event->render_source) &&
		       wants_packet(from, event);
	case NFL_CLIENT_LOSS:
		return (!event->source || wants_source(from->settings, &event->render_source)) &&
		       wants_loss(from, event->loss);
	case NFL_CLIENT_SOURCE:
		return wants_source(from->settings, &event->render_source);
	case NFL_CLIENT_STARTED: /* that a log begins is nothing to tell */
		return event->started->resume_status == NFL_CLIENT_RESUME_EPOCH_CHANGED;
	case NFL_CLIENT_HEARTBEAT:
	case NFL_CLIENT_CAUGHT_UP:
	case NFL_CLIENT_RECONNECTING:
		break;
	}
	return false;
}

/* --- showing ----------------------------------------------------------------------------- */

static void name_host(struct from *from)
{
	const char *host = nfl_client_log_host(from->log);

	(void)nfl_escape_line(from->host, sizeof(from->host), host, strlen(host));
	from->output.server = from->host;
	from->output.server_text = host;
}

/* A capture has no place for a host but the name of the interface. */
static void name_interface(struct from *from, struct nfl_client_event *event)
{
	if (from->output.format != &format_pcapng || !event->render_source.netns)
		return;
	(void)snprintf(from->netns, sizeof(from->netns), "%s/%s", nfl_client_log_host(from->log),
		       event->render_source.netns);
	event->render_source.netns = from->netns;
}

static void begin_output(struct from *from)
{
	if (from->output.format->begin)
		from->output.format->begin(&from->output);
}

static void rotate_in_time(struct from *from)
{
	if (out_file_is_full(&from->file, &from->output.out) &&
	    out_file_rotate(&from->file, &from->output.out) == 0)
		begin_output(from);
}

static int show(struct from *from, struct nfl_client_event *event)
{
	const struct subscribe_settings *settings = from->settings;

	name_interface(from, event);
	from->output.format->show(&from->output, event);
	totals_take(&from->totals, event);
	rotate_in_time(from);
	if (from->output.out.error)
		return EXIT_ERROR;
	if (settings->count && from->totals.packets >= settings->count)
		return EXIT_DONE;
	return settings->exit_on_loss && totals_have_loss(&from->totals) ? EXIT_LOSS : GOES_ON;
}

static int complain_message(struct from *from, const struct broker_message *message, int r)
{
	if (r == -ENOMEM) {
		complain("%s", strerror(ENOMEM));
		return EXIT_ERROR;
	}
	if (from->malformed++ == 0)
		complain("message %" PRIu64 " (%s) is no nflog.v1.LogSegment; skipping such",
			 message->number, message->subject);
	return GOES_ON;
}

static int show_message(struct from *from, const struct broker_message *message)
{
	struct nfl_client_event event;
	int r = nfl_client_log_take(from->log, message->data, message->len), end = GOES_ON;

	if (r < 0)
		return complain_message(from, message, r);
	name_host(from);
	while (end == GOES_ON && (r = nfl_client_log_next(from->log, &event)) > 0) {
		if (interrupt_passed(&from->interrupt,
				     event.packet ? event.packet->record.receive_time_ns : 0))
			return EXIT_INTERRUPTED;
		if (is_wanted(from, &event))
			end = show(from, &event);
	}
	return r < 0 ? complain_message(from, message, r) : end;
}

/* --- the loop ---------------------------------------------------------------------------- */

/* What is stored at this time is later than what was asked for. */
static bool is_after_end(const struct from *from, int64_t time_ns)
{
	return from->until_ns && time_ns > from->until_ns + UNTIL_GRACE_NS;
}

/* Nothing comes at the moment. */
static int take_silence(struct from *from)
{
	if (out_flush(&from->output.out) < 0)
		return EXIT_ERROR;
	if (interrupt_over(&from->interrupt))
		return EXIT_INTERRUPTED;
	/* What is stored already comes, however long the broker takes. */
	return from->follows && is_after_end(from, realtime_ns()) ? EXIT_DONE : GOES_ON;
}

static int step(struct from *from)
{
	struct broker_error err = {""};
	struct broker_message message;
	int timeout_ms = from->output.out.used ? 1 : TICK_MS;
	int r = from->module->next(from->broker, timeout_ms, &message, &err);

	if (r == -ETIMEDOUT)
		return take_silence(from);
	if (r == 0)
		return EXIT_DONE;
	if (r < 0) {
		complain("%s: %s", from->settings->from_text, err.text);
		return EXIT_UNAVAILABLE;
	}
	/* What is read to its end may have been stored long after it was received. */
	if (from->follows && is_after_end(from, message.time_ns))
		return EXIT_DONE;
	return show_message(from, &message);
}

static int finish(struct from *from, int end)
{
	uint64_t repeated = nfl_client_log_repeated(from->log);

	(void)out_flush(&from->output.out);
	if (from->output.out.error == -EPIPE)
		return EXIT_DONE; /* as in "nflogctl subscribe | head" */
	totals_print(&from->totals, NULL, stderr);
	if (repeated)
		(void)fprintf(stderr, "-- %" PRIu64 " packets were stored twice, shown once\n",
			      repeated);
	if (from->malformed)
		(void)fprintf(stderr, "-- %" PRIu64 " messages of others skipped\n",
			      from->malformed);
	if (!from->output.out.error)
		return end;
	complain("cannot write to %s: %s", from->file.path ? from->file.path : "standard output",
		 strerror(-from->output.out.error));
	return EXIT_ERROR;
}

static int read_log(struct from *from)
{
	int end;
	int r = interrupt_start(&from->interrupt, NULL, false);

	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	do {
		end = step(from);
	} while (end == GOES_ON);
	end = finish(from, end);
	interrupt_stop(&from->interrupt);
	return end;
}

static int begin_reading(struct from *from, int64_t now_ns)
{
	const struct subscribe_settings *settings = from->settings;
	struct broker_error err = {""};
	struct broker_query query = {
	    .subject = settings->from.subject,
	    .since_ns = from->since_ns,
	    .all = settings->all,
	    .follow = !settings->no_follow && !(from->until_ns && from->until_ns <= now_ns),
	};

	from->follows = query.follow;
	/* Packets are stored after they were received: nothing of that time lies before it. */
	if (from->module->read(from->broker, &query, &err) == 0)
		return EXIT_DONE;
	complain("%s: %s", settings->from_text, err.text);
	return EXIT_UNAVAILABLE;
}

static int open_log(struct from *from)
{
	const struct subscribe_settings *settings = from->settings;
	struct broker_error err = {""};
	int r = module_load(settings->from.scheme, &from->module, &err);

	if (r < 0) {
		complain("%s", err.text);
		return EXIT_ERROR;
	}
	from->broker_settings = (struct broker_settings){
	    .url = settings->from.url,
	    .stream = settings->from.stream,
	    .ca = settings->broker.ca,
	    .cert = settings->broker.cert,
	    .key = settings->broker.key,
	    .creds = settings->broker.creds,
	    .client = "nflogctl subscribe",
	    .window_messages = 1,
	};
	r = from->module->open(&from->broker_settings, &from->broker, &err);
	if (r == 0)
		return EXIT_DONE;
	complain("%s: %s", settings->from_text, err.text);
	return EXIT_UNAVAILABLE;
}

static int open_filter(struct from *from)
{
	const struct filter_settings *filter = &from->settings->filter;
	struct nfl_error err = {0};
	int r = nfl_filter_new(filter->include.items, filter->include.count, filter->exclude.items,
			       filter->exclude.count, &from->filter, &err);

	if (r == 0)
		r = nfl_client_log_new(&from->log);
	if (r == 0)
		return EXIT_DONE;
	complain("%s", *err.text ? err.text : strerror(-r));
	return EXIT_ERROR;
}

static int open_output(struct from *from)
{
	int r = out_file_open(&from->file, NULL, &from->output.out);

	if (r < 0) {
		complain("cannot write to %s: %s",
			 from->file.path ? from->file.path : "standard output", out_file_error(r));
		return EXIT_ERROR;
	}
	begin_output(from);
	return EXIT_DONE;
}

static void from_done(struct from *from)
{
	nfl_client_log_free(from->log);
	nfl_filter_free(from->filter);
	if (from->broker)
		from->module->close(from->broker);
	output_done(&from->output);
	out_file_close(&from->file);
	totals_done(&from->totals);
}

int from_run(const struct subscribe_settings *settings, int64_t now_ns)
{
	CLEANUP(from_done)
	struct from from = {
	    .settings = settings,
	    .file = output_file(&settings->output),
	    .output.server_key = "host",
	};
	int r;

	if (settings->since.kind != WHEN_NONE)
		from.since_ns = when_at(&settings->since, now_ns);
	if (settings->until.kind != WHEN_NONE)
		from.until_ns = when_at(&settings->until, now_ns);
	output_set(&settings->output, &from.output);
	r = open_filter(&from);
	if (r == EXIT_DONE)
		r = open_log(&from);
	if (r == EXIT_DONE)
		r = open_output(&from);
	if (r == EXIT_DONE)
		r = begin_reading(&from, now_ns);
	return r == EXIT_DONE ? read_log(&from) : r;
}
