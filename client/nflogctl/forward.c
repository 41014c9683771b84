/* SPDX-License-Identifier: MIT */
/* nflogctl forward: its options, its broker, its place of an earlier run. What comes of it is for
 * forward_run.c. */
#include "forward.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "clock.h"
#include "interrupt.h"
#include "modules.h"
#include "options.h"
#include "subject.h"
#include "subscribe.h"
#include "target.h"

#define LINGER_DEFAULT_MS 200
#define WINDOW_MESSAGES   1024
#define WINDOW_BYTES      ((size_t)32 * 1024 * 1024)
#define NAME_MAX_BYTES    255

enum forward_format {
	FORMAT_DEFAULT,
	FORMAT_PROTOBUF,
	FORMAT_JSON,
};

static struct forward_settings {
	struct subscribe_settings subscribe;
	const char *to;
	const char *subject;
	enum forward_format format;
	const char *name;
	uint32_t linger_ms;
	bool create;
	const char *resume_kv;
	struct text_list broker_options;
	struct target target; /* of `to` */
} settings;

static const char *parse_to(const char *value, void *field)
{
	const char *expected;

	(void)field;
	target_done(&settings.target);
	expected = target_parse(value, &settings.target);
	settings.to = value;
	if (!expected && settings.target.subject)
		return "a stream without a subject: that is for --subject";
	return expected;
}

static const char *parse_subject(const char *value, void *field)
{
	*(const char **)field = value;
	return subject_check(value);
}

static const char *parse_format(const char *value, void *field)
{
	enum forward_format *format = field;

	if (strcmp(value, "protobuf") == 0)
		*format = FORMAT_PROTOBUF;
	else if (strcmp(value, "json") == 0)
		*format = FORMAT_JSON;
	else
		return "protobuf or json";
	return NULL;
}

static const char *parse_name(const char *value, void *field)
{
	*(const char **)field = value;
	return *value && strlen(value) <= NAME_MAX_BYTES ? NULL : "a name of 1 to 255 bytes";
}

#define FIELD(name)     offsetof(struct forward_settings, name)
#define SUBSCRIBE(name) FIELD(subscribe.name)

static const struct option_spec options[] = {
    {"to", 0, "TARGET", FIELD(to), parse_to,
     "nats://HOST[:PORT][,...]/STREAM: JetStream\nkafka://HOST[:PORT][,...]/TOPIC\n"
     "-: JSON lines on standard output"},
    {"subject", 0, "PATTERN", FIELD(subject), parse_subject,
     "where a source's messages go; of Kafka: their\nkey (default: " SUBJECT_DEFAULT ")"},
    {"format", 0, "FORMAT", FIELD(format), parse_format,
     "protobuf (default): nflog.v1.LogSegment\njson: lines, as subscribe --output json"},
    {"name", 0, "NAME", FIELD(name), parse_name,
     "{host} of the pattern and in the messages\n(default: what the server calls its host)"},
    {"create", 0, NULL, FIELD(create), parse_flag,
     "make the JetStream stream where there is none,\nfor all subjects of the pattern"},
    {"linger", 0, "SECONDS", FIELD(linger_ms), parse_interval,
     "fill a message for so long at most (default: 0.2)"},
    {"resume-file", 0, "FILE", SUBSCRIBE(resume_file), parse_file,
     "keep the place up to which all is stored in FILE,\nand go on there the next time"},
    {"resume-kv", 0, "BUCKET[/KEY]", FIELD(resume_kv), parse_text,
     "the same in JetStream's key-value store, under\nKEY (default: the name)"},
    BROKER_OPTIONS(SUBSCRIBE(broker)),
    {"broker-option", 0, "NAME=VALUE", FIELD(broker_options), parse_texts,
     "Kafka: a setting of librdkafka; may be repeated"},
    {"netns", 'n', "NAME", SUBSCRIBE(netns), parse_texts,
     "only this network namespace; may be repeated\n(default: all you may read)"},
    {"group", 'g', "NUMBER", SUBSCRIBE(groups), parse_groups,
     "only this NFLOG group; may be repeated"},
    {"all", 0, NULL, SUBSCRIBE(all), parse_flag,
     "the first time: begin with the oldest packet of\nthe server's history (default: from now "
     "on)"},
    {"since", 0, "TIME", SUBSCRIBE(since), parse_since, "or with what was received then"},
    {"last", 0, "NUMBER", SUBSCRIBE(last), parse_count, "or with the newest so many packets"},
    {"no-follow", 0, NULL, SUBSCRIBE(no_follow), parse_flag, "end after the history"},
    {"wait", 0, NULL, SUBSCRIBE(wait), parse_flag, "accept namespaces that do not exist yet"},
    {"strict-resume", 0, NULL, SUBSCRIBE(strict_resume), parse_flag,
     "fail where the server no longer has what\nfollows, rather than go on with a loss"},
    {"max-lag", 0, "SIZE", SUBSCRIBE(max_lag_bytes), parse_size,
     "fall behind by so much of the history at\nmost: bytes, or with K, M or G"},
    {"count", 'c', "NUMBER", SUBSCRIBE(count), parse_count, "end after so many packets"},
    {"view", 0, "VIEW", SUBSCRIBE(view), parse_view,
     "basic (default): what the headers say\nfull: payload and all attributes too\n"
     "raw: attributes alone, nothing decoded"},
    {"payload", 0, "BYTES", SUBSCRIBE(payload_bytes), parse_length,
     "so many bytes of each payload at most;\nimplies --view full"},
    {"label", 0, "TEXT", SUBSCRIBE(label), parse_label,
     "name of this subscription in the server's\nstatistics (default: nflogctl@HOST)"},
    FILTER_OPTIONS(SUBSCRIBE(filter)),
};

/* --- what goes together ------------------------------------------------------------------ */

static int check_target(void)
{
	bool is_nats = strcmp(settings.target.scheme, "nats") == 0;
	bool is_kafka = strcmp(settings.target.scheme, "kafka") == 0;

	if (!settings.to)
		return complain_usage(&command_forward, "--to is missing: where to");
	if (settings.target.is_stdout && settings.format == FORMAT_PROTOBUF)
		return complain_usage(&command_forward,
				      "--to - is for JSON lines; messages go to "
				      "standard output by subscribe --output raw");
	if (settings.resume_kv && !is_nats)
		return complain_usage(&command_forward, "--resume-kv is for nats://");
	if (settings.create && !is_nats)
		return complain_usage(&command_forward, "--create is for nats://");
	if (settings.broker_options.count && !is_kafka)
		return complain_usage(&command_forward, "--broker-option is for kafka://");
	return broker_files_check(&command_forward, &settings.subscribe.broker);
}

static int check_place(void)
{
	const struct subscribe_settings *subscribe = &settings.subscribe;

	if (settings.resume_kv && subscribe->resume_file)
		return complain_usage(&command_forward, "--resume-kv cannot go together with "
							"--resume-file: there is one place");
	if (subscribe->strict_resume && !settings.resume_kv && !subscribe->resume_file)
		return complain_usage(&command_forward,
				      "--strict-resume needs --resume-file or --resume-kv");
	if (!settings.target.is_stdout && !settings.resume_kv && !subscribe->resume_file)
		complain("without --resume-file or --resume-kv the next run begins anew: what is "
			 "logged in between is not stored, and nobody counts it");
	return EXIT_DONE;
}

static int check(const struct common *common, int64_t now_ns)
{
	int r = check_target();

	if (r == EXIT_DONE && server_count(common) > 1)
		r = complain_usage(&command_forward, "--server: one for each forwarder");
	if (r == EXIT_DONE)
		r = subscribe_check_stream(&settings.subscribe, now_ns);
	return r == EXIT_DONE ? check_place() : r;
}

/* --- the place of an earlier run --------------------------------------------------------- */

struct earlier {
	struct resume_file file;
	struct checkpoint place;
	void *bytes; /* owned, of the key-value store */
	char bucket[NAME_MAX_BYTES + 1];
	const char *key; /* borrowed */
};

static void earlier_done(struct earlier *earlier)
{
	free((void *)(uintptr_t)earlier->place.counts);
	free(earlier->bytes);
	resume_file_done(&earlier->file);
}

/* BUCKET[/KEY] */
static int split_bucket(struct earlier *earlier, const char *host)
{
	const char *slash = strchr(settings.resume_kv, '/');
	size_t len = slash ? (size_t)(slash - settings.resume_kv) : strlen(settings.resume_kv);

	if (len == 0 || len > NAME_MAX_BYTES || (slash && !slash[1]))
		return complain_usage(&command_forward,
				      "--resume-kv: expected BUCKET or BUCKET/KEY");
	memcpy(earlier->bucket, settings.resume_kv, len);
	earlier->key = slash ? slash + 1 : host;
	return EXIT_DONE;
}

static int read_place(struct earlier *earlier, const void *bytes, size_t len, const char *where)
{
	int r = checkpoint_decode(bytes, len, &earlier->place);

	if (r == 0)
		return EXIT_DONE;
	complain("%s: %s", where,
		 r == -EBADMSG ? "it is no place of nflogctl forward" : strerror(-r));
	return EXIT_ERROR;
}

static int read_file(struct earlier *earlier)
{
	const char *path = settings.subscribe.resume_file;
	int r;

	earlier->file.path = path;
	r = resume_file_read(&earlier->file);
	if (r < 0) {
		complain("--resume-file %s: %s", path, resume_file_error(r));
		return EXIT_ERROR;
	}
	return earlier->file.token
		   ? read_place(earlier, earlier->file.token, earlier->file.len, path)
		   : EXIT_DONE;
}

static int read_bucket(struct earlier *earlier, const struct broker_module *module,
		       struct broker *broker, const char *host)
{
	struct broker_error err = {""};
	size_t len = 0;
	int r = split_bucket(earlier, host);

	if (r != EXIT_DONE)
		return r;
	r = module->load(broker, earlier->bucket, earlier->key, &earlier->bytes, &len, &err);
	if (r < 0) {
		complain("--resume-kv %s: %s", settings.resume_kv, err.text);
		return EXIT_ERROR;
	}
	return r > 0 ? read_place(earlier, earlier->bytes, len, settings.resume_kv) : EXIT_DONE;
}

/* --- the broker -------------------------------------------------------------------------- */

static int open_broker(const struct broker_module *module, const struct broker_settings *broker,
		       struct broker **ret)
{
	struct broker_error err = {""};

	if (module->open(broker, ret, &err) == 0)
		return EXIT_DONE;
	complain("%s: %s", settings.to, err.text);
	return EXIT_UNAVAILABLE;
}

static int find_module(const struct broker_module **ret)
{
	struct broker_error err = {""};

	if (settings.target.is_stdout) {
		*ret = &broker_stdout;
		return EXIT_DONE;
	}
	if (module_load(settings.target.scheme, ret, &err) == 0)
		return EXIT_DONE;
	complain("%s", err.text);
	return EXIT_ERROR;
}

static struct broker_settings broker_settings(const char *wildcard)
{
	return (struct broker_settings){
	    .url = settings.target.url,
	    .stream = settings.target.stream,
	    .ca = settings.subscribe.broker.ca,
	    .cert = settings.subscribe.broker.cert,
	    .key = settings.subscribe.broker.key,
	    .creds = settings.subscribe.broker.creds,
	    .options = settings.broker_options.items,
	    .option_count = settings.broker_options.count,
	    .client = "nflogctl forward",
	    .create = settings.create,
	    .create_subject = wildcard,
	    .window_messages = WINDOW_MESSAGES,
	    .window_bytes = WINDOW_BYTES,
	};
}

/* --- the stream -------------------------------------------------------------------------- */

/* What the server calls its host, where the user does not say. */
static int ask_name(struct nfl_client *client, char host[NAME_MAX_BYTES + 1])
{
	struct nfl_client_server_info *info = NULL;
	struct nfl_client_error err = {0};
	int r;

	if (settings.name) {
		(void)snprintf(host, NAME_MAX_BYTES + 1, "%s", settings.name);
		return EXIT_DONE;
	}
	r = nfl_client_get_server_info(client, -1, &info, &err);
	if (r < 0)
		return complain_call(r, err.code, err.message);
	(void)snprintf(host, NAME_MAX_BYTES + 1, "%s", info->host_name);
	nfl_client_server_info_free(info);
	return EXIT_DONE;
}

static int run_stream(struct nfl_client *client, struct earlier *earlier,
		      struct forward_options *forward)
{
	CLEANUP(stream_freep) struct nfl_client_stream *stream = NULL;
	struct nfl_client_subscribe_options request;
	char label[SUBSCRIBE_LABEL_MAX + 1];
	int r;

	subscribe_request(&settings.subscribe,
			  earlier->place.token_len ? earlier->place.token : NULL,
			  earlier->place.token_len, realtime_ns(), label, &request);
	r = nfl_client_subscribe(client, &request, &stream);
	if (r < 0) {
		complain("%s", strerror(-r));
		return EXIT_ERROR;
	}
	forward->place = &earlier->place;
	forward->file = earlier->file.path ? &earlier->file : NULL;
	forward->bucket = settings.resume_kv ? earlier->bucket : NULL;
	forward->key = earlier->key;
	return forward_run(forward, stream);
}

static int forward_to(struct nfl_client *client, struct forward_options *forward, const char *host)
{
	CLEANUP(earlier_done) struct earlier earlier = {0};
	int r = EXIT_DONE;

	if (settings.subscribe.resume_file)
		r = read_file(&earlier);
	else if (settings.resume_kv)
		r = read_bucket(&earlier, forward->module, forward->broker, host);
	forward->host = host;
	return r == EXIT_DONE ? run_stream(client, &earlier, forward) : r;
}

static int forward(const struct common *common)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(freep) char *wildcard = NULL;
	struct forward_options forward = {
	    .target = settings.to,
	    .subject = settings.subject ? settings.subject : SUBJECT_DEFAULT,
	    .is_json = settings.target.is_stdout || settings.format == FORMAT_JSON,
	    .linger_ns = (settings.linger_ms ? settings.linger_ms : LINGER_DEFAULT_MS) * NS_PER_MS,
	    .count = settings.subscribe.count,
	};
	struct broker_settings broker;
	char host[NAME_MAX_BYTES + 1];
	int r = find_module(&forward.module);

	wildcard = subject_wildcard(forward.subject);
	broker = broker_settings(wildcard);
	if (r == EXIT_DONE)
		r = open_client(common, &client);
	if (r == EXIT_DONE)
		r = ask_name(client, host);
	if (r == EXIT_DONE)
		r = open_broker(forward.module, &broker, &forward.broker);
	if (r != EXIT_DONE)
		return r;
	r = forward_to(client, &forward, host);
	forward.module->close(forward.broker);
	return r;
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	int r = check(common, realtime_ns());

	(void)command;
	if (r == EXIT_DONE)
		r = filter_finish(&settings.subscribe.filter, argc, argv);
	if (r == EXIT_DONE) {
		interrupt_block();
		r = forward(common);
	}
	filter_settings_done(&settings.subscribe.filter);
	target_done(&settings.target);
	return r;
}

const struct command command_forward = {
    .name = "forward",
    .arguments = "--to TARGET [TCPDUMP-EXPRESSION]",
    .summary = "store packets in a message broker",
    .text =
	"Store packets and losses in a message broker, as they are logged, until interrupted. "
	"What\n"
	"the broker has not confirmed is sent again; with a place (--resume-file, --resume-kv) "
	"also\n"
	"by the next run. Nothing is missing in the durable log that it does not count as lost.\n\n"
	"  nflogctl forward --to nats://broker/FIREWALL --create --resume-kv nflog\n"
	"  nflogctl subscribe --from nats://broker/FIREWALL --since 10m --dport 22\n"
	"  nflogctl forward --to - | vector",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .settings = &settings,
    .run = run,
};
