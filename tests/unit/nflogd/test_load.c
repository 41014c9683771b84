/* SPDX-License-Identifier: MIT */
/* load: the configuration that a command line makes */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "config.h"
#include "load.h"
#include "options.h"
#include "policy.h"

#define NO_FILE "/tmp/nfl-test-nosuch.yaml"

struct fixture {
	struct config *config;
	char *errors;
	bool is_file;
	char path[64]; /* of a file with one source and one listener */
};

static const char file_text[] = "listen:\n"
				"  - unix: /tmp/from-file.sock\n"
				"tenants:\n"
				"  - name: red\n"
				"    identities: [{ unix_uid: 0 }]\n"
				"    sources:\n"
				"      - { netns: from-file, groups: [1] }\n";

static int setup(void **state)
{
	static struct fixture f;
	int fd;

	memset(&f, 0, sizeof(f));
	strcpy(f.path, "/tmp/nfl-test-XXXXXX");
	fd = mkstemp(f.path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file_text, sizeof(file_text) - 1), sizeof(file_text) - 1);
	close(fd);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	config_free(f->config);
	free(f->errors);
	return unlink(f->path);
}

static int load(struct fixture *f, const struct options *options, const char *default_path)
{
	size_t len = 0;
	FILE *out;
	int r;

	free(f->errors);
	out = open_memstream(&f->errors, &len);
	assert_non_null(out);
	r = load_config(options, default_path, &f->config, &f->is_file, out);
	fclose(out);
	return r;
}

#define LIST(...)                                                                                  \
	{                                                                                          \
		.items = (const char *[]){__VA_ARGS__},                                            \
		.count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *),             \
	}

static void without_anything_the_embedded_default_runs(void **state)
{
	struct fixture *f = *state;
	struct options options = {0};

	assert_int_equal(load(f, &options, NO_FILE), 0);
	assert_int_equal(f->config->listen_count, 1);
	assert_string_equal(f->config->listens[0].unix_path, "/run/nflogd/nflogd.sock");
	assert_string_equal(f->config->tenants[0].name, "local");
	assert_false(f->is_file);
	assert_string_equal(f->errors, "");
}

static void default_file_is_read_when_it_exists(void **state)
{
	struct fixture *f = *state;
	struct options options = {0};

	assert_int_equal(load(f, &options, f->path), 0);
	assert_string_equal(f->config->tenants[0].name, "red");
	assert_true(f->is_file);
}

static void named_file_that_does_not_exist_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct options options = {.config_path = NO_FILE};

	assert_true(load(f, &options, f->path) < 0);
	assert_non_null(strstr(f->errors, NO_FILE));
	assert_null(f->config);
}

static void every_kind_of_selector_can_be_given_ad_hoc(void **state)
{
	struct fixture *f = *state;
	struct options options = {
	    .netns = LIST("red", "cni-*", "host", "/proc/1/ns/net", "pid:42", "we\"ird: name"),
	    .groups = LIST("7", "110-119"),
	};
	const struct config_tenant *tenant;

	assert_int_equal(load(f, &options, f->path), 0);
	tenant = &f->config->tenants[0];
	assert_int_equal(tenant->source_count, 6);
	assert_false(f->is_file); /* although the default one exists */
	assert_int_equal(tenant->sources[0].netns_kind, CONFIG_NETNS_NAME);
	assert_int_equal(tenant->sources[1].netns_kind, CONFIG_NETNS_GLOB);
	assert_int_equal(tenant->sources[2].netns_kind, CONFIG_NETNS_HOST);
	assert_int_equal(tenant->sources[3].netns_kind, CONFIG_NETNS_PATH);
	assert_string_equal(tenant->sources[3].netns, "/proc/1/ns/net");
	assert_int_equal(tenant->sources[4].netns_kind, CONFIG_NETNS_PID);
	assert_int_equal(tenant->sources[4].pid, 42);
	assert_string_equal(tenant->sources[5].netns, "we\"ird: name");
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(tenant->sources[i].group_count, 2);
		assert_int_equal(tenant->sources[i].groups[0].first, 7);
		assert_int_equal(tenant->sources[i].groups[1].last, 119);
	}
}

static void group_alone_is_read_of_host_and_all_names_and_netns_alone_group_100(void **state)
{
	struct fixture *f = *state;
	struct options group = {.groups = LIST("7")};
	struct options netns = {.netns = LIST("red")};
	const struct config_source *sources;

	assert_int_equal(load(f, &group, NO_FILE), 0);
	assert_int_equal(f->config->tenants[0].source_count, 2);
	sources = f->config->tenants[0].sources;
	assert_int_equal(sources[0].netns_kind, CONFIG_NETNS_HOST);
	assert_int_equal(sources[1].netns_kind, CONFIG_NETNS_GLOB);
	assert_int_equal(sources[1].groups[0].first, 7);
	config_free(f->config);
	f->config = NULL;
	assert_int_equal(load(f, &netns, NO_FILE), 0);
	assert_int_equal(f->config->tenants[0].sources[0].groups[0].first, 100);
}

/* The identities of tenant `local`, such as "uid 0, loopback". */
static const char *identities_of(const struct config *config)
{
	static char text[128];
	const struct config_tenant *tenant = &config->tenants[0];
	size_t len = 0;

	assert_string_equal(tenant->name, "local");
	for (size_t i = 0; i < tenant->identity_count; i++) {
		const struct config_identity *identity = &tenant->identities[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", i ? ", " : "");
		if (identity->kind == CONFIG_IDENTITY_UNIX_UID)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "uid %u",
						identity->uid);
		else if (identity->kind == CONFIG_IDENTITY_LOOPBACK)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "loopback");
		else
			fail();
	}
	return text;
}

static void
ad_hoc_tenant_is_root_and_the_user_and_with_a_tcp_listener_whoever_connects(void **state)
{
	struct fixture *f = *state;
	struct {
		struct options options;
		const char *identities;
	} cases[] = {
	    {{.user = 1000}, "uid 0, uid 1000"},
	    {{.groups = LIST("7")}, "uid 0"},
	    {{.groups = LIST("7"), .user = 1000}, "uid 0, uid 1000"},
	    {{.groups = LIST("7"), .listens = LIST("/tmp/a.sock", "unix:/b")}, "uid 0"},
	    {{.netns = LIST("red"), .listens = LIST("127.0.0.1:7443")}, "uid 0, loopback"},
	    {{.listens = LIST("/tmp/a.sock", "[::1]:1"), .user = 7}, "uid 0, uid 7, loopback"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(load(f, &cases[i].options, NO_FILE), 0);
		assert_string_equal(identities_of(f->config), cases[i].identities);
		config_free(f->config);
		f->config = NULL;
	}
}

static void listener_without_a_file_reads_group_100_of_host_and_all_names(void **state)
{
	struct fixture *f = *state;
	struct options options = {.listens = LIST("/tmp/a.sock")};

	assert_int_equal(load(f, &options, NO_FILE), 0);
	assert_int_equal(f->config->listen_count, 1);
	assert_string_equal(f->config->listens[0].unix_path, "/tmp/a.sock");
	assert_int_equal(f->config->tenants[0].source_count, 2);
	assert_int_equal(f->config->tenants[0].sources[1].netns_kind, CONFIG_NETNS_GLOB);
	assert_int_equal(f->config->tenants[0].sources[1].groups[0].first, 100);
	assert_false(f->is_file);
}

static void listen_options_replace_the_listeners_of_the_file(void **state)
{
	struct fixture *f = *state;
	struct options options = {
	    .config_path = f->path,
	    .listens = LIST("unix:/tmp/a b.sock", "/tmp/c.sock", "127.0.0.1:7443", "[::1]:1"),
	};

	assert_int_equal(load(f, &options, NO_FILE), 0);
	assert_int_equal(f->config->listen_count, 4);
	assert_string_equal(f->config->listens[0].unix_path, "/tmp/a b.sock");
	assert_string_equal(f->config->listens[1].unix_path, "/tmp/c.sock");
	assert_string_equal(f->config->listens[2].tcp, "127.0.0.1:7443");
	assert_string_equal(f->config->listens[3].tcp, "[::1]:1");
	assert_string_equal(f->config->tenants[0].sources[0].netns, "from-file");
	/* Who may connect there is for the file to say. */
	assert_int_equal(f->config->tenants[0].identity_count, 1);
}

static void wrong_values_are_refused_by_the_rules_of_a_file(void **state)
{
	static const char *const bad[] = {"0.0.0.0:7443", "nonsense", "unix:", "localhost:1", ""};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct options options = {.config_path = f->path, .listens = LIST(bad[i])};

		assert_int_equal(load(f, &options, NO_FILE), -EINVAL);
		assert_non_null(strstr(f->errors, "command line"));
		assert_null(f->config);
	}
}

static void pid_that_is_no_number_is_refused(void **state)
{
	struct fixture *f = *state;
	struct options options = {.netns = LIST("pid:x", "pid:0")};

	assert_int_equal(load(f, &options, NO_FILE), -EINVAL);
	assert_non_null(strstr(f->errors, "pid"));
}

/* Makes a policy of @text; what it prints is in f->errors. */
static int make_policy(struct fixture *f, const char *text)
{
	struct config_errors errors;
	struct policy *policy = NULL;
	size_t len = 0;
	FILE *out;
	int r;

	assert_int_equal(config_load_text("test", text, strlen(text), &f->config, &errors), 0);
	config_errors_done(&errors);
	free(f->errors);
	out = open_memstream(&f->errors, &len);
	assert_non_null(out);
	r = load_policy(f->config, "a.yaml", &policy, out);
	(void)fclose(out);
	assert_true((r == 0) == (policy != NULL));
	if (policy)
		assert_non_null(policy_tenant(policy, "red"));
	(void)policy_unref(policy);
	return r;
}

#define RED(identities)                                                                            \
	"  - name: red\n"                                                                          \
	"    identities: [" identities "]\n"                                                       \
	"    sources: [{netns: red, groups: [1]}]\n"                                               \
	"    filter: {exclude: [{protocol: tcp}]}\n"

static void policy_of_a_right_file_prints_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make_policy(f, "tenants:\n" RED("{unix_uid: 0}, {loopback: true}")), 0);
	assert_string_equal(f->errors, "");
}

static void user_that_does_not_exist_is_a_warning_with_its_place(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make_policy(f, "tenants:\n" RED("{unix_user: nfl-nobody}")), 0);
	assert_memory_equal(f->errors, "a.yaml:3:18: warning: ", 22);
	assert_non_null(strstr(f->errors, "nfl-nobody"));
}

static void two_names_of_one_user_are_an_error_with_its_place(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    make_policy(f,
			"tenants:\n" RED("{unix_user: root}") "  - name: blue\n"
							      "    admin: true\n"
							      "    identities: [{unix_uid: 0}]\n"),
	    -EINVAL);
	assert_memory_equal(f->errors, "a.yaml:8:18: ", 13);
	assert_null(strstr(f->errors, "warning"));
	assert_non_null(strstr(f->errors, "red"));
	assert_non_null(strstr(f->errors, "3:18"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(without_anything_the_embedded_default_runs),
	    CASE(default_file_is_read_when_it_exists),
	    CASE(named_file_that_does_not_exist_is_an_error),
	    CASE(every_kind_of_selector_can_be_given_ad_hoc),
	    CASE(group_alone_is_read_of_host_and_all_names_and_netns_alone_group_100),
	    CASE(ad_hoc_tenant_is_root_and_the_user_and_with_a_tcp_listener_whoever_connects),
	    CASE(listener_without_a_file_reads_group_100_of_host_and_all_names),
	    CASE(listen_options_replace_the_listeners_of_the_file),
	    CASE(wrong_values_are_refused_by_the_rules_of_a_file),
	    CASE(pid_that_is_no_number_is_refused),
	    CASE(policy_of_a_right_file_prints_nothing),
	    CASE(user_that_does_not_exist_is_a_warning_with_its_place),
	    CASE(two_names_of_one_user_are_an_error_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
