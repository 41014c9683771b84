/* SPDX-License-Identifier: MIT */
/* Which options of nflogctl subscribe cannot go together. */
#include "subscribe.h"

#include "cli.h"
#include "from.h"

static int complain_clash(const char *one, const char *other, const char *why)
{
	return complain_usage(&command_subscribe, "%s cannot go together with %s: %s", one, other,
			      why);
}

static const char *start_option(const struct subscribe_settings *settings)
{
	if (settings->last)
		return "--last";
	if (settings->since.kind != WHEN_NONE)
		return "--since";
	return settings->all ? "--all" : NULL;
}

static int check_start(const struct subscribe_settings *settings)
{
	static const char why[] = "a stream begins at one place";
	bool since = settings->since.kind != WHEN_NONE;

	if (settings->last && since)
		return complain_clash("--last", "--since", why);
	if (settings->last && settings->all)
		return complain_clash("--last", "--all", why);
	if (since && settings->all)
		return complain_clash("--since", "--all", why);
	return EXIT_DONE;
}

static int check_end(const struct subscribe_settings *settings, int64_t now_ns)
{
	bool since = settings->since.kind != WHEN_NONE, until = settings->until.kind != WHEN_NONE;
	int64_t until_ns = until ? when_at(&settings->until, now_ns) : 0;
	const char *start = start_option(settings);

	if (settings->no_follow && !start)
		return complain_usage(
		    &command_subscribe, "--no-follow needs --last, --since or --all%s",
		    settings->resume_file ? ": --resume-file has no place in its first run"
					  : ", else there is nothing to show");
	if (until && since && until_ns <= when_at(&settings->since, now_ns))
		return complain_clash("--since", "--until", "it ends before it begins");
	if (until && !start && !settings->resume_file && until_ns <= now_ns)
		return complain_usage(&command_subscribe,
				      "--until in the past needs --last, --since or --all");
	return EXIT_DONE;
}

/* What ends has nothing to wait for. */
static int check_wait(const struct subscribe_settings *settings)
{
	static const char why[] = "what does not follow cannot wait";

	if (!settings->wait)
		return EXIT_DONE;
	if (settings->netns.count == 0)
		return complain_usage(&command_subscribe, "--wait needs --netns: what to wait for");
	if (settings->no_follow)
		return complain_clash("--wait", "--no-follow", why);
	if (settings->until.kind != WHEN_NONE)
		return complain_clash("--wait", "--until", why);
	return EXIT_DONE;
}

static int check_payload(const struct subscribe_settings *settings)
{
	const struct output_format *format = output_format(&settings->output);

	if (settings->view != NFL_CLIENT_VIEW_BASIC)
		return EXIT_DONE;
	if (settings->payload_bytes)
		return complain_usage(&command_subscribe,
				      "--view basic has no payload: it cannot have --payload");
	if (format->needs_payload)
		return complain_usage(&command_subscribe,
				      "--view basic has no payload: it cannot have --output %s",
				      format->name);
	return EXIT_DONE;
}

static int check_resume(const struct subscribe_settings *settings)
{
	if (settings->strict_resume && settings->no_reconnect && !settings->resume_file)
		return complain_clash("--strict-resume", "--no-reconnect",
				      "without --resume-file it never resumes");
	return EXIT_DONE;
}

int subscribe_check_servers(const struct subscribe_settings *settings, size_t servers)
{
	const struct output_format *format = output_format(&settings->output);

	if (servers == 1 && settings->window_ms)
		return complain_usage(&command_subscribe,
				      "--window is for several servers: there is one");
	if (servers > 1 && settings->output.write_path)
		return complain_usage(&command_subscribe, "--write is for one server, not for %zu",
				      servers);
	if (servers > 1 && !format->is_lines && format != &format_json && format != &format_quiet)
		return complain_usage(&command_subscribe,
				      "--output %s is for one server, not for %zu: it cannot tell "
				      "of which a packet is",
				      format->name, servers);
	return EXIT_DONE;
}

int broker_files_check(const struct command *command, const struct broker_files *files)
{
	if (!files->cert == !files->key)
		return EXIT_DONE;
	return complain_usage(command, "--broker-cert and --broker-key: one needs the other");
}

static int check_from(const struct subscribe_settings *settings)
{
	const struct broker_files *files = &settings->broker;

	if (settings->from_text)
		return from_check(settings);
	if (files->ca || files->cert || files->key || files->creds)
		return complain_usage(&command_subscribe,
				      "--broker-ca, -cert, -key and -creds are for --from");
	return EXIT_DONE;
}

int subscribe_check_stream(const struct subscribe_settings *settings, int64_t now_ns)
{
	int r = check_start(settings);

	if (r == EXIT_DONE)
		r = check_end(settings, now_ns);
	if (r == EXIT_DONE)
		r = check_wait(settings);
	return r == EXIT_DONE ? check_resume(settings) : r;
}

int subscribe_check(const struct subscribe_settings *settings, int64_t now_ns)
{
	int r = output_check(&settings->output);

	if (r == EXIT_DONE)
		r = check_from(settings);
	if (r == EXIT_DONE && !settings->from_text)
		r = check_payload(settings);
	return r == EXIT_DONE ? subscribe_check_stream(settings, now_ns) : r;
}
