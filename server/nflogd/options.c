/* SPDX-License-Identifier: MIT */
/* The command line of nflogd: getopt_long, and values checked as far as one option alone can tell. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUP_MAX 65535ul

enum long_only {
	OPT_CHECK_CONFIG = 256,
	OPT_NETNS,
	OPT_GROUP,
	OPT_LISTEN,
	OPT_USER,
	OPT_LOG_LEVEL,
	OPT_LOG_FORMAT,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check-config", required_argument, NULL, OPT_CHECK_CONFIG},
    {"netns", required_argument, NULL, OPT_NETNS},
    {"group", required_argument, NULL, OPT_GROUP},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"user", required_argument, NULL, OPT_USER},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static const char help_text[] =
    "Usage: nflogd [OPTION]...\n"
    "\n"
    "Read the Linux netfilter log (NFLOG) in many network namespaces and stream it by\n"
    "gRPC. Runs in the foreground and logs to stderr.\n"
    "\n"
    "Configuration:\n"
    "  -c, --config FILE        read this file. Without it: /etc/nflogd/nflogd.yaml,\n"
    "                           if there is one, else group 100 of the host and every\n"
    "                           namespace in /run/netns\n"
    "      --check-config FILE  check a file, print every error in it, and exit\n"
    "\n"
    "Without a file:\n"
    "      --netns NAME         read this namespace: a name in /run/netns, a glob\n"
    "                           (\"cni-*\"), host, a path (/proc/123/ns/net), or pid:N.\n"
    "                           Repeatable. Default: host and all named ones\n"
    "      --group N[-M]        read this NFLOG group, or all from N to M, in each of\n"
    "                           them. Repeatable. Default: 100\n"
    "\n"
    "      --listen ADDRESS     serve gRPC here, not where the configuration says:\n"
    "                           unix:/PATH, /PATH, or a loopback 127.0.0.1:PORT.\n"
    "                           Repeatable. Default: unix:/run/nflogd/nflogd.sock\n"
    "\n"
    "      --user NAME          become this user when started as root. Default:\n"
    "                           nflogd, or nobody where there is none\n"
    "\n"
    "Log:\n"
    "      --log-level LEVEL    error, warn, info (default) or debug\n"
    "      --log-format FORMAT  auto (default), text or json\n"
    "\n"
    "  -V, --version            print the version and exit\n"
    "  -h, --help               print this help and exit\n"
    "\n"
    "Signals: SIGTERM and SIGINT end all streams and the daemon within 5 seconds;\n"
    "SIGHUP reads the configuration, certificates and tokens again.\n"
    "Exit status: 0 ended by a signal, 1 error, 2 wrong usage.\n"
    "\n"
    "See nflogd(8), nflogd.yaml(5), nflogctl(1).\n";

void options_help(FILE *out)
{
	(void)fputs(help_text, out);
}

static int __attribute__((format(printf, 2, 3))) refuse(FILE *err_out, const char *format, ...)
{
	va_list args;

	if (err_out) {
		va_start(args, format);
		(void)fputs("nflogd: ", err_out);
		(void)vfprintf(err_out, format, args);
		(void)fputs("\nTry 'nflogd --help'.\n", err_out);
		va_end(args);
	}
	return -EINVAL;
}

static int append(struct options_list *list, const char *text)
{
	const char **items = reallocarray(list->items, list->count + 1, sizeof(char *));

	if (!items)
		return -ENOMEM;
	items[list->count++] = text;
	list->items = items;
	return 0;
}

/* Reads a group number; NULL when there is none. */
static const char *parse_group(const char *text, unsigned long *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL; /* strtoul would take signs and spaces */
	errno = 0;
	*ret = strtoul(text, &end, 10);
	return errno || *ret > GROUP_MAX ? NULL : end;
}

/* "N" or "N-M" with N <= M */
static bool is_group(const char *text)
{
	unsigned long first;
	unsigned long last;
	const char *end = parse_group(text, &first);

	if (!end)
		return false;
	if (*end == '\0')
		return true;
	if (*end != '-')
		return false;
	end = parse_group(end + 1, &last);
	return end && *end == '\0' && first <= last;
}

static int parse_log_level(const char *text, enum log_level *ret)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
	    {"error", LOG_LEVEL_ERROR},
	    {"warn", LOG_LEVEL_WARN},
	    {"info", LOG_LEVEL_INFO},
	    {"debug", LOG_LEVEL_DEBUG},
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(text, levels[i].name) == 0) {
			*ret = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_log_format(const char *text, enum log_format *ret)
{
	if (strcmp(text, "auto") == 0)
		*ret = LOG_FORMAT_AUTO;
	else if (strcmp(text, "text") == 0)
		*ret = LOG_FORMAT_TEXT;
	else if (strcmp(text, "json") == 0)
		*ret = LOG_FORMAT_JSON;
	else
		return -EINVAL;
	return 0;
}

static int set_config_path(struct options *options, const char *path, FILE *err_out)
{
	if (options->config_path)
		return refuse(err_out, "only one --config or --check-config can be given");
	options->config_path = path;
	return 0;
}

static int take_option(struct options *options, int option, const char *value, FILE *err_out)
{
	if (value && strlen(value) > OPTIONS_TEXT_MAX)
		return refuse(err_out, "a value has more than %d bytes", OPTIONS_TEXT_MAX);
	switch (option) {
	case OPT_CHECK_CONFIG:
		options->action = OPTIONS_CHECK_CONFIG;
		return set_config_path(options, value, err_out);
	case 'c':
		return set_config_path(options, value, err_out);
	case OPT_NETNS:
		if (*value == '\0')
			return refuse(err_out, "--netns: expected a name, got an empty text");
		return append(&options->netns, value);
	case OPT_GROUP:
		if (!is_group(value))
			return refuse(err_out,
				      "--group %s: expected a number 0..65535 or a range such as "
				      "110-119",
				      value);
		return append(&options->groups, value);
	case OPT_LISTEN:
		return append(&options->listens, value);
	case OPT_USER:
		if (*value == '\0')
			return refuse(err_out, "--user: expected a name, got an empty text");
		options->become = value;
		return 0;
	case OPT_LOG_LEVEL:
		if (parse_log_level(value, &options->log_level) < 0)
			return refuse(err_out,
				      "--log-level %s: expected error, warn, info or debug", value);
		return 0;
	case OPT_LOG_FORMAT:
		if (parse_log_format(value, &options->log_format) < 0)
			return refuse(err_out, "--log-format %s: expected auto, text or json",
				      value);
		return 0;
	case 'V':
		options->action = OPTIONS_VERSION;
		return 0;
	case 'h':
		options->action = OPTIONS_HELP;
		return 0;
	}
	return -EINVAL;
}

/* What getopt could not read; it is kept silent so that all errors look the same. */
static int refuse_unread(char **argv, int option, FILE *err_out)
{
	if (option == ':')
		return refuse(err_out, "option '%s' needs a value", argv[optind - 1]);
	if (optopt > 0 && optopt < OPT_CHECK_CONFIG)
		return refuse(err_out, "unknown option '-%c'", optopt);
	return refuse(err_out, "unknown option '%s'", argv[optind - 1]);
}

static int check_combination(const struct options *options, FILE *err_out)
{
	if (options->config_path && (options->netns.count || options->groups.count))
		return refuse(err_out, "--netns and --group stand for a configuration file: "
				       "they cannot be given with one");
	return 0;
}

int options_parse(int argc, char **argv, struct options *ret, FILE *err_out)
{
	int r = 0;

	*ret = (struct options){
	    .user = getuid(), .log_level = LOG_LEVEL_INFO, .log_format = LOG_FORMAT_AUTO};
	optind = 0; /* glibc: start over, also for a second call */
	opterr = 0;
	while (r == 0 && ret->action != OPTIONS_HELP && ret->action != OPTIONS_VERSION) {
		int option = getopt_long(argc, argv, ":c:Vh", long_options, NULL);

		if (option == -1)
			break;
		if (option == ':' || option == '?')
			return refuse_unread(argv, option, err_out);
		r = take_option(ret, option, optarg, err_out);
	}
	if (r < 0 || ret->action == OPTIONS_HELP || ret->action == OPTIONS_VERSION)
		return r;
	if (optind < argc)
		return refuse(err_out, "unexpected argument '%s'", argv[optind]);
	return check_combination(ret, err_out);
}

void options_done(struct options *options)
{
	free(options->netns.items);
	free(options->groups.items);
	free(options->listens.items);
	*options = (struct options){0};
}
