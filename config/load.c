/* SPDX-License-Identifier: MIT */
/*
 * The way in: bytes of a file, within the limits, through the tree and the schema to a struct
 * config. Who calls it gets either the configuration or all that is wrong with the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "schema.h"

/* Listens here when a file has no key 'listen'. */
#define DEFAULT_SOCKET "/run/nflogd/nflogd.sock"
#define DEFAULT_MODE   0660

static const struct config_mark no_mark; /* about the file as a whole */

static void config_freep(struct config **config)
{
	config_free(*config);
}

static void add_default_listen(struct problems *problems, struct config *config)
{
	config->listens = calloc(1, sizeof(*config->listens));
	if (config->listens) {
		config->listen_count = 1;
		config->listens->mode = DEFAULT_MODE;
		config->listens->unix_path = strdup(DEFAULT_SOCKET);
	}
	if (!config->listens || !config->listens->unix_path)
		problems->no_memory = true;
}

static void read_config(struct problems *problems, const char *text, size_t len,
			struct config *config)
{
	CLEANUP(tree_freep) struct node *root = NULL;

	if (!text_check(problems, text, len))
		return;
	root = tree_parse(problems, text, len);
	if (!root) {
		if (!config_problem_count(problems) && !problems->no_memory)
			config_problem_add(problems, text_mark(text, 0),
					   "empty: expected a map with the key 'tenants'");
		return;
	}
	if (root->kind == NODE_MAP)
		walk_map(problems, &schema_root, root, config);
	else
		config_problem_add(problems, root->mark, "expected a map with the key 'tenants'");
	if (!config->listens)
		add_default_listen(problems, config);
}

static int load(struct problems *problems, const char *text, size_t len, struct config **ret)
{
	CLEANUP(config_freep) struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return -ENOMEM;
	if (len > CONFIG_FILE_MAX_BYTES)
		config_problem_add(problems, no_mark, "more than %zu bytes", CONFIG_FILE_MAX_BYTES);
	else
		read_config(problems, text, len, config);
	config_problem_sort(problems);
	config->path = strdup(problems->path);
	if (problems->no_memory || !config->path)
		return -ENOMEM;
	if (config_problem_count(problems))
		return -EINVAL;
	config->load_time_ns = realtime_ns();
	*ret = TAKE_PTR(config);
	return 0;
}

/* Without memory part of the file was not seen: what is wrong with the rest means nothing. */
static int end_load(int r, struct config_errors *errors)
{
	if (r == -ENOMEM)
		config_errors_done(errors);
	return r;
}

int config_load_text(const char *name, const char *text, size_t len, struct config **ret,
		     struct config_errors *errors)
{
	struct problems problems = {.path = name, .errors = errors};

	*errors = (struct config_errors){0};
	return end_load(load(&problems, text, len, ret), errors);
}

int config_load_file(const char *path, struct config **ret, struct config_errors *errors)
{
	struct problems problems = {.path = path, .errors = errors};
	/* One byte more than allowed shows a file that is too large. */
	CLEANUP(freep) char *text = malloc(CONFIG_FILE_MAX_BYTES + 1);
	size_t len = 0;
	int r;

	*errors = (struct config_errors){0};
	if (!text)
		return -ENOMEM;
	r = config_file_read(path, text, CONFIG_FILE_MAX_BYTES + 1, &len);
	if (r < 0) {
		config_problem_add(&problems, no_mark, "cannot be read: %s", strerror(-r));
		return end_load(problems.no_memory ? -ENOMEM : r, errors);
	}
	return end_load(load(&problems, text, len, ret), errors);
}
