/* SPDX-License-Identifier: MIT */
/* plan: what a configuration makes the daemon read of which namespace, and how */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/filter.h>

#include "bytes.h"
#include "config.h"
#include "plan.h"
#include "policy.h"
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

static void adaptive_is_faster_than_all_but_latency(void **state)
{
	struct fixture *f = *state;
	struct config_source *a = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	struct config_source *b = add(f, CONFIG_NETNS_NAME, "red", 100, 100);

	/* merged() has them change places */
	a->profile = CONFIG_PROFILE_ADAPTIVE;
	b->profile = CONFIG_PROFILE_THROUGHPUT;
	assert_int_equal(merged(f)->profile, NFL_PROFILE_ADAPTIVE);
	a->profile = CONFIG_PROFILE_BALANCED;
	assert_int_equal(merged(f)->profile, NFL_PROFILE_ADAPTIVE);
	b->profile = CONFIG_PROFILE_ADAPTIVE;
	a->profile = CONFIG_PROFILE_LATENCY;
	assert_int_equal(merged(f)->profile, NFL_PROFILE_LATENCY);
}

static void explicit_timeout_may_be_faster_than_the_other_ones_profile(void **state)
{
	struct fixture *f = *state;
	struct config_source *a = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	struct config_source *b = add(f, CONFIG_NETNS_NAME, "red", 100, 100);
	const struct nfl_listener_options *options;

	a->profile = CONFIG_PROFILE_THROUGHPUT;
	a->has_timeout = true;
	a->timeout_ms = 5;
	b->profile = CONFIG_PROFILE_BALANCED;
	b->has_qthresh = true;
	b->qthresh = 32;
	options = merged(f);
	assert_int_equal(options->profile, NFL_PROFILE_THROUGHPUT);
	assert_int_equal(options->timeout_ms, 5);
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

/* Every tenant has an account, so that a reload can give it a budget; one without is never spent. */
static void account_without_a_budget_is_the_largest(void **state)
{
	struct fixture *f = *state;
	struct history_account *bounded = (void *)&f->groups[0];
	struct history_account *unbounded = (void *)&f->groups[1];
	struct history_account *accounts[] = {bounded, unbounded};

	add(f, CONFIG_NETNS_NAME, "red", 1, 1);
	add(f, CONFIG_NETNS_GLOB, "r*", 1, 1);
	f->tenants[0].limits.history_bytes = 1 << 20;
	make(f, accounts);
	assert_ptr_equal(find(f, "red")[0].account, unbounded);
}

/* --- tenants ----------------------------------------------------------------------------- */

#define TWO_TENANTS                                                                                \
	"tenants:\n"                                                                               \
	"  - name: red\n"                                                                          \
	"    identities:\n"                                                                        \
	"      - {unix_user: alice}\n"                                                             \
	"      - {unix_uid: 7}\n"                                                                  \
	"      - {unix_group: staff}\n"                                                            \
	"      - {cert_uri: 'spiffe://corp/red'}\n"                                                \
	"      - {cert_dns: red.example}\n"                                                        \
	"      - {cert_cn: red}\n"                                                                 \
	"      - {token_sha256: " SHA256_OF_TEST "}\n"                                             \
	"      - {token_sha256_file: /token}\n"                                                    \
	"      - {loopback: true}\n"                                                               \
	"    sources:\n"                                                                           \
	"      - {netns: 'r*', groups: ['1-2']}\n"                                                 \
	"      - {netns: host, groups: [9], copy_bytes: 64}\n"                                     \
	"    limits: {subscriptions: 2, packets_per_second: 3, payload_bytes: 4,\n"                \
	"             filters: 5, view: basic, stall_timeout_ms: 600, history_bytes: 1M}\n"        \
	"    filter: {exclude: [{protocol: udp}]}\n"                                               \
	"  - name: boss\n"                                                                         \
	"    admin: true\n"                                                                        \
	"    identities: [{unix_uid: 0}]\n"
#define SHA256_OF_TEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

struct made {
	struct config *config;
	struct plan_tenants plan;
};

static int make_tenants(void **state)
{
	static struct made made;
	struct config_errors errors;
	struct policy_problem err;
	int r = config_load_text("test", TWO_TENANTS, strlen(TWO_TENANTS), &made.config, &errors);

	config_errors_done(&errors);
	*state = &made;
	return r == 0 ? plan_tenants(made.config, &made.plan, &err) : r;
}

static int free_tenants(void **state)
{
	struct made *made = *state;

	plan_tenants_done(&made->plan);
	config_free(made->config);
	return 0;
}

static void each_tenant_has_the_rules_of_its_own_sources(void **state)
{
	const struct made *made = *state;
	const struct rules *rules = &made->plan.specs[0].rules;

	assert_int_equal(made->plan.count, 2);
	assert_int_equal(rules->count, 2);
	assert_int_equal(rules->literals, 1); /* sorted */
	assert_string_equal(rules->items[0].text, "host");
	assert_int_equal(rules->items[0].wanted.options.copy_range, 64);
	assert_null(rules->items[0].wanted.account);
	assert_string_equal(rules->items[1].text, "r*");
	assert_int_equal(rules->items[1].first, 1);
	assert_int_equal(rules->items[1].last, 2);
}

static void admin_without_sources_has_no_rules_and_adds_none(void **state)
{
	const struct made *made = *state;
	struct rules rules;

	assert_string_equal(made->plan.specs[1].name, "boss");
	assert_true(made->plan.specs[1].admin);
	assert_false(made->plan.specs[0].admin);
	assert_int_equal(made->plan.specs[1].rules.count, 0);
	assert_null(made->plan.specs[1].filter);
	assert_int_equal(plan_make(made->config, NULL, &rules), 0);
	assert_int_equal(rules.count, 2);
	rules_done(&rules);
}

static void limits_of_a_tenant_reach_it(void **state)
{
	const struct made *made = *state;
	const struct tenant_limits *limits = &made->plan.specs[0].limits;
	const struct tenant_limits *defaults = &made->plan.specs[1].limits;

	assert_int_equal(limits->subscriptions, 2);
	assert_int_equal(limits->packets_per_second, 3);
	assert_int_equal(limits->payload_bytes, 4);
	assert_int_equal(limits->filters, 5);
	assert_true(limits->basic_view);
	assert_int_equal(limits->stall_timeout_ns, 600000000);
	assert_int_equal(defaults->subscriptions, 16);
	assert_int_equal(defaults->filters, 64);
	assert_false(defaults->basic_view);
}

static void every_kind_of_identity_keeps_its_text_and_its_place(void **state)
{
	static const struct {
		enum identity_kind kind;
		const char *text;
	} expected[] = {
	    {IDENTITY_UNIX_USER, "alice"},
	    {IDENTITY_UNIX_UID, NULL},
	    {IDENTITY_UNIX_GROUP, "staff"},
	    {IDENTITY_CERT_URI, "spiffe://corp/red"},
	    {IDENTITY_CERT_DNS, "red.example"},
	    {IDENTITY_CERT_CN, "red"},
	    {IDENTITY_TOKEN_SHA256, SHA256_OF_TEST},
	    {IDENTITY_TOKEN_SHA256_FILE, "/token"},
	    {IDENTITY_LOOPBACK, NULL},
	};
	const struct made *made = *state;
	const struct tenant_spec *red = &made->plan.specs[0];

	assert_int_equal(red->identity_count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(red->identities[i].kind, expected[i].kind);
		assert_int_equal(red->identities[i].line, 4 + i);
		assert_int_equal(red->identities[i].column, 9);
		if (expected[i].text)
			assert_string_equal(red->identities[i].text, expected[i].text);
		else
			assert_null(red->identities[i].text);
	}
	assert_int_equal(red->identities[1].uid, 7);
	assert_int_equal(made->plan.specs[1].identity_count, 1);
	assert_int_equal(made->plan.specs[1].identities[0].uid, 0);
}

static void filter_of_a_tenant_is_compiled(void **state)
{
	const struct made *made = *state;
	const struct nfl_filter *filter = made->plan.specs[0].filter;
	struct nfl_packet packet = {.decoded = {.present = NFL_HAS_PROTOCOL}};

	packet.decoded.protocol = 17;
	assert_false(nfl_filter_match(filter, &packet, "red", 1));
	packet.decoded.protocol = 6;
	assert_true(nfl_filter_match(filter, &packet, "red", 1));
}

static void filter_that_cannot_be_compiled_is_told_with_its_place(void **state)
{
	static struct nfl_filter_term terms[NFL_FILTER_TERMS_MAX + 1];
	struct made *made = *state;
	struct config_filter *filter = &made->config->tenants[0].filter;
	struct plan_tenants plan = {0};
	struct policy_problem err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(terms); i++)
		terms[i].size = sizeof(terms[i]);
	filter->include = terms;
	filter->include_count = ARRAY_SIZE(terms);
	assert_int_equal(plan_tenants(made->config, &plan, &err), -EINVAL);
	filter->include = NULL;
	filter->include_count = 0;
	assert_null(plan.specs);
	assert_true(err.is_error);
	assert_int_equal(err.line, 18);
	assert_int_equal(err.column, 13);
	assert_memory_equal(err.text, "filter: ", 8);
	assert_true(strlen(err.text) > 8);
}

#define TENANTS(name) cmocka_unit_test_setup_teardown(name, make_tenants, free_tenants)
#define CASE(name)    cmocka_unit_test_setup_teardown(name, setup, teardown)

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
	    CASE(adaptive_is_faster_than_all_but_latency),
	    CASE(explicit_timeout_may_be_faster_than_the_other_ones_profile),
	    CASE(source_of_several_tenants_is_charged_to_the_largest_budget),
	    CASE(source_of_a_tenant_without_a_budget_is_charged_to_none),
	    CASE(account_without_a_budget_is_the_largest),
	    TENANTS(each_tenant_has_the_rules_of_its_own_sources),
	    TENANTS(admin_without_sources_has_no_rules_and_adds_none),
	    TENANTS(limits_of_a_tenant_reach_it),
	    TENANTS(every_kind_of_identity_keeps_its_text_and_its_place),
	    TENANTS(filter_of_a_tenant_is_compiled),
	    TENANTS(filter_that_cannot_be_compiled_is_told_with_its_place),
	    CASE(larger_receive_buffer_wins_and_absent_is_the_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
