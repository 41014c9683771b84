/* SPDX-License-Identifier: MIT */
/* One table of what can be set outside of the command line, and where each value comes from. */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli.h"
#include "options.h"
#include "pairs.h"

struct setting settings_all[SETTING_COUNT] = {
    {.option = "server", .initial = NFL_CLIENT_DEFAULT_SERVER},
    {.option = "connect-timeout", .initial = "5"},
    {.option = "tls", .initial = "false"},
    {.option = "tls-ca"},
    {.option = "tls-cert"},
    {.option = "tls-key"},
    {.option = "tls-name"},
    {.option = "token-file"},
    {.option = "color", .initial = "auto"},
    {.option = "utc", .initial = "false"},
};

static struct config_pairs file; /* what is in force points into it */
static bool file_read;

/* --- names ------------------------------------------------------------------------------- */

void settings_environment_name(const char *option, char buf[SETTING_NAME_MAX])
{
	(void)snprintf(buf, SETTING_NAME_MAX, "NFLOGCTL_%s", option);
	for (char *at = buf; *at; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

void settings_key(const char *option, char buf[SETTING_NAME_MAX])
{
	(void)snprintf(buf, SETTING_NAME_MAX, "%s", option);
	for (char *at = buf; *at; at++)
		*at = *at == '-' ? '_' : *at;
}

static struct setting *find_setting(const char *option)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(settings_all[i].option, option) == 0)
			return &settings_all[i];
	return NULL;
}

static struct setting *find_key(const char *key)
{
	char name[SETTING_NAME_MAX];

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		settings_key(settings_all[i].option, name);
		if (strcmp(name, key) == 0)
			return &settings_all[i];
	}
	return NULL;
}

enum setting_origin settings_origin(const char *option)
{
	const struct setting *setting = find_setting(option);

	return setting ? setting->origin : SETTING_DEFAULT;
}

/* --- values ------------------------------------------------------------------------------ */

static int add_text(struct setting *setting, enum setting_origin origin, const char *text)
{
	const char **grown = reallocarray(setting->texts, setting->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	setting->texts = grown;
	grown[setting->count++] = text;
	setting->origin = origin;
	return 0;
}

int settings_note_option(const char *option, const char *text)
{
	struct setting *setting = find_setting(option);

	if (!setting)
		return 0;
	if (!option_is_list(option))
		setting->count = 0; /* the last one is in force */
	return add_text(setting, SETTING_OPTION, text ? text : "true");
}

/* A flag takes no value on the command line; elsewhere it says which. */
static const char *parse_setting(const struct option_spec *spec, const char *text, void *field)
{
	if (spec->metavar)
		return *text ? spec->parse(text, field) : "a value";
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return "true or false";
	*(bool *)field = *text == 't';
	return NULL;
}

/* --- the file ---------------------------------------------------------------------------- */

/* Large enough for every field that a setting has. */
union scratch {
	struct text_list texts;
	uint64_t number;
	bool flag;
};

/* What is wrong with the value, without keeping it. */
static const char *check_value(const struct option_spec *spec, const char *text)
{
	union scratch scratch = {0};
	const char *expected = parse_setting(spec, text, &scratch);

	if (option_is_list(spec->name))
		free(scratch.texts.items);
	return expected;
}

static int check_pair(const struct config_pair *pair, struct config_errors *errors)
{
	const struct setting *setting = find_key(pair->key);
	const struct option_spec *spec = setting ? options_find(setting->option) : NULL;
	const char *expected;

	if (!spec) {
		config_pairs_wrong(&file, pair->key_mark, errors,
				   "unknown key '%s'; nflogctl config lists those there are",
				   pair->key);
		return EXIT_DONE;
	}
	expected = pair->listed && !option_is_list(spec->name) ? "one value, not a list"
							       : check_value(spec, pair->value);
	if (expected == option_no_memory)
		return complain_memory();
	if (expected)
		config_pairs_wrong(&file, pair->mark, errors, "%s: expected %s, not '%s'",
				   pair->key, expected, pair->value);
	return EXIT_DONE;
}

static int complain_errors(const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		char text[2048];

		(void)config_error_render(&errors->items[i], text, sizeof(text));
		complain("%s", text);
	}
	if (errors->more)
		complain("and %zu more errors", errors->more);
	return EXIT_USAGE;
}

static int read_file(const char *path, bool named)
{
	CLEANUP(config_errors_done) struct config_errors errors = {0};
	int r = config_pairs_load(path, &file, &errors);

	/* One that nobody named, in a home that may be another user's, need not be there. */
	if (!named && (r == -ENOENT || r == -ENOTDIR || r == -EACCES))
		return EXIT_DONE;
	for (size_t i = 0; (r == 0 || r == -EINVAL) && i < file.count; i++)
		if (check_pair(&file.items[i], &errors) != EXIT_DONE)
			return EXIT_ERROR;
	file_read = r == 0;
	if (errors.count)
		return complain_errors(&errors);
	if (r == 0)
		return EXIT_DONE;
	complain("%s: cannot be read: %s", path, strerror(-r));
	return EXIT_ERROR;
}

/* $XDG_CONFIG_HOME, else ~/.config. @ret: NULL: none. 0 or -ENOMEM. */
static int default_path(const char **ret)
{
	static char *path; /* owned, until the end of the program */
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int len = 0;

	if (!path && base && base[0] == '/')
		len = asprintf(&path, "%s/nflogctl/config.yaml", base);
	else if (!path && home && *home)
		len = asprintf(&path, "%s/.config/nflogctl/config.yaml", home);
	if (len < 0)
		path = NULL;
	*ret = path;
	return len < 0 ? -ENOMEM : 0;
}

/* By --config, else by the environment, where an empty name is no file. */
static int file_path(const struct common *common, const char **ret, bool *ret_named)
{
	const char *path = common->config ? common->config : getenv("NFLOGCTL_CONFIG");

	*ret_named = path != NULL;
	if (!path)
		return default_path(ret);
	*ret = *path ? path : NULL;
	return 0;
}

const char *settings_file(bool *ret_read)
{
	*ret_read = file_read;
	return file.path;
}

/* --- from all of them -------------------------------------------------------------------- */

/* A list in the environment has commas. */
static int take_environment(struct setting *setting, const char *name, const char *value)
{
	const char *separators = option_is_list(setting->option) ? "," : "";
	char *copy = strdup(value), *rest = copy, *text; /* until the end of the program */

	setting->where = strdup(name);
	if (!copy || !setting->where)
		goto fail;
	while ((text = strsep(&rest, separators)))
		if (add_text(setting, SETTING_ENVIRONMENT, text) < 0)
			goto fail;
	return EXIT_DONE;
fail:
	free(copy);
	return complain_memory();
}

static int take_file(struct setting *setting)
{
	for (size_t i = 0; i < file.count; i++) {
		const struct config_pair *pair = &file.items[i];

		if (find_key(pair->key) != setting)
			continue;
		if (add_text(setting, SETTING_FILE, pair->value) < 0)
			return complain_memory();
		if (!setting->where && asprintf(&setting->where, "%s:%u:%u", file.path,
						pair->mark.line, pair->mark.column) < 0)
			return complain_memory();
	}
	return EXIT_DONE;
}

/* The file's values were looked at with the rest of it. */
static int check_environment(const struct setting *setting)
{
	const struct option_spec *spec = options_find(setting->option);

	for (size_t i = 0; i < setting->count; i++) {
		const char *expected = check_value(spec, setting->texts[i]);

		if (expected == option_no_memory)
			return complain_memory();
		if (expected)
			return complain_usage(NULL, "%s=%s: expected %s", setting->where,
					      setting->texts[i], expected);
	}
	return EXIT_DONE;
}

static int find_value(struct setting *setting)
{
	char name[SETTING_NAME_MAX];
	const char *value;
	int r;

	if (setting->origin == SETTING_OPTION)
		return EXIT_DONE;
	settings_environment_name(setting->option, name);
	value = getenv(name);
	if (!value || !*value)
		return take_file(setting);
	r = take_environment(setting, name, value);
	return r == EXIT_DONE ? check_environment(setting) : r;
}

static int put_values(const struct setting *setting, const struct option_spec *spec, void *fields)
{
	if (setting->origin == SETTING_OPTION || setting->origin == SETTING_DEFAULT)
		return EXIT_DONE;
	for (size_t i = 0; i < setting->count; i++) {
		if (parse_setting(spec, setting->texts[i], (char *)fields + spec->offset))
			return complain_memory(); /* the value was looked at before */
	}
	return EXIT_DONE;
}

static int put_all(const struct option_spec *specs, size_t count, void *fields)
{
	int r = EXIT_DONE;

	for (size_t i = 0; i < count && r == EXIT_DONE; i++) {
		const struct setting *setting = find_setting(specs[i].name);

		if (setting)
			r = put_values(setting, &specs[i], fields);
	}
	return r;
}

int settings_apply(const struct command *command, struct common *common)
{
	const struct option_spec *specs;
	bool named = false;
	const char *path = NULL;
	int r = file_path(common, &path, &named) < 0 ? complain_memory() : EXIT_DONE;
	size_t count = options_common(&specs);

	if (r == EXIT_DONE && path)
		r = read_file(path, named);
	for (size_t i = 0; i < SETTING_COUNT && r == EXIT_DONE; i++)
		r = find_value(&settings_all[i]);
	if (r == EXIT_DONE)
		r = put_all(specs, count, common);
	if (r == EXIT_DONE && command)
		r = put_all(command->options, command->option_count, command->settings);
	return r;
}
