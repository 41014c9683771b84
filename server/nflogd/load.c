/* SPDX-License-Identifier: MIT */
/*
 * Where the configuration comes from. What the command line says is written as YAML and read by the
 * same loader as a file, so that both are checked by the same rules and give the same messages. What
 * the file alone cannot tell, because it depends on users and files of the system, is found when a
 * policy is made of it, and told in the same form.
 */
#include "load.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nfl/render.h>

#include "cleanup.h"
#include "config.h"
#include "options.h"
#include "plan.h"
#include "policy.h"

#define NAME_FROM_OPTIONS "command line"
#define UNIX_SCHEME       "unix:"

static void config_freep(struct config **config)
{
	config_free(*config);
}

static void print_more(size_t more, FILE *out)
{
	if (more)
		(void)fprintf(out, "... and %zu more\n", more);
}

static void print_errors(const struct config_errors *errors, FILE *out)
{
	char line[1024];

	for (size_t i = 0; i < errors->count; i++) {
		(void)config_error_render(&errors->items[i], line, sizeof(line));
		(void)fprintf(out, "%s\n", line);
	}
	print_more(errors->more, out);
}

/* --- YAML from options ------------------------------------------------------------------- */

/* A double-quoted scalar. JSON's escapes are YAML's. */
static void put_quoted(FILE *out, const char *text)
{
	char escaped[6 * OPTIONS_TEXT_MAX + 1]; /* the longest escape is \uXXXX */

	(void)nfl_escape_json(escaped, sizeof(escaped), text, strlen(text));
	(void)fprintf(out, "\"%s\"", escaped);
}

static bool has_scheme(const char *address)
{
	return strncmp(address, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0;
}

static bool is_tcp(const char *address)
{
	return !has_scheme(address) && *address != '/';
}

static void put_listens(FILE *out, const struct options_list *listens)
{
	if (listens->count)
		(void)fputs("listen:\n", out);
	for (size_t i = 0; i < listens->count; i++) {
		const char *address = listens->items[i];

		(void)fputs(is_tcp(address) ? "  - tcp: " : "  - unix: ", out);
		put_quoted(out, has_scheme(address) ? address + strlen(UNIX_SCHEME) : address);
		(void)fputc('\n', out);
	}
}

static void put_netns(FILE *out, const char *netns)
{
	static const char pid[] = "pid:";

	if (strncmp(netns, pid, sizeof(pid) - 1) == 0) {
		netns += sizeof(pid) - 1;
		(void)fputs("{ pid: ", out);
		if (netns[strspn(netns, "0123456789")] == '\0')
			(void)fputs(netns, out);
		else
			put_quoted(out, netns); /* for the loader to refuse */
		(void)fputs(" }", out);
	} else if (*netns == '/') {
		(void)fputs("{ path: ", out);
		put_quoted(out, netns);
		(void)fputs(" }", out);
	} else {
		put_quoted(out, netns);
	}
}

static void put_source(FILE *out, const char *netns, const struct options_list *groups)
{
	(void)fputs("      - netns: ", out);
	put_netns(out, netns);
	(void)fputs("\n        groups: [", out);
	for (size_t i = 0; i < groups->count; i++)
		(void)fprintf(out, strchr(groups->items[i], '-') ? "%s\"%s\"" : "%s%s",
			      i ? ", " : "", groups->items[i]);
	(void)fputs(groups->count ? "]\n" : "100]\n", out);
}

/* Root, who started nflogd, and where an address of TCP was given whoever can connect to it: no
 * option makes it anything but plaintext on loopback. */
static void put_identities(FILE *out, const struct options *options)
{
	bool tcp = false;

	for (size_t i = 0; i < options->listens.count; i++)
		tcp |= is_tcp(options->listens.items[i]);
	(void)fputs("    identities: [{ unix_uid: 0 }", out);
	if (options->user != 0)
		(void)fprintf(out, ", { unix_uid: %u }", options->user);
	(void)fputs(tcp ? ", { loopback: true }]\n" : "]\n", out);
}

static void put_tenant(FILE *out, const struct options *options)
{
	(void)fputs("tenants:\n"
		    "  - name: local\n",
		    out);
	put_identities(out, options);
	(void)fputs("    sources:\n", out);
	for (size_t i = 0; i < options->netns.count; i++)
		put_source(out, options->netns.items[i], &options->groups);
	if (options->netns.count == 0) {
		put_source(out, "host", &options->groups);
		put_source(out, "*", &options->groups);
	}
}

/* The whole command line as a configuration. */
static int load_options(const struct options *options, struct config **ret,
			struct config_errors *errors)
{
	CLEANUP(freep) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	*errors = (struct config_errors){0};
	if (!out)
		return -ENOMEM;
	put_listens(out, &options->listens);
	put_tenant(out, options);
	if (fclose(out) != 0)
		return -ENOMEM;
	return config_load_text(NAME_FROM_OPTIONS, text, len, ret, errors);
}

/* --- choosing ---------------------------------------------------------------------------- */

/* The listeners of the command line in place of the file's. */
static void take_listens(struct config *config, struct config *from)
{
	struct config_listen *listens = config->listens;
	size_t count = config->listen_count;

	config->listens = from->listens;
	config->listen_count = from->listen_count;
	from->listens = listens; /* freed with it */
	from->listen_count = count;
}

/* The file to read; NULL: none. Of the default file, anything but "there is none" is for the loader
 * to complain about. */
static const char *choose_file(const struct options *options, const char *default_path)
{
	if (options->config_path)
		return options->config_path;
	if (options->netns.count || options->groups.count)
		return NULL;
	return access(default_path, F_OK) == 0 || errno != ENOENT ? default_path : NULL;
}

static int load_base(const struct options *options, const char *path, struct config **ret,
		     struct config_errors *errors)
{
	if (path)
		return config_load_file(path, ret, errors);
	if (options->netns.count || options->groups.count || options->listens.count)
		return load_options(options, ret, errors);
	*errors = (struct config_errors){0};
	*ret = config_new_default(options->user);
	return *ret ? 0 : -ENOMEM;
}

static int report(int r, struct config_errors *errors, FILE *err_out)
{
	print_errors(errors, err_out);
	if (r < 0 && errors->count == 0)
		(void)fprintf(err_out, "nflogd: no configuration: %s\n", strerrordesc_np(-r));
	config_errors_done(errors);
	return r;
}

int load_config(const struct options *options, const char *default_path, struct config **ret,
		bool *ret_is_file, FILE *err_out)
{
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(config_freep) struct config *on_top = NULL;
	const char *path = choose_file(options, default_path);
	struct config_errors errors;
	int r = report(load_base(options, path, &config, &errors), &errors, err_out);

	if (r < 0)
		return r;
	if (path && options->listens.count) {
		r = report(load_options(options, &on_top, &errors), &errors, err_out);
		if (r < 0)
			return r;
		take_listens(config, on_top);
	}
	*ret_is_file = path != NULL;
	*ret = TAKE_PTR(config);
	return 0;
}

/* --- the policy -------------------------------------------------------------------------- */

static void print_problem(const struct policy_problem *problem, const char *path, FILE *out)
{
	(void)fprintf(out, "%s:%u:%u: %s%s\n", path, problem->line, problem->column,
		      problem->is_error ? "" : "warning: ", problem->text);
}

int load_policy(const struct config *config, const char *path, struct policy **ret, FILE *err_out)
{
	CLEANUP(plan_tenants_done) struct plan_tenants plan = {0};
	CLEANUP(policy_problems_done) struct policy_problems problems = {0};
	struct policy_problem wrong_filter;
	int r = plan_tenants(config, &plan, &wrong_filter);

	if (r == -EINVAL)
		print_problem(&wrong_filter, path, err_out);
	if (r == 0)
		r = policy_new(plan.specs, plan.count, ret, &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_problem(&problems.items[i], path, err_out);
	print_more(problems.more, err_out);
	if (r < 0 && r != -EINVAL)
		(void)fprintf(err_out, "%s: no policy: %s\n", path, strerrordesc_np(-r));
	return r;
}
