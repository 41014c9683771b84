/* SPDX-License-Identifier: MIT */
/* nflogctl subscribe: options into a request. What comes of it is for session.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "from.h"
#include "interrupt.h"
#include "options.h"
#include "output.h"
#include "resume_file.h"
#include "session.h"
#include "sessions.h"
#include "subscribe.h"
#include "when.h"

#define WINDOW_MS 100 /* of several servers, see merge.h */

static struct subscribe_settings settings;

static const char *parse_from(const char *value, void *field)
{
	struct target *target = &settings.from;
	const char *expected;

	*(const char **)field = value;
	target_done(target);
	expected = target_parse(value, target);
	return expected || target->is_stdout ? "nats://HOST[:PORT]/STREAM[/SUBJECT]" : NULL;
}

#define FIELD(name)  offsetof(struct subscribe_settings, name)
#define OUTPUT(name) FIELD(output.name)

static const struct option_spec options[] = {
    {"from", 0, "LOG", FIELD(from_text), parse_from,
     "not a server but what forward has stored:\nnats://HOST[:PORT][,...]/STREAM[/SUBJECT]"},
    BROKER_OPTIONS(FIELD(broker)),
    {"netns", 'n', "NAME", FIELD(netns), parse_texts,
     "only this network namespace; may be repeated\n(default: all you may read)"},
    {"group", 'g', "NUMBER", FIELD(groups), parse_groups, "only this NFLOG group; may be repeated"},
    {"last", 0, "NUMBER", FIELD(last), parse_count,
     "begin with the newest so many packets of\nthe server's history"},
    {"since", 0, "TIME", FIELD(since), parse_since,
     "begin with what was received then: 10m or\n1h30m ago, or a time as 03:04:05,\n"
     "\"2026-01-02 03:04:05\" (local) or\n2026-01-02T03:04:05Z"},
    {"all", 0, NULL, FIELD(all), parse_flag, "begin with the oldest packet of the history"},
    {"until", 0, "TIME", FIELD(until), parse_until,
     "end with what was received then; as --since,\nalso +10s from now; does not follow"},
    {"no-follow", 0, NULL, FIELD(no_follow), parse_flag, "end after the history"},
    {"wait", 0, NULL, FIELD(wait), parse_flag,
     "accept namespaces that do not exist yet, and\nwait for them"},
    {"resume-file", 0, "FILE", FIELD(resume_file), parse_file,
     "keep the place in the stream in FILE, and go\non there the next time; where to begin is\n"
     "for the first time"},
    {"strict-resume", 0, NULL, FIELD(strict_resume), parse_flag,
     "fail where the server no longer has what\nfollows, rather than go on with a loss"},
    {"no-reconnect", 0, NULL, FIELD(no_reconnect), parse_flag, "end when the connection is lost"},
    {"max-lag", 0, "SIZE", FIELD(max_lag_bytes), parse_size,
     "fall behind by so much of the history at\nmost: bytes, or with K, M or G"},
    {"slow", 0, "WHAT", FIELD(slow_policy), parse_slow,
     "drop (default): skip the oldest packets when\nthis reader is too slow\n"
     "disconnect: end with an error then"},
    {"output", 'o', "FORMAT", OUTPUT(format), parse_output,
     "compact (default): a line for each packet\n"
     "table: a row for each packet\n"
     "hex: its bytes below the line\n"
     "json: an object for each packet\n"
     "protojson: the contract in protobuf's JSON\n"
     "raw: the contract's messages, each behind its\nlength\n"
     "pcapng: a capture for Wireshark"},
    {"write", 'w', "FILE", OUTPUT(write_path), parse_file,
     "write to FILE, as pcapng where --output says\nnothing else; - is standard output"},
    {"rotate", 0, "SIZE", OUTPUT(rotate_bytes), parse_size,
     "begin FILE anew when it is so long: bytes, or\nwith K, M or G; the old one is FILE.1 then"},
    {"keep", 0, "NUMBER", OUTPUT(keep), parse_keep,
     "keep so many files, FILE and the rotated ones\n(default: 10)"},
    {"link", 0, "TYPE", OUTPUT(link), parse_link,
     "nflog (default): all that the kernel told\nraw: IP packets with comments, for pcapng"},
    {"quiet", 'q', NULL, OUTPUT(quiet), parse_flag, "print no packets, only the counts at the end"},
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
    {"color", 0, "WHEN", OUTPUT(color), parse_color, "auto (default), always or never"},
    {"utc", 0, NULL, OUTPUT(utc), parse_flag, "times in UTC"},
    {"date", 0, NULL, OUTPUT(date), parse_flag, "the date too: --time-format date"},
    {"time-format", 0, "FORM", OUTPUT(time_format), parse_time_format,
     "clock (default), date, rfc3339, epoch, none;\nrelative: since the first packet\n"
     "delta: since the packet before"},
    {"numeric", 0, NULL, OUTPUT(numeric), parse_flag,
     "numbers instead of the names of protocols,\nhooks, interfaces and states"},
    {"window", 0, "SECONDS", FIELD(window_ms), parse_interval,
     "of several servers: hold a packet back so long,\nfor older ones of the others (default: "
     "0.1)"},
    {"exit-on-loss", 0, NULL, FIELD(exit_on_loss), parse_flag,
     "end with exit code 7 at the first loss"},
    FILTER_OPTIONS(FIELD(filter)),
    {"print-request", 0, NULL, FIELD(print_request), parse_flag,
     "print what would be asked of the server, in\nprotobuf's JSON, and end"},
};

static void make_request(struct nfl_client_subscribe_options *request,
			 char label[SUBSCRIBE_LABEL_MAX + 1], const struct resume_file *resume,
			 int64_t now_ns)
{
	subscribe_request(&settings, resume->token, resume->len, now_ns, label, request);
}

static int show_stream(struct nfl_client_stream *stream,
		       const struct nfl_client_subscribe_options *request,
		       struct resume_file *resume)
{
	struct session_options session = {
	    .output.heartbeats = settings.heartbeat_ms > 0,
	    .file = output_file(&settings.output),
	    .count = settings.count,
	    .exit_on_loss = settings.exit_on_loss,
	    .strict_resume = settings.strict_resume,
	    .until_ns = request->start == NFL_CLIENT_START_LIVE ? request->until_ns : 0,
	    .resume = resume->path ? resume : NULL,
	};

	output_set(&settings.output, &session.output);
	return session_run(&session, stream);
}

/* Before anything is asked of a server. */
static int read_resume_file(struct resume_file *resume)
{
	int r = resume->path ? resume_file_read(resume) : 0;

	if (r == 0)
		return EXIT_DONE;
	complain("--resume-file %s: %s", resume->path, resume_file_error(r));
	return EXIT_ERROR;
}

static int subscribe(const struct common *common, struct resume_file *resume, int64_t now_ns)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(stream_freep) struct nfl_client_stream *stream = NULL;
	struct nfl_client_subscribe_options request;
	char label[SUBSCRIBE_LABEL_MAX + 1];
	int r = open_client(common, &client);

	if (r != EXIT_DONE)
		return r;
	make_request(&request, label, resume, now_ns);
	r = nfl_client_subscribe(client, &request, &stream);
	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	return show_stream(stream, &request, resume);
}

static void json_freep(struct nfl_client_json **json)
{
	nfl_client_json_free(*json);
}

static int print_request(struct resume_file *resume, int64_t now_ns)
{
	CLEANUP(json_freep) struct nfl_client_json *json = NULL;
	CLEANUP(freep) void *bytes = NULL;
	struct nfl_client_subscribe_options request;
	char label[SUBSCRIBE_LABEL_MAX + 1];
	const char *text;
	size_t len = 0;
	int r;

	make_request(&request, label, resume, now_ns);
	r = nfl_client_request(&request, &bytes, &len);
	if (r == 0)
		r = nfl_client_json_new(&json);
	if (r == 0)
		r = nfl_client_json_render(json, (struct nfl_bytes){bytes, (uint32_t)len},
					   NFL_CLIENT_JSON_REQUEST, &text, &len);
	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	(void)fwrite(text, 1, len, stdout);
	return EXIT_DONE;
}

/* --- several servers --------------------------------------------------------------------- */

/* FILE.ADDRESS, with %2F for each slash of the address: one file for each server, whatever their
 * order. NULL: no memory. */
static char *resume_path_of(const char *server)
{
	char *path = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&path, &len);

	if (!f)
		return NULL;
	(void)fprintf(f, "%s.", settings.resume_file);
	for (; *server; server++) {
		if (*server == '/' || *server == '%')
			(void)fprintf(f, "%%%02X", (unsigned)*server);
		else
			(void)fputc(*server, f);
	}
	if (fclose(f) == 0)
		return path;
	free(path);
	return NULL;
}

/* @ret_path: of the resume file, owned by the caller. Returns an exit code. */
static int prepare_member(const struct common *common, size_t at, int64_t now_ns, char *label,
			  struct session_member *member, char **ret_path)
{
	int r = EXIT_DONE;

	member->server = server_address(common, at);
	if (settings.resume_file) {
		*ret_path = resume_path_of(member->server);
		if (!*ret_path)
			return complain_memory();
		member->resume.path = *ret_path;
		r = read_resume_file(&member->resume);
	}
	if (r == EXIT_DONE)
		r = open_server(common, member->server, &member->client);
	if (r == EXIT_DONE)
		make_request(&member->request, label, &member->resume, now_ns);
	return r;
}

static int show_streams(struct session_member *members, size_t count)
{
	bool live = members[0].request.start == NFL_CLIENT_START_LIVE;
	struct sessions_options sessions = {
	    .output.heartbeats = settings.heartbeat_ms > 0,
	    .window_ns = (settings.window_ms ? settings.window_ms : WINDOW_MS) * NS_PER_MS,
	    .count = settings.count,
	    .exit_on_loss = settings.exit_on_loss,
	    .reconnects = !settings.no_reconnect,
	    .until_ns = live ? members[0].request.until_ns : 0,
	};

	output_set(&settings.output, &sessions.output);
	return sessions_run(&sessions, members, count);
}

static int subscribe_many(const struct common *common, int64_t now_ns)
{
	size_t count = server_count(common);
	struct session_member *members = calloc(count, sizeof(*members));
	char **paths = calloc(count, sizeof(*paths)), label[SUBSCRIBE_LABEL_MAX + 1];
	int r = members && paths ? EXIT_DONE : complain_memory();

	for (size_t i = 0; i < count && r == EXIT_DONE; i++)
		r = prepare_member(common, i, now_ns, label, &members[i], &paths[i]);
	if (r == EXIT_DONE)
		r = show_streams(members, count);
	for (size_t i = 0; i < count && members && paths; i++) {
		session_member_done(&members[i]);
		free(paths[i]);
	}
	free(members);
	free(paths);
	return r;
}

/* ----------------------------------------------------------------------------------------- */

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	CLEANUP(resume_file_done) struct resume_file resume = {.path = settings.resume_file};
	int64_t now_ns = realtime_ns();
	int r;

	r = subscribe_check(&settings, now_ns);
	if (r == EXIT_DONE && settings.from_text)
		r = broker_files_check(command, &settings.broker);
	if (r == EXIT_DONE)
		r = subscribe_check_servers(&settings, server_count(common));
	if (r == EXIT_DONE)
		r = filter_finish(&settings.filter, argc, argv);
	if (r == EXIT_DONE && server_count(common) == 1)
		r = read_resume_file(&resume);
	if (r == EXIT_DONE && settings.print_request) {
		r = print_request(&resume, now_ns);
	} else if (r == EXIT_DONE && settings.from_text) {
		interrupt_block();
		r = from_run(&settings, now_ns);
	} else if (r == EXIT_DONE) {
		interrupt_block();
		r = server_count(common) > 1 ? subscribe_many(common, now_ns)
					     : subscribe(common, &resume, now_ns);
	}
	filter_settings_done(&settings.filter);
	target_done(&settings.from);
	return r;
}

const struct command command_subscribe = {
    .name = "subscribe",
    .arguments = "[TCPDUMP-EXPRESSION]",
    .summary = "print packets as they are logged",
    .text =
	"Print packets as they are logged, one line for each, until interrupted; on request after\n"
	"those that the server still has. A connection that is lost is made again, and the stream\n"
	"goes on where it was. Losses and sources that change are told on standard error (in "
	"JSON:\n"
	"as objects with a \"type\"), and a summary at the end.\n\n"
	"  nflogctl subscribe -w - | wireshark -k -i -\n"
	"  nflogctl subscribe -o json | jq 'select(.dport == 22)'\n"
	"  nflogctl subscribe -w fw.pcapng --rotate 100M --keep 10",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .settings = &settings,
    .run = run,
};
