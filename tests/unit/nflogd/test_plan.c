/* SPDX-License-Identifier: MIT */
/* plan: which sockets a configuration makes the daemon open, and how */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "config.h"
#include "plan.h"

/* --- a configuration of one tenant for each source entry --------------------------------- */

#define ENTRIES_MAX 4

struct fixture {
	char folder[64];
	struct config config;
	struct config_tenant tenants[ENTRIES_MAX];
	struct config_source entries[ENTRIES_MAX];
	struct config_group_range groups[ENTRIES_MAX];
	struct plan plan;
};

static const char *const names[] = {"red", "cni-2", "cni-1", "host", ".hidden"};

static int setup(void **state)
{
	static struct fixture f;
	char path[128];

	memset(&f, 0, sizeof(f));
	strcpy(f.folder, "/tmp/nfl-test-XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/%s", f.folder, names[i]);
		file = fopen(path, "w");
		assert_non_null(file);
		fclose(file);
	}
	f.config.tenants = f.tenants;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	for (size_t i = 0; i < f->config.tenant_count; i++)
		free(f->entries[i].netns);
	plan_done(&f->plan);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(f->folder), 0);
	return 0;
}

static struct config_source *add(struct fixture *f, enum config_netns_kind kind, const char *netns,
				 uint16_t first, uint16_t last)
{
	size_t n = f->config.tenant_count++;

	f->groups[n] = (struct config_group_range){first, last};
	f->entries[n] = (struct config_source){
	    .netns_kind = kind,
	    .netns = netns ? strdup(netns) : NULL,
	    .groups = &f->groups[n],
	    .group_count = 1,
	};
	f->tenants[n] = (struct config_tenant){.sources = &f->entries[n], .source_count = 1};
	return &f->entries[n];
}

static void make(struct fixture *f)
{
	plan_done(&f->plan);
	assert_int_equal(plan_make(&f->config, f->folder, &f->plan), 0);
}

/* The plan as "netns/group netns/group ". */
static const char *plan_text(struct fixture *f)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	make(f);
	for (size_t i = 0; i < f->plan.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s/%u ",
					f->plan.sources[i].netns, f->plan.sources[i].options.group);
	return text;
}

/* What two entries for red/100 make together; in both orders the same. */
static const struct nfl_listener_options *merged(struct fixture *f)
{
	struct nfl_listener_options first;
	struct config_source swap;

	make(f);
	assert_int_equal(f->plan.count, 1);
	first = f->plan.sources[0].options;
	swap = f->entries[0];
	f->entries[0] = f->entries[1];
	f->entries[1] = swap;
	make(f);
	assert_int_equal(f->plan.sources[0].options.copy_mode, first.copy_mode);
	assert_int_equal(f->plan.sources[0].options.copy_range, first.copy_range);
	assert_int_equal(f->plan.sources[0].options.profile, first.profile);
	assert_int_equal(f->plan.sources[0].options.set, first.set);
	return &f->plan.sources[0].options;
}

/* --- cases ------------------------------------------------------------------------------- */

static void every_group_of_every_range_is_bound_once(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_NAME, "red", 100, 102);
	add(f, CONFIG_NETNS_NAME, "blue", 7, 7);
	add(f, CONFIG_NETNS_NAME, "red", 102, 103);
	assert_string_equal(plan_text(f), "blue/7 red/100 red/101 red/102 red/103 ");
}

static void last_group_number_ends_the_range(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_NAME, "red", 65534, 65535);
	assert_string_equal(plan_text(f), "red/65534 red/65535 ");
}

static void glob_takes_the_names_there_are_but_never_host_or_hidden_files(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_GLOB, "*", 1, 1);
	assert_string_equal(plan_text(f), "cni-1/1 cni-2/1 red/1 ");
	strcpy(f->entries[0].netns, "?");
	assert_string_equal(plan_text(f), "");
}

static void folder_that_does_not_exist_is_as_good_as_empty(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_GLOB, "*", 1, 1);
	assert_int_equal(plan_make(&f->config, "/tmp/nfl-test-nosuch", &f->plan), 0);
	assert_int_equal(f->plan.count, 0);
}

static void each_selector_is_shown_and_opened_its_way(void **state)
{
	struct fixture *f = *state;
	const struct plan_source *source;

	add(f, CONFIG_NETNS_HOST, "host", 1, 1);
	add(f, CONFIG_NETNS_PATH, "/proc/1/ns/net", 1, 1);
	add(f, CONFIG_NETNS_PID, NULL, 1, 1)->pid = 42;
	add(f, CONFIG_NETNS_NAME, "red", 1, 1);
	assert_string_equal(plan_text(f), "/proc/1/ns/net/1 host/1 pid:42/1 red/1 ");
	source = f->plan.sources;
	assert_int_equal(source[0].options.netns.kind, NFL_NETNS_PATH);
	assert_string_equal(source[0].options.netns.name, "/proc/1/ns/net");
	assert_int_equal(source[1].options.netns.kind, NFL_NETNS_SELF);
	assert_int_equal(source[2].options.netns.kind, NFL_NETNS_PID);
	assert_int_equal(source[2].options.netns.pid, 42);
	assert_int_equal(source[3].options.netns.kind, NFL_NETNS_NAME);
	assert_string_equal(source[3].options.netns.name, "red");
}

static void settings_of_one_entry_reach_the_listener(void **state)
{
	struct fixture *f = *state;
	struct config_source *entry = add(f, CONFIG_NETNS_NAME, "red", 1, 1);
	const struct nfl_listener_options *options;

	entry->profile = CONFIG_PROFILE_THROUGHPUT;
	entry->copy = CONFIG_COPY_META;
	entry->copy_bytes = 64;
	entry->conntrack = true;
	entry->has_timeout = true;
	entry->timeout_ms = 50;
	make(f);
	options = &f->plan.sources[0].options;
	assert_int_equal(options->size, sizeof(*options));
	assert_int_equal(options->profile, NFL_PROFILE_THROUGHPUT);
	assert_int_equal(options->copy_mode, NFL_COPY_META);
	assert_int_equal(options->copy_range, 64);
	assert_int_equal(options->flags, NFL_FLAG_SEQ | NFL_FLAG_CONNTRACK);
	assert_int_equal(options->set, NFL_SET_TIMEOUT | NFL_SET_COPY_RANGE);
	assert_int_equal(options->timeout_ms, 50);
}

static void two_tenants_get_the_larger_copy_of_the_two(void **state)
{
	struct fixture *f = *state;
	struct config_source *a = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	struct config_source *b = add(f, CONFIG_NETNS_NAME, "red", 100, 100);

	a->copy_bytes = 128;
	b->copy_bytes = 256;
	assert_int_equal(merged(f)->copy_range, 256);
	b->copy_bytes = 0; /* the whole packet */
	a->copy_bytes = 128;
	assert_int_equal(merged(f)->copy_range, 0);
	a->copy_bytes = 64;
	b->copy = CONFIG_COPY_META;
	b->copy_bytes = 0; /* says nothing where no packet is copied */
	assert_int_equal(merged(f)->copy_mode, NFL_COPY_PACKET);
	assert_int_equal(merged(f)->copy_range, 64);
	assert_int_equal(merged(f)->flags & NFL_FLAG_CONNTRACK, 0);
	b->conntrack = true;
	assert_int_equal(merged(f)->flags & NFL_FLAG_CONNTRACK, NFL_FLAG_CONNTRACK);
}

static void two_tenants_get_the_lower_latency_of_the_two(void **state)
{
	struct fixture *f = *state;
	struct config_source *a = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	struct config_source *b = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	const struct nfl_listener_options *options;

	a->profile = CONFIG_PROFILE_LATENCY;
	b->profile = CONFIG_PROFILE_THROUGHPUT;
	b->has_nlbufsiz = true;
	b->nlbufsiz = 131072;
	options = merged(f);
	assert_int_equal(options->profile, NFL_PROFILE_LATENCY);
	/* The large batch buffer belongs to the slow one. */
	assert_int_equal(options->set, NFL_SET_COPY_RANGE);
}

static void explicit_timeout_may_be_faster_than_the_other_ones_profile(void **state)
{
	struct fixture *f = *state;
	struct config_source *a = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	struct config_source *b = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	const struct nfl_listener_options *options;

	a->profile = CONFIG_PROFILE_THROUGHPUT;
	a->has_timeout = true;
	a->timeout_ms = 10;
	b->profile = CONFIG_PROFILE_BALANCED;
	b->has_qthresh = true;
	b->qthresh = 32;
	options = merged(f);
	assert_int_equal(options->profile, NFL_PROFILE_THROUGHPUT);
	assert_int_equal(options->timeout_ms, 10);
	assert_int_equal(options->qthresh, 32);
	assert_int_equal(options->set, NFL_SET_COPY_RANGE | NFL_SET_TIMEOUT | NFL_SET_QTHRESH);
}

static void larger_receive_buffer_wins_and_absent_is_the_default(void **state)
{
	struct fixture *f = *state;
	struct config_source *a = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	const struct nfl_listener_options *options;

	add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	a->has_rcvbuf = true;
	a->rcvbuf = 1 << 20;
	assert_int_equal(merged(f)->set & NFL_SET_RCVBUF, 0);
	f->entries[0].has_rcvbuf = f->entries[1].has_rcvbuf = true;
	f->entries[0].rcvbuf = 1 << 20;
	f->entries[1].rcvbuf = 1 << 26;
	options = merged(f);
	assert_true(options->set & NFL_SET_RCVBUF);
	assert_int_equal(options->rcvbuf, 1 << 26);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(every_group_of_every_range_is_bound_once),
	    CASE(last_group_number_ends_the_range),
	    CASE(glob_takes_the_names_there_are_but_never_host_or_hidden_files),
	    CASE(folder_that_does_not_exist_is_as_good_as_empty),
	    CASE(each_selector_is_shown_and_opened_its_way),
	    CASE(settings_of_one_entry_reach_the_listener),
	    CASE(two_tenants_get_the_larger_copy_of_the_two),
	    CASE(two_tenants_get_the_lower_latency_of_the_two),
	    CASE(explicit_timeout_may_be_faster_than_the_other_ones_profile),
	    CASE(larger_receive_buffer_wins_and_absent_is_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
