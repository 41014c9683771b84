/* SPDX-License-Identifier: MIT */
/* source: the registry's order and ids, selection, references and state */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "bytes.h"
#include "history.h"
#include "source.h"

#define LOG_BYTES (2 * HISTORY_SLAB_BYTES)

/* --- outside calls ----------------------------------------------------------------------- */

static long allocations_left = -1;      /* -1: no limit */
static const uint32_t *scripted_random; /* what getrandom gives next; NULL: the real one */

static bool may_allocate(void)
{
	return allocations_left < 0 || allocations_left-- > 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
ssize_t __real_getrandom(void *buf, size_t len, unsigned flags);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags);

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return may_allocate() ? __real_reallocarray(p, n, size) : NULL;
}

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned flags)
{
	if (!scripted_random)
		return __real_getrandom(buf, len, flags);
	memcpy(buf, scripted_random++, len);
	return (ssize_t)len;
}

/* --- fixture ----------------------------------------------------------------------------- */

struct fixture {
	struct history *history;
	struct registry *registry;
};

static int setup(void **state)
{
	static struct fixture f;

	assert_int_equal(history_new(1 << 20, &f.history), 0);
	assert_int_equal(registry_new(f.history, &f.registry), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	allocations_left = -1;
	scripted_random = NULL;
	registry_free(f->registry);
	history_free(f->history);
	return 0;
}

static struct source *add(struct fixture *f, const char *netns, uint16_t group)
{
	const struct source_spec spec = {.netns = netns, .group = group, .log_bytes = LOG_BYTES};
	struct source *source;

	assert_int_equal(registry_add(f->registry, &spec, &source), 0);
	return source;
}

/* The selected sources as "netns/group netns/group ". */
static const char *query_text(struct fixture *f, const struct source_query *query)
{
	static char text[256];
	struct source_list list;
	size_t len = 0;

	text[0] = '\0';
	assert_int_equal(registry_select(f->registry, query, &list), 0);
	for (size_t i = 0; i < list.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s/%u ",
					list.items[i]->netns, list.items[i]->group);
	source_list_done(&list);
	return text;
}

static const char *select_text(struct fixture *f, const char *const *netns, size_t netns_count,
			       const uint32_t *groups, size_t group_count)
{
	return query_text(f, &(struct source_query){.netns = netns,
						    .netns_count = netns_count,
						    .groups = groups,
						    .group_count = group_count});
}

static void add_four(struct fixture *f)
{
	(void)add(f, "red", 100);
	(void)add(f, "blue", 7);
	(void)add(f, "red", 9);
	(void)add(f, "host", 100);
}

/* --- cases ------------------------------------------------------------------------------- */

static void sources_are_listed_by_namespace_then_group_number(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(select_text(f, NULL, 0, NULL, 0), "");
	add_four(f);
	assert_string_equal(select_text(f, NULL, 0, NULL, 0), "blue/7 host/100 red/9 red/100 ");
}

static void select_takes_exact_names_and_groups_only(void **state)
{
	static const char *const names[] = {"red", "re", "blue"};
	static const uint32_t groups[] = {100, 7, 65536 + 9};
	struct fixture *f = *state;

	add_four(f);
	assert_string_equal(select_text(f, names, 1, NULL, 0), "red/9 red/100 ");
	assert_string_equal(select_text(f, names + 1, 1, NULL, 0), "");
	assert_string_equal(select_text(f, names, 3, groups, 3), "blue/7 red/100 ");
	assert_string_equal(select_text(f, NULL, 0, groups, 1), "host/100 red/100 ");
}

static void same_pair_twice_is_refused(void **state)
{
	const struct source_spec spec = {.netns = "red", .group = 9, .log_bytes = LOG_BYTES};
	struct fixture *f = *state;
	struct source *source = NULL;

	add_four(f);
	assert_int_equal(registry_add(f->registry, &spec, &source), -EEXIST);
	assert_null(source);
	assert_string_equal(select_text(f, NULL, 0, NULL, 0), "blue/7 host/100 red/9 red/100 ");
}

static void ids_are_unique_not_zero_and_at_most_three_varint_bytes(void **state)
{
	/* Zero and a taken id are drawn again; high bits are cut. */
	static const uint32_t random[] = {5, 0, UINT32_C(1) << 21, 5, 0xffe00005, 0xffffffff};
	struct fixture *f = *state;

	scripted_random = random;
	assert_int_equal(add(f, "a", 1)->id, 5);
	assert_int_equal(add(f, "a", 2)->id, (1 << 21) - 1);
	assert_ptr_equal(scripted_random, random + ARRAY_SIZE(random));
}

static void new_source_waits_and_state_carries_its_reason(void **state)
{
	struct source_status status;
	struct source_status later;
	char long_text[400];
	struct fixture *f = *state;
	struct source *source = add(f, "red", 1);

	source_status(source, &status);
	assert_int_equal(status.state, SOURCE_WAITING);
	assert_string_equal(status.detail, "");
	assert_true(status.since_ns > 0);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	registry_set_state(f->registry, source, SOURCE_FAILED, long_text);
	source_status(source, &status);
	assert_int_equal(status.state, SOURCE_FAILED);
	assert_int_equal(strlen(status.detail), sizeof(status.detail) - 1);
	/* A new reason for the same state does not make the state younger. */
	registry_set_state(f->registry, source, SOURCE_FAILED, "taken");
	source_status(source, &later);
	assert_int_equal(later.since_ns, status.since_ns);
	assert_string_equal(later.detail, "taken");
	registry_set_state(f->registry, source, SOURCE_LISTENING, NULL);
	source_status(source, &later);
	assert_string_equal(later.detail, "");
}

static void selected_sources_outlive_the_registry(void **state)
{
	struct fixture *f = *state;
	const struct source_query all = {0};
	struct source_list list;

	add_four(f);
	assert_int_equal(registry_select(f->registry, &all, &list), 0);
	registry_free(f->registry);
	f->registry = NULL;
	assert_string_equal(list.items[3]->netns, "red");
	assert_non_null(history_reserve(list.items[3]->log, 64));
	source_list_done(&list);
	assert_int_equal(list.count, 0);
}

static void without_memory_add_and_select_fail_and_change_nothing(void **state)
{
	struct fixture *f = *state;
	const struct source_query all = {0};
	struct source_list list = {0};
	struct source *source;
	int r = -ENOMEM;

	(void)add(f, "red", 1);
	for (long n = 0; r == -ENOMEM; n++) {
		const struct source_spec spec = {
		    .netns = "blue", .group = (uint16_t)n, .log_bytes = LOG_BYTES};

		allocations_left = n;
		r = registry_add(f->registry, &spec, &source);
		allocations_left = -1;
	}
	assert_int_equal(r, 0);
	allocations_left = 0;
	assert_int_equal(registry_select(f->registry, &all, &list), -ENOMEM);
	allocations_left = -1;
	assert_int_equal(registry_select(f->registry, &all, &list), 0);
	assert_int_equal(list.count, 2);
	source_list_done(&list);
}

/* --- sources that are gone, changes ------------------------------------------------------- */

/* Stores one record; a log without any has nothing to clear. */
static void store(struct source *source)
{
	uint32_t *record = history_reserve(source->log, 8);

	assert_non_null(record);
	*record = 8;
	history_append(source->log, 8);
	history_publish(source->log);
}

static uint64_t records_held(struct source *source)
{
	struct history_stats stats;

	history_log_stats(source->log, &stats);
	return stats.records;
}

static void a_name_that_is_removed_is_free_and_its_lives_are_told_apart(void **state)
{
	const struct source_query gone = {.gone = true};
	struct fixture *f = *state;
	struct source *first, *second;
	struct source_list list;

	add_four(f);
	first = add(f, "green", 1);
	registry_remove(f->registry, first, 1);
	assert_string_equal(select_text(f, NULL, 0, NULL, 0), "blue/7 host/100 red/9 red/100 ");
	second = add(f, "green", 1);
	assert_int_not_equal(first->id, second->id);
	registry_remove(f->registry, second, 2);
	(void)add(f, "green", 1);
	registry_remove(f->registry, first, 3); /* is removed already */
	assert_string_equal(query_text(f, &gone),
			    "blue/7 green/1 green/1 green/1 host/100 red/9 red/100 ");
	assert_int_equal(registry_select(f->registry, &gone, &list), 0);
	assert_ptr_equal(list.items[1], first);
	assert_ptr_equal(list.items[2], second);
	source_list_done(&list);
}

static void packets_of_what_is_gone_expire_but_it_stays_known(void **state)
{
	const struct source_query gone = {.gone = true};
	struct fixture *f = *state;
	struct source *early = add(f, "early", 1);
	struct source *late = add(f, "late", 1);

	store(early);
	store(late);
	assert_int_equal(registry_expire(f->registry, 0), INT64_MAX);
	registry_remove(f->registry, early, 100);
	registry_set_state(f->registry, early, SOURCE_GONE, "deleted");
	registry_remove(f->registry, late, 200);
	assert_int_equal(registry_expire(f->registry, 100 + REGISTRY_GONE_KEEP_NS - 1),
			 100 + REGISTRY_GONE_KEEP_NS);
	assert_int_equal(records_held(early), 1);
	assert_int_equal(registry_expire(f->registry, 100 + REGISTRY_GONE_KEEP_NS),
			 200 + REGISTRY_GONE_KEEP_NS);
	assert_int_equal(records_held(early), 0);
	/* Intake is not done with this one. */
	assert_true(registry_expire(f->registry, 200 + REGISTRY_GONE_KEEP_NS) < INT64_MAX);
	assert_int_equal(records_held(late), 1);
	registry_set_state(f->registry, late, SOURCE_GONE, "deleted");
	assert_int_equal(registry_expire(f->registry, 201 + REGISTRY_GONE_KEEP_NS), INT64_MAX);
	assert_int_equal(records_held(late), 0);
	assert_string_equal(query_text(f, &gone), "early/1 late/1 ");
	assert_int_equal(history_end(early->log), 1); /* what it had can be counted */
}

static void of_too_many_that_are_gone_the_oldest_is_forgotten(void **state)
{
	const struct source_query gone = {.gone = true};
	struct fixture *f = *state;
	struct source_list list;

	for (size_t i = 0; i <= REGISTRY_GONE_MAX; i++) {
		struct source *source = add(f, "red", (uint16_t)i);

		registry_remove(f->registry, source, (int64_t)i);
		registry_set_state(f->registry, source, SOURCE_GONE, NULL);
	}
	assert_int_equal(registry_select(f->registry, &gone, &list), 0);
	assert_int_equal(list.count, REGISTRY_GONE_MAX);
	assert_int_equal(list.items[0]->group, 1);
	source_list_done(&list);
}

/* The next change; fails the test when there is none. */
static void expect_change(struct fixture *f, uint64_t *cursor, const struct source *source,
			  enum source_state state)
{
	struct source_change change;

	assert_true(registry_change_end(f->registry) > *cursor);
	assert_int_equal(registry_changes(f->registry, cursor, &change, 1), 1);
	assert_ptr_equal(change.source, source);
	assert_int_equal(change.status.state, state);
	(void)source_unref(change.source);
}

static void changes_are_told_once_and_in_order(void **state)
{
	const struct source_query all = {0};
	struct fixture *f = *state;
	struct source_change change;
	struct source_list list;
	struct source *red, *blue;
	uint64_t cursor;

	(void)add(f, "green", 1);
	assert_int_equal(registry_select(f->registry, &all, &list), 0);
	cursor = list.change;
	source_list_done(&list);
	red = add(f, "red", 1);
	registry_set_state(f->registry, red, SOURCE_LISTENING, NULL);
	registry_set_state(f->registry, red, SOURCE_LISTENING, NULL); /* is no change */
	blue = add(f, "blue", 1);
	registry_set_state(f->registry, red, SOURCE_GONE, "deleted");
	expect_change(f, &cursor, red, SOURCE_WAITING);
	expect_change(f, &cursor, red, SOURCE_LISTENING);
	expect_change(f, &cursor, blue, SOURCE_WAITING);
	expect_change(f, &cursor, red, SOURCE_GONE);
	assert_int_equal(registry_changes(f->registry, &cursor, &change, 1), 0);
	assert_int_equal(registry_change_end(f->registry), cursor);
}

static void a_reader_that_is_too_late_is_told_so(void **state)
{
	struct fixture *f = *state;
	struct source *red = add(f, "red", 1);
	struct source_change change;
	uint64_t cursor = 0;
	char detail[32];

	for (int i = 0; i < 4095; i++) {
		(void)snprintf(detail, sizeof(detail), "%d", i);
		registry_set_state(f->registry, red, SOURCE_FAILED, detail);
	}
	expect_change(f, &cursor, red, SOURCE_WAITING);
	registry_set_state(f->registry, red, SOURCE_LISTENING, NULL);
	expect_change(f, &cursor, red, SOURCE_FAILED);
	cursor = 0;
	assert_int_equal(registry_changes(f->registry, &cursor, &change, 1), -EOVERFLOW);
	assert_int_equal(cursor, 0);
}

static void the_order_of_arrival_is_what_intake_says(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(registry_order(f->registry), 0);
	registry_set_order(f->registry, 77);
	assert_int_equal(registry_order(f->registry), 77);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(sources_are_listed_by_namespace_then_group_number),
	    CASE(select_takes_exact_names_and_groups_only),
	    CASE(same_pair_twice_is_refused),
	    CASE(ids_are_unique_not_zero_and_at_most_three_varint_bytes),
	    CASE(new_source_waits_and_state_carries_its_reason),
	    CASE(selected_sources_outlive_the_registry),
	    CASE(a_name_that_is_removed_is_free_and_its_lives_are_told_apart),
	    CASE(packets_of_what_is_gone_expire_but_it_stays_known),
	    CASE(of_too_many_that_are_gone_the_oldest_is_forgotten),
	    CASE(changes_are_told_once_and_in_order),
	    CASE(a_reader_that_is_too_late_is_told_so),
	    CASE(the_order_of_arrival_is_what_intake_says),
	    CASE(without_memory_add_and_select_fail_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
