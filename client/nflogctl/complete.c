/* SPDX-License-Identifier: MIT */
/*
 * nflogctl complete -- WORD...: what can stand in place of the last word, for the scripts of nflogctl
 * completion. A candidate on a line, perhaps a tab and what it is; a line of a tab and "files" leaves
 * it to the shell. Whatever is wrong, there are only fewer candidates: a prompt is no place for
 * complaints, nor to wait for a server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "commands.h"
#include "options.h"
#include "printable.h"
#include "settings.h"

#define DEADLINE_MS 400 /* for each question to a server */
#define SERVERS_MAX 4

/* Values that are words; those of a command come before those of all. */
static const struct {
	const struct command *command; /* NULL: any */
	const char *option;
	const char *words;
} value_words[] = {
    {&command_subscribe, "output", "compact table hex json protojson raw pcapng"},
    {&command_subscribe, "time-format", "clock date rfc3339 epoch relative delta none"},
    {&command_subscribe, "link", "nflog raw"},
    {NULL, "output", "table json"},
    {NULL, "color", "auto always never"},
    {NULL, "view", "basic full raw"},
    {NULL, "slow", "drop disconnect"},
    {NULL, "proto", "tcp udp icmp icmpv6 sctp udplite esp ah gre"},
    {NULL, "ip-version", "4 6"},
    {NULL, "hook", "prerouting input forward output postrouting ingress egress"},
    {NULL, "ether-type", "ip ip6 arp"},
    {NULL, "family", "ipv4 ipv6 arp netdev bridge"},
};

static const struct {
	const struct command *command;
	const char *words;
} argument_words[] = {
    {&command_list, "netns sources"},
    {&command_completion, "bash zsh fish"},
};

/* What the words before the last one say about it. */
struct place {
	const struct command *command;      /* NULL: still in front of it */
	const struct option_spec *expected; /* the next word is its value; or NULL */
	bool expected_is_common;
	bool unknown;     /* a command that there is not */
	bool help;        /* of a command */
	bool no_options;  /* behind "--" */
	size_t arguments; /* of the command, so far */
	struct common common;
};

/* --- candidates -------------------------------------------------------------------------- */

/* @before: what the word begins with and the name does not, as "--netns=". */
static void offer(const char *before, const char *name, const char *word, const char *what)
{
	size_t len = strlen(before), word_len = strlen(word);

	/* What could be taken for the end of a candidate, or would move the cursor, is none. */
	if (printable_run(name, strlen(name)) != strlen(name) || word_len < len ||
	    strncmp(name, word + len, word_len - len) != 0)
		return;
	(void)printf("%s%s%s%.*s\n", before, name, *what ? "\t" : "", (int)strcspn(what, "\n"),
		     what);
}

static void offer_words(const char *before, const char *words, const char *word)
{
	while (*words) {
		size_t len = strcspn(words, " ");
		char one[64];

		(void)snprintf(one, sizeof(one), "%.*s", (int)len, words);
		offer(before, one, word, "");
		words += len + (words[len] == ' ');
	}
}

static void offer_commands(const char *word)
{
	const struct command *command;

	for (size_t i = 0; (command = commands_at(i)); i++)
		if (command->summary)
			offer("", command->name, word, command->summary);
	offer("", "help", word, "print the help of a command");
}

static void offer_options(const struct option_spec *specs, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "--%s", specs[i].name);
		offer("", name, word, specs[i].help);
	}
}

/* --- live names -------------------------------------------------------------------------- */

static void netns_list_freep(struct nfl_client_netns_list **list)
{
	nfl_client_netns_list_free(*list);
}

static void offer_groups(const struct nfl_client_netns *netns, const char *before, const char *word)
{
	for (size_t i = 0; i < netns->group_count; i++) {
		char group[8];

		(void)snprintf(group, sizeof(group), "%u", netns->groups[i]);
		offer(before, group, word, "");
	}
}

static void offer_names_of(const struct common *common, const char *server, bool groups,
			   const char *before, const char *word)
{
	CLEANUP(client_freep) struct nfl_client *client = NULL;
	CLEANUP(netns_list_freep) struct nfl_client_netns_list *list = NULL;

	if (open_server(common, server, &client) != EXIT_DONE ||
	    nfl_client_list_netns(client, DEADLINE_MS, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list->count; i++) {
		if (groups)
			offer_groups(&list->items[i], before, word);
		else
			offer(before, list->items[i].name, word, "");
	}
}

static void offer_names(struct place *place, bool groups, const char *before, const char *word)
{
	const struct common *common = &place->common;

	if (!common->connect_timeout_ms)
		place->common.connect_timeout_ms = DEADLINE_MS;
	if (settings_apply(place->command, &place->common) != EXIT_DONE)
		return;
	for (size_t i = 0; i < server_count(common) && i < SERVERS_MAX; i++)
		offer_names_of(common, server_address(common, i), groups, before, word);
}

/* --- values ------------------------------------------------------------------------------ */

static const char *words_of(const struct place *place, const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_words); i++)
		if (strcmp(value_words[i].option, option) == 0 &&
		    (!value_words[i].command || value_words[i].command == place->command))
			return value_words[i].words;
	return NULL;
}

static void offer_values(struct place *place, const struct option_spec *spec, const char *before,
			 const char *word)
{
	const char *words = words_of(place, spec->name);

	if (words)
		offer_words(before, words, word);
	else if (strcmp(spec->metavar, "FILE") == 0)
		(void)puts("\tfiles");
	else if (strcmp(spec->name, "netns") == 0 || strcmp(spec->name, "group") == 0)
		offer_names(place, spec->name[0] == 'g', before, word);
}

/* --option=WORD */
static void offer_joined(struct place *place, const char *word)
{
	size_t len = strcspn(word, "=");
	bool is_common;
	const struct option_spec *spec =
	    options_lookup(place->command, word + 2, len - 2, 0, &is_common);
	char before[64];

	if (!spec || !spec->metavar || len + 2 > sizeof(before))
		return;
	(void)snprintf(before, sizeof(before), "%.*s=", (int)len, word);
	offer_values(place, spec, before, word);
}

static void offer_arguments(const struct place *place, const char *word)
{
	if (place->help || !place->command) {
		if (place->arguments == 0)
			offer_commands(word);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(argument_words); i++)
		if (argument_words[i].command == place->command && place->arguments == 0)
			offer_words("", argument_words[i].words, word);
}

static void offer_word(struct place *place, const char *word)
{
	const struct option_spec *common_options;
	size_t count = options_common(&common_options);

	if (place->unknown)
		return;
	if (place->expected) {
		/* bash makes a word of its own of the "=" in --option=WORD. */
		offer_values(place, place->expected, "", strcmp(word, "=") == 0 ? "" : word);
	} else if (place->no_options || word[0] != '-') {
		offer_arguments(place, word);
	} else if (strchr(word, '=') && word[1] == '-') {
		offer_joined(place, word);
	} else {
		if (place->command)
			offer_options(place->command->options, place->command->option_count, word);
		offer_options(common_options, count, word);
	}
}

/* --- the words before -------------------------------------------------------------------- */

/* Common options say which server to ask, and how. */
static void take_value(struct place *place, const struct option_spec *spec, bool is_common,
		       const char *value)
{
	if (is_common && spec->parse(value, (char *)&place->common + spec->offset) == NULL)
		(void)settings_note_option(spec->name, value);
}

static void take_option(struct place *place, const struct option_spec *spec, bool is_common,
			const char *value)
{
	if (!spec->metavar) {
		take_value(place, spec, is_common, "true");
	} else if (value) {
		take_value(place, spec, is_common, value);
	} else {
		place->expected = spec;
		place->expected_is_common = is_common;
	}
}

static void take_long(struct place *place, const char *word)
{
	size_t len = strcspn(word, "=");
	bool is_common = false;
	const struct option_spec *spec =
	    options_lookup(place->command, word + 2, len - 2, 0, &is_common);

	if (spec)
		take_option(place, spec, is_common, word[len] ? word + len + 1 : NULL);
}

/* -qg100: letters, the last one perhaps with its value. */
static void take_letters(struct place *place, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		bool is_common = false;
		const struct option_spec *spec =
		    options_lookup(place->command, NULL, 0, *letter, &is_common);

		if (!spec)
			continue;
		take_option(place, spec, is_common, letter[1] ? letter + 1 : NULL);
		if (spec->metavar)
			return;
	}
}

static void take_argument(struct place *place, const char *word)
{
	if (place->command || place->help) {
		place->arguments++;
		return;
	}
	place->help = strcmp(word, "help") == 0;
	place->command = commands_find(word);
	place->unknown = !place->help && !place->command;
}

static void take_word(struct place *place, const char *word)
{
	if (place->expected) {
		if (strcmp(word, "=") == 0)
			return;
		take_value(place, place->expected, place->expected_is_common, word);
		place->expected = NULL;
	} else if (!place->no_options && strcmp(word, "--") == 0) {
		place->no_options = true;
	} else if (place->no_options || word[0] != '-' || word[1] == '\0') {
		take_argument(place, word);
	} else if (word[1] == '-') {
		take_long(place, word);
	} else {
		take_letters(place, word);
	}
}

static int run(const struct command *command, const struct common *common, int argc, char **argv)
{
	static struct place place; /* its lists are never freed */

	(void)command;
	(void)common;
	for (int i = 0; i + 1 < argc; i++)
		take_word(&place, argv[i]);
	offer_word(&place, argc > 0 ? argv[argc - 1] : "");
	return EXIT_DONE;
}

/* Without a summary: for scripts, not for people. */
const struct command command_complete = {
    .name = "complete",
    .arguments = "-- WORD...",
    .text = "Print what can stand in place of the last word: for the scripts of completion.",
    .bare = true,
    .run = run,
};
