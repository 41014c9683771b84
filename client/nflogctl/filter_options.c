/* SPDX-License-Identifier: MIT */
/* Options into terms. What a value means is said by config/: the same texts as in nflogd.yaml. */
#include "filter_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "expression.h"
#include "filter_value.h"

/* Another term at the end; NULL without memory. */
static struct nfl_filter_term *add_term(struct filter_terms *terms)
{
	struct nfl_filter_term *items =
	    reallocarray(terms->items, terms->count + 1, sizeof(*items));

	if (!items)
		return NULL;
	terms->items = items;
	items[terms->count] = (struct nfl_filter_term){.size = sizeof(*items)};
	return &items[terms->count++];
}

/* The term that the option at hand belongs to. */
static struct nfl_filter_term *current_term(struct filter_settings *settings)
{
	struct filter_terms *include = &settings->include;

	if (settings->is_not)
		return add_term(&settings->exclude);
	if (include->count > 0 && !settings->is_or)
		return &include->items[include->count - 1];
	settings->is_or = false;
	return add_term(include);
}

static const char *add_value(struct filter_settings *settings, const char *key, const char *value)
{
	static char expected[FILTER_EXPECTED_BYTES];
	struct nfl_filter_term *term = current_term(settings);

	settings->is_not = false;
	switch (term ? filter_value_add(term, key, value, expected) : -ENOMEM) {
	case 0:
		return NULL;
	case -EINVAL:
		return expected;
	default:
		return option_no_memory;
	}
}

#define FILTER_OPTION(name, key)                                                                   \
	const char *filter_##name(const char *value, void *field)                                  \
	{                                                                                          \
		return add_value(field, key, value);                                               \
	}

FILTER_OPTION(src, "source_address")
FILTER_OPTION(dst, "destination_address")
FILTER_OPTION(host, "any_address")
FILTER_OPTION(sport, "source_port")
FILTER_OPTION(dport, "destination_port")
FILTER_OPTION(port, "any_port")
FILTER_OPTION(proto, "protocol")
FILTER_OPTION(ip_version, "ip_version")
FILTER_OPTION(tcp_flags, "tcp_flags")
FILTER_OPTION(icmp_type, "icmp_type")
FILTER_OPTION(prefix, "prefix")
FILTER_OPTION(mark, "mark")
FILTER_OPTION(hook, "hook")
FILTER_OPTION(interface, "any_interface")
FILTER_OPTION(in, "input_interface")
FILTER_OPTION(out, "output_interface")
FILTER_OPTION(uid, "uid")
FILTER_OPTION(gid, "gid")
FILTER_OPTION(mac, "hw_address")
FILTER_OPTION(vlan, "vlan_id")
FILTER_OPTION(ether_type, "hw_protocol")
FILTER_OPTION(family, "family")

const char *filter_not(const char *value, void *field)
{
	struct filter_settings *settings = field;

	(void)value;
	settings->is_not = true;
	return NULL;
}

const char *filter_or(const char *value, void *field)
{
	struct filter_settings *settings = field;

	(void)value;
	settings->is_or = true;
	return NULL;
}

/* --- the end of the command line ---------------------------------------------------------------- */

/* Each term has a copy of its own. */
static int put_program(struct filter_terms *terms, struct nfl_bytes program)
{
	for (size_t i = 0; i < terms->count; i++) {
		uint8_t *copy = malloc(program.len);

		if (!copy)
			return -ENOMEM;
		memcpy(copy, program.data, program.len);
		terms->items[i].bpf = (struct nfl_bytes){copy, program.len};
	}
	return 0;
}

static int take_expression(struct filter_settings *settings, int argc, char **argv)
{
	struct nfl_bytes program;
	char *error = NULL;
	int r = expression_compile(argc, argv, &program, &error);

	if (r == -EINVAL)
		r = complain_usage(&command_subscribe, "%s", error);
	free(error);
	if (r != 0)
		return r < 0 ? complain_memory() : r;
	if (settings->include.count == 0 && !add_term(&settings->include))
		r = -ENOMEM;
	if (r == 0)
		r = put_program(&settings->include, program);
	expression_free(program);
	return r < 0 ? complain_memory() : EXIT_DONE;
}

/* By the server's own code: a mistake is told before anybody is asked. */
static int check(const struct filter_settings *settings)
{
	struct nfl_filter *filter;
	struct nfl_error err;
	int r = nfl_filter_new(settings->include.items, settings->include.count,
			       settings->exclude.items, settings->exclude.count, &filter, &err);

	if (r == -ENOMEM)
		return complain_memory();
	if (r < 0)
		return complain_usage(&command_subscribe, "%s", err.text);
	nfl_filter_free(filter);
	return EXIT_DONE;
}

int filter_finish(struct filter_settings *settings, int argc, char **argv)
{
	int r = EXIT_DONE;

	if (settings->is_not || settings->is_or)
		return complain_usage(&command_subscribe, "--%s: nothing follows it to filter by",
				      settings->is_not ? "not" : "or");
	if (argc > 0)
		r = take_expression(settings, argc, argv);
	return r == EXIT_DONE ? check(settings) : r;
}

static void terms_done(struct filter_terms *terms)
{
	for (size_t i = 0; i < terms->count; i++) {
		void *program;

		memcpy(&program, &terms->items[i].bpf.data, sizeof(program)); /* ours */
		free(program);
		filter_value_done(&terms->items[i]);
	}
	free(terms->items);
	*terms = (struct filter_terms){0};
}

void filter_settings_done(struct filter_settings *settings)
{
	terms_done(&settings->include);
	terms_done(&settings->exclude);
}
