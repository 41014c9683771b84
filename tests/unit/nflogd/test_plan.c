/* SPDX-License-Identifier: MIT */
/* plan: what a configuration makes the daemon read of which namespace, and how */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "plan.h"
#include "wanted.h"

/* --- a configuration of one tenant for each source entry --------------------------------- */

#define ENTRIES_MAX 4

struct fixture {
	struct config config;
	struct config_tenant tenants[ENTRIES_MAX];
	struct config_source entries[ENTRIES_MAX];
	struct config_group_range groups[ENTRIES_MAX];
	struct rules rules;
	struct wanted *found;
	size_t found_count;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.config.tenants = f.tenants;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->config.tenant_count; i++)
		free(f->entries[i].netns);
	rules_done(&f->rules);
	free(f->found);
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

static void make(struct fixture *f, struct history_account *const *accounts)
{
	rules_done(&f->rules);
	assert_int_equal(plan_make(&f->config, accounts, &f->rules), 0);
}

/* What is read of a namespace. */
static const struct wanted *find(struct fixture *f, const char *shown)
{
	free(f->found);
	f->found = NULL;
	assert_int_equal(rules_find(&f->rules, shown, &f->found, &f->found_count), 0);
	return f->found;
}

/* The same as "7 100 ". */
static const char *groups_of(struct fixture *f, const char *shown)
{
	static char text[512];
	size_t len = 0;

	text[0] = '\0';
	make(f, NULL);
	(void)find(f, shown);
	for (size_t i = 0; i < f->found_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u ",
					f->found[i].options.group);
	return text;
}

/* What two entries for red/100 make together; in both orders the same. */
static const struct nfl_listener_options *merged(struct fixture *f)
{
	struct nfl_listener_options first;
	const struct nfl_listener_options *options;
	struct config_source swap;

	make(f, NULL);
	first = find(f, "red")->options;
	assert_int_equal(f->found_count, 1);
	swap = f->entries[0];
	f->entries[0] = f->entries[1];
	f->entries[1] = swap;
	make(f, NULL);
	options = &find(f, "red")->options;
	assert_int_equal(options->copy_mode, first.copy_mode);
	assert_int_equal(options->copy_range, first.copy_range);
	assert_int_equal(options->profile, first.profile);
	assert_int_equal(options->set, first.set);
	return options;
}

/* --- cases ------------------------------------------------------------------------------- */

static void every_group_of_every_range_is_bound_once(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_NAME, "red", 100, 102);
	add(f, CONFIG_NETNS_NAME, "blue", 7, 7);
	add(f, CONFIG_NETNS_NAME, "red", 102, 103);
	assert_string_equal(groups_of(f, "red"), "100 101 102 103 ");
	assert_string_equal(groups_of(f, "blue"), "7 ");
	assert_string_equal(groups_of(f, "green"), "");
}

static void last_group_number_ends_the_range(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_NAME, "red", 65534, 65535);
	assert_string_equal(groups_of(f, "red"), "65534 65535 ");
}

static void each_selector_is_found_as_it_is_shown(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_HOST, "host", 1, 1);
	add(f, CONFIG_NETNS_PATH, "/proc/1/ns/net", 2, 2);
	add(f, CONFIG_NETNS_PID, NULL, 3, 3)->pid = 42;
	add(f, CONFIG_NETNS_NAME, "red", 4, 4);
	assert_string_equal(groups_of(f, "host"), "1 ");
	assert_string_equal(groups_of(f, "/proc/1/ns/net"), "2 ");
	assert_string_equal(groups_of(f, "pid:42"), "3 ");
	assert_string_equal(groups_of(f, "red"), "4 ");
	assert_int_equal(f->rules.literals, 4);
}

static void globs_of_names_and_of_paths_are_told_apart(void **state)
{
	struct fixture *f = *state;

	add(f, CONFIG_NETNS_GLOB, "*", 1, 1);
	add(f, CONFIG_NETNS_PATH_GLOB, "/run/x/*", 2, 2);
	add(f, CONFIG_NETNS_NAME, "red", 3, 3);
	assert_string_equal(groups_of(f, "red"), "1 3 ");
	assert_string_equal(groups_of(f, "/run/x/red"), "2 ");
	assert_int_equal(f->rules.literals, 1);
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
	make(f, NULL);
	options = &find(f, "red")->options;
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

static void source_of_several_tenants_is_charged_to_the_largest_budget(void **state)
{
	struct fixture *f = *state;
	/* Only to be told apart. */
	struct history_account *small = (void *)&f->groups[0];
	struct history_account *large = (void *)&f->groups[1];
	struct history_account *accounts[] = {small, large, NULL};

	add(f, CONFIG_NETNS_NAME, "red", 1, 1);
	add(f, CONFIG_NETNS_NAME, "red", 1, 2);
	add(f, CONFIG_NETNS_NAME, "blue", 1, 1);
	f->tenants[0].limits.history_bytes = 1 << 20;
	f->tenants[1].limits.history_bytes = 2 << 20;
	make(f, accounts);
	assert_ptr_equal(find(f, "red")[0].account, large);
	assert_ptr_equal(f->found[1].account, large);
	assert_null(find(f, "blue")[0].account);
	accounts[1] = small;
	accounts[0] = large;
	f->tenants[0].limits.history_bytes = 3 << 20;
	make(f, accounts);
	assert_ptr_equal(find(f, "red")[0].account, large);
}

static void source_of_a_tenant_without_a_budget_is_charged_to_none(void **state)
{
	struct fixture *f = *state;
	struct history_account *account = (void *)&f->groups[0];
	struct history_account *accounts[] = {account, NULL};

	add(f, CONFIG_NETNS_NAME, "red", 1, 1);
	add(f, CONFIG_NETNS_GLOB, "r*", 1, 1);
	f->tenants[0].limits.history_bytes = 1 << 20;
	make(f, accounts);
	assert_null(find(f, "red")[0].account);
	accounts[0] = NULL;
	accounts[1] = account;
	f->tenants[1].limits.history_bytes = 1 << 20;
	make(f, accounts);
	assert_null(find(f, "red")[0].account);
	assert_ptr_equal(find(f, "rot")[0].account, account);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(every_group_of_every_range_is_bound_once),
	    CASE(last_group_number_ends_the_range),
	    CASE(each_selector_is_found_as_it_is_shown),
	    CASE(globs_of_names_and_of_paths_are_told_apart),
	    CASE(settings_of_one_entry_reach_the_listener),
	    CASE(two_tenants_get_the_larger_copy_of_the_two),
	    CASE(two_tenants_get_the_lower_latency_of_the_two),
	    CASE(explicit_timeout_may_be_faster_than_the_other_ones_profile),
	    CASE(source_of_several_tenants_is_charged_to_the_largest_budget),
	    CASE(source_of_a_tenant_without_a_budget_is_charged_to_none),
	    CASE(larger_receive_buffer_wins_and_absent_is_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
