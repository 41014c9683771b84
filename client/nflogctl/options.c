/* SPDX-License-Identifier: MIT */
/* The option table: getopt_long() is fed from it, and so is the help. */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"
#include "settings.h"

static const struct option_spec common_options[] = {
    {"server", 's', "ADDRESS", offsetof(struct common, servers), parse_texts,
     "unix:/PATH, /PATH, HOST:PORT or [IPV6]:PORT;\nof subscribe: may be repeated\n"
     "(default: " NFL_CLIENT_DEFAULT_SERVER ")"},
    {"config", 0, "FILE", offsetof(struct common, config), parse_text,
     "read settings from FILE; nflogctl config tells\nwhich are in force "
     "(default:\n~/.config/nflogctl/config.yaml)"},
    {"connect-timeout", 0, "SECONDS", offsetof(struct common, connect_timeout_ms), parse_interval,
     "wait so long for a server that does not\nanswer (default: 5)"},
    {"tls-ca", 0, "FILE", offsetof(struct common, tls_ca), parse_file,
     "talk TLS to a server whose certificate this CA\nsigned"},
    {"tls", 0, NULL, offsetof(struct common, tls), parse_flag,
     "talk TLS, also without --tls-ca: trust the CAs\nof the system"},
    {"tls-cert", 0, "FILE", offsetof(struct common, tls_cert), parse_file, "show this certificate"},
    {"tls-key", 0, "FILE", offsetof(struct common, tls_key), parse_file, "and its key"},
    {"tls-name", 0, "NAME", offsetof(struct common, tls_name), parse_text,
     "what the server's certificate must be for\n(default: the host of --server)"},
    {"token-file", 0, "FILE", offsetof(struct common, token_file), parse_file,
     "send the token in this file, over TLS or the unix\nsocket"},
    {"help", 'h', NULL, offsetof(struct common, help), parse_flag, "print this help"},
    {"version", 'V', NULL, offsetof(struct common, version), parse_flag, "print the version"},
};

#define OPTIONS_MAX 128

/* Where an option's value goes. */
struct known_option {
	struct option_spec spec;
	void *settings;
};

/* The options in the form that getopt_long() wants; val is the index into known. */
struct parser {
	struct known_option known[OPTIONS_MAX];
	size_t count;
	struct option long_options[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
};

/* Letters and long options share getopt_long()'s result; indexes begin above all letters. */
#define FIRST_INDEX 256

static void parser_add(struct parser *parser, const struct option_spec *specs, size_t count,
		       void *settings)
{
	for (size_t i = 0; i < count && parser->count < OPTIONS_MAX; i++) {
		size_t at = parser->count++;
		size_t end = strlen(parser->letters);

		parser->known[at] = (struct known_option){specs[i], settings};
		parser->long_options[at] = (struct option){
		    .name = specs[i].name,
		    .has_arg = specs[i].metavar ? required_argument : no_argument,
		    .val = FIRST_INDEX + (int)at,
		};
		if (!specs[i].letter)
			continue;
		parser->letters[end] = specs[i].letter;
		if (specs[i].metavar)
			parser->letters[end + 1] = ':';
	}
}

static const struct known_option *parser_find(const struct parser *parser, int code)
{
	if (code >= FIRST_INDEX)
		return &parser->known[code - FIRST_INDEX];
	for (size_t i = 0; i < parser->count; i++)
		if (parser->known[i].spec.letter == code)
			return &parser->known[i];
	return NULL;
}

static int complain_getopt(const struct command *command, const struct parser *parser, int code,
			   char **argv)
{
	const struct known_option *known;

	if (!optopt)
		return complain_usage(command, "unknown option %s", argv[optind - 1]);
	known = parser_find(parser, optopt);
	if (!known)
		return complain_usage(command, "unknown option -%c", optopt);
	if (code != ':')
		return complain_usage(command, "option --%s takes no value", known->spec.name);
	return complain_usage(command, "option --%s needs a value: %s", known->spec.name,
			      known->spec.metavar);
}

static int take_option(const struct command *command, const struct known_option *known,
		       const char *value)
{
	void *field = (char *)known->settings + known->spec.offset;
	const char *expected = known->spec.parse(value, field);

	if (!expected && settings_note_option(known->spec.name, value) < 0)
		expected = option_no_memory;
	if (!expected)
		return EXIT_DONE;
	if (expected == option_no_memory)
		return complain_memory();
	return complain_usage(command, "--%s %s: expected %s", known->spec.name, value, expected);
}

int options_parse(const struct command *command, struct common *common, int argc, char **argv,
		  int *ret_first)
{
	/* "+": stop at the first argument; ":": tell a missing value from an unknown option. */
	struct parser parser = {.letters = {command ? ':' : '+', command ? '\0' : ':'}};
	int code;

	if (command)
		parser_add(&parser, command->options, command->option_count, command->settings);
	parser_add(&parser, common_options, ARRAY_SIZE(common_options), common);
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((code = getopt_long(argc, argv, parser.letters, parser.long_options, NULL)) != -1) {
		const struct known_option *known = parser_find(&parser, code);
		int r;

		if (!known) /* '?' or ':' */
			return complain_getopt(command, &parser, code, argv);
		r = take_option(command, known, optarg);
		if (r != EXIT_DONE)
			return r;
	}
	*ret_first = optind;
	return EXIT_DONE;
}

size_t options_common(const struct option_spec **ret)
{
	*ret = common_options;
	return ARRAY_SIZE(common_options);
}

static bool is_option(const struct option_spec *spec, const char *name, size_t len, char letter)
{
	if (!name)
		return spec->letter == letter;
	return strlen(spec->name) == len && memcmp(spec->name, name, len) == 0;
}

static const struct option_spec *find_in(const struct option_spec *specs, size_t count,
					 const char *name, size_t len, char letter)
{
	for (size_t i = 0; i < count; i++)
		if (is_option(&specs[i], name, len, letter))
			return &specs[i];
	return NULL;
}

const struct option_spec *options_lookup(const struct command *command, const char *name,
					 size_t len, char letter, bool *ret_common)
{
	const struct option_spec *spec = NULL;

	if (command)
		spec = find_in(command->options, command->option_count, name, len, letter);
	*ret_common = !spec;
	return spec ? spec : find_in(common_options, ARRAY_SIZE(common_options), name, len, letter);
}

const struct option_spec *options_find(const char *name)
{
	bool is_common;

	return options_lookup(&command_subscribe, name, strlen(name), 0, &is_common);
}

bool option_is_list(const char *name)
{
	const struct option_spec *spec = options_find(name);

	return spec && spec->parse == parse_texts;
}

static void print_option(const struct option_spec *spec, FILE *f)
{
	char left[64];
	const char *line = spec->help;

	(void)snprintf(left, sizeof(left), "%c%c%s --%s%s%s", spec->letter ? '-' : ' ',
		       spec->letter ? spec->letter : ' ', spec->letter ? "," : " ", spec->name,
		       spec->metavar ? " " : "", spec->metavar ? spec->metavar : "");
	(void)fprintf(f, "  %-30s ", left);
	for (;;) {
		int len = (int)strcspn(line, "\n");

		(void)fprintf(f, "%.*s\n", len, line);
		if (!line[len])
			return;
		line += len + 1;
		(void)fprintf(f, "%33s", "");
	}
}

void options_print(const struct command *command, FILE *f)
{
	if (command && command->option_count > 0) {
		(void)fputs("\nOptions:\n", f);
		for (size_t i = 0; i < command->option_count; i++)
			print_option(&command->options[i], f);
	}
	(void)fputs("\nCommon options, before or after the command, in the environment as "
		    "NFLOGCTL_SERVER,\nNFLOGCTL_TLS_CA and so on:\n",
		    f);
	for (size_t i = 0; i < ARRAY_SIZE(common_options); i++)
		print_option(&common_options[i], f);
}
