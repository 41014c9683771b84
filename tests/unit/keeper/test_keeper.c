/* SPDX-License-Identifier: MIT */
/*
 * keeper: what becomes of sources when namespaces come, go, change and cannot be bound
 *
 * Everything around it is played: namespaces, sockets, intake, registry and the clock. What is done
 * to sources is written down as text, such as "+1 1=WAITING 1=LISTENING": the first source is
 * added, waits, is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bytes.h"
#include "clock.h"
#include "intake.h"
#include "keeper.h"
#include "links.h"
#include "opener.h"
#include "presence.h"
#include "source.h"
#include "wanted.h"

#define SOURCES_MAX 32
#define SPACES_MAX  8

struct played_source {
	struct source source;
	enum source_state state;
	char detail[256];
	char netns[32];
	unsigned refs;
	bool removed;
	struct space *space; /* that reads it */
};

struct played_space {
	const char *shown;
	uint64_t inode;
	bool is_there;
	bool is_news;
};

static struct {
	int64_t now_ns;
	struct played_space spaces[SPACES_MAX];
	size_t space_count;
	bool reports_all;
	bool is_cut_short;    /* the report has no end: the worker died of something */
	const char *unwanted; /* the name that is not reported any more after a reload */
	int take_result;
	int reload_result;
	int open_result; /* of namespaces */
	int bind_result; /* of groups */
	unsigned binds;  /* tried */
	uint64_t opened; /* inode of the last namespace */
	unsigned configured;
	size_t listeners; /* open */
	size_t spaces_read;
	struct played_source sources[SOURCES_MAX];
	size_t source_count;
	char told[1024];
	unsigned changes;
	struct rules rules;
	struct keeper *keeper;
} world;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
	size_t len = strlen(world.told);
	va_list args;

	if (len > 0 && len < sizeof(world.told) - 1)
		world.told[len++] = ' ';
	va_start(args, format);
	(void)vsnprintf(world.told + len, sizeof(world.told) - len, format, args);
	va_end(args);
}

/* --- played: clock, namespaces, sockets -------------------------------------------------- */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	*ret = (struct timespec){.tv_sec = world.now_ns / NS_PER_S,
				 .tv_nsec = world.now_ns % NS_PER_S};
	return 0;
}

bool __wrap_opener_has_events(const struct opener *opener);
bool __wrap_opener_has_events(const struct opener *opener)
{
	(void)opener;
	return true;
}

int __wrap_opener_fd(const struct opener *opener);
int __wrap_opener_fd(const struct opener *opener)
{
	(void)opener;
	return -1;
}

static void report(void (*fn)(const struct opener_event *event, void *data), void *data,
		   enum opener_event_kind kind, const struct played_space *space, bool is_there)
{
	const struct opener_event event = {.kind = kind,
					   .shown = space ? space->shown : NULL,
					   .is_there = is_there,
					   .dev = 4,
					   .inode = space ? space->inode : 0};

	fn(&event, data);
}

/* What changed since the last report; the first one is of all there is. */
int __wrap_opener_take(struct opener *opener,
		       void (*fn)(const struct opener_event *event, void *data), void *data);
int __wrap_opener_take(struct opener *opener,
		       void (*fn)(const struct opener_event *event, void *data), void *data)
{
	(void)opener;
	if (world.take_result < 0)
		return world.take_result;
	if (world.reports_all)
		report(fn, data, OPENER_ALL, NULL, false);
	for (size_t i = 0; i < world.space_count; i++) {
		struct played_space *space = &world.spaces[i];

		if (world.reports_all || space->is_news)
			report(fn, data, OPENER_SPACE, space, space->is_there);
		space->is_news = false;
	}
	if (world.is_cut_short)
		return 0;
	report(fn, data, OPENER_END, NULL, false);
	world.reports_all = false;
	return 0;
}

static int play_fd(int *ret_fd)
{
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	return 0;
}

int __wrap_opener_open(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
		       uint16_t group, int *ret_fd, struct nfl_error *err);
int __wrap_opener_open(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
		       uint16_t group, int *ret_fd, struct nfl_error *err)
{
	(void)opener;
	(void)shown;
	(void)group;
	assert_int_equal(dev, 4);
	world.opened = inode;
	(void)snprintf(err->text, sizeof(err->text), "not to be opened");
	if (world.open_result < 0)
		return world.open_result;
	world.binds++;
	(void)snprintf(err->text, sizeof(err->text), "taken by 7");
	return world.bind_result < 0 ? world.bind_result : play_fd(ret_fd);
}

int __wrap_opener_links(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
			int *ret_fd, struct nfl_error *err);
int __wrap_opener_links(struct opener *opener, const char *shown, uint64_t dev, uint64_t inode,
			int *ret_fd, struct nfl_error *err)
{
	(void)opener;
	(void)shown;
	(void)dev;
	(void)inode;
	(void)err;
	return play_fd(ret_fd);
}

int __wrap_opener_reload(struct opener *opener, struct nfl_error *err);
int __wrap_opener_reload(struct opener *opener, struct nfl_error *err)
{
	(void)opener;
	(void)snprintf(err->text, sizeof(err->text), "not to be read");
	for (size_t i = 0; i < world.space_count && world.unwanted; i++)
		if (strcmp(world.spaces[i].shown, world.unwanted) == 0)
			world.spaces[i].is_there = false;
	world.reports_all |= world.unwanted != NULL;
	return world.reload_result;
}

int __wrap_links_adopt(int fd, struct links **ret, struct nfl_error *err);
int __wrap_links_adopt(int fd, struct links **ret, struct nfl_error *err)
{
	(void)err;
	(void)close(fd);
	*ret = malloc(1);
	return 0;
}

void __wrap_links_close(struct links *links);
void __wrap_links_close(struct links *links)
{
	free(links);
}

int __wrap_nfl_listener_adopt(const struct nfl_listener_options *options, int fd,
			      struct nfl_listener **ret, struct nfl_error *err);
int __wrap_nfl_listener_adopt(const struct nfl_listener_options *options, int fd,
			      struct nfl_listener **ret, struct nfl_error *err)
{
	(void)err;
	assert_true(options->flags & NFL_FLAG_SEQ);
	(void)close(fd);
	*ret = malloc(1);
	world.listeners++;
	return 0;
}

void __wrap_nfl_listener_close(struct nfl_listener *listener);
void __wrap_nfl_listener_close(struct nfl_listener *listener)
{
	free(listener);
	world.listeners--;
}

/* --- played: sources and who reads them -------------------------------------------------- */

static struct played_source *played(struct source *source)
{
	return (struct played_source *)source;
}

int __wrap_registry_add(struct registry *registry, const struct source_spec *spec,
			struct source **ret);
int __wrap_registry_add(struct registry *registry, const struct source_spec *spec,
			struct source **ret)
{
	struct played_source *new = &world.sources[world.source_count];

	(void)registry;
	for (size_t i = 0; i < world.source_count; i++)
		if (!world.sources[i].removed && world.sources[i].source.group == spec->group &&
		    strcmp(world.sources[i].netns, spec->netns) == 0)
			return -EEXIST;
	assert_true(world.source_count < SOURCES_MAX);
	world.source_count++;
	(void)snprintf(new->netns, sizeof(new->netns), "%s", spec->netns);
	new->source.id = (uint32_t)world.source_count;
	new->source.group = spec->group;
	new->source.netns = new->netns;
	new->refs = 1;
	tell("+%u", new->source.id);
	*ret = &new->source;
	return 0;
}

void __wrap_registry_set_state(struct registry *registry, struct source *source,
			       enum source_state state, const char *detail);
void __wrap_registry_set_state(struct registry *registry, struct source *source,
			       enum source_state state, const char *detail)
{
	static const char *const names[] = {"", "LISTENING", "WAITING", "FAILED", "GONE"};

	(void)registry;
	if (played(source)->state != state)
		tell("%u=%s", source->id, names[state]);
	played(source)->state = state;
	(void)snprintf(played(source)->detail, sizeof(played(source)->detail), "%s",
		       detail ? detail : "");
}

void __wrap_registry_remove(struct registry *registry, struct source *source, int64_t now_ns);
void __wrap_registry_remove(struct registry *registry, struct source *source, int64_t now_ns)
{
	(void)registry;
	(void)now_ns;
	assert_false(played(source)->removed);
	played(source)->removed = true;
	tell("-%u", source->id);
}

int64_t __wrap_registry_expire(struct registry *registry, int64_t now_ns);
int64_t __wrap_registry_expire(struct registry *registry, int64_t now_ns)
{
	(void)registry;
	return now_ns + 60 * NS_PER_S;
}

struct source *__wrap_source_ref(struct source *source);
struct source *__wrap_source_ref(struct source *source)
{
	played(source)->refs++;
	return source;
}

struct source *__wrap_source_unref(struct source *source);
struct source *__wrap_source_unref(struct source *source)
{
	if (source)
		played(source)->refs--;
	return NULL;
}

void __wrap_source_status(struct source *source, struct source_status *ret);
void __wrap_source_status(struct source *source, struct source_status *ret)
{
	*ret = (struct source_status){.state = played(source)->state};
}

int __wrap_intake_add_space(struct intake *intake, struct links *links, struct space **ret);
int __wrap_intake_add_space(struct intake *intake, struct links *links, struct space **ret)
{
	(void)intake;
	world.spaces_read++;
	*ret = (struct space *)links; /* as good a number as any */
	return 0;
}

int __wrap_intake_add_feed(struct intake *intake, struct space *space, struct source *source,
			   struct nfl_listener *listener);
int __wrap_intake_add_feed(struct intake *intake, struct space *space, struct source *source,
			   struct nfl_listener *listener)
{
	(void)intake;
	played(source)->space = space;
	__wrap_nfl_listener_close(listener); /* nobody will ask for it */
	world.listeners++;
	__wrap_registry_set_state(NULL, source, SOURCE_LISTENING, NULL);
	return 0;
}

void __wrap_intake_remove_space(struct intake *intake, struct space *space, const char *detail);
void __wrap_intake_remove_space(struct intake *intake, struct space *space, const char *detail)
{
	(void)intake;
	for (size_t i = 0; i < world.source_count; i++) {
		if (world.sources[i].space != space)
			continue;
		world.sources[i].space = NULL;
		world.listeners--;
		__wrap_registry_set_state(NULL, &world.sources[i].source, SOURCE_GONE, detail);
	}
	world.spaces_read--;
	free(space);
}

int __wrap_intake_remove_feed(struct intake *intake, struct space *space, struct source *source,
			      const char *detail);
int __wrap_intake_remove_feed(struct intake *intake, struct space *space, struct source *source,
			      const char *detail)
{
	(void)intake;
	(void)space;
	world.listeners--;
	played(source)->space = NULL;
	__wrap_registry_set_state(NULL, source, SOURCE_GONE, detail);
	return 0;
}

int __wrap_intake_configure(struct intake *intake, struct space *space, struct source *source,
			    const struct nfl_listener_options *options);
int __wrap_intake_configure(struct intake *intake, struct space *space, struct source *source,
			    const struct nfl_listener_options *options)
{
	(void)intake;
	(void)space;
	(void)source;
	(void)options;
	world.configured++;
	return 0;
}

/* --- the world, from outside ------------------------------------------------------------- */

static int setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.now_ns = 1000 * NS_PER_S;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keeper_free(world.keeper);
	rules_done(&world.rules);
	for (size_t i = 0; i < world.source_count; i++) {
		assert_int_equal(world.sources[i].refs, 1);
		free(world.sources[i].space); /* of one group, in these tests */
	}
	return 0;
}

static void want(enum presence_kind kind, const char *text)
{
	const struct rule rule = {.kind = kind, .first = 100, .last = 100};

	assert_int_equal(rules_add(&world.rules, text, &rule), 0);
}

static void on_change(void *data)
{
	(void)data;
	world.changes++;
}

/* Another look; returns what was told since the last one. */
static const char *look(void)
{
	static char told[sizeof(world.told)];
	const struct keeper_options options = {.rules = &world.rules, .changed = on_change};

	if (!world.keeper) {
		rules_sort(&world.rules);
		assert_int_equal(keeper_new(&options, NULL, NULL, NULL, &world.keeper), 0);
	}
	(void)keeper_scan(world.keeper, 1000);
	strcpy(told, world.told);
	world.told[0] = '\0';
	return told;
}

static struct played_space *find_space(const char *shown)
{
	for (size_t i = 0; i < world.space_count; i++)
		if (strcmp(world.spaces[i].shown, shown) == 0)
			return &world.spaces[i];
	assert_true(world.space_count < SPACES_MAX);
	world.spaces[world.space_count].shown = shown;
	return &world.spaces[world.space_count++];
}

static void appear(const char *shown, uint64_t inode)
{
	struct played_space *space = find_space(shown);

	space->inode = inode;
	space->is_there = space->is_news = true;
}

static void vanish(const char *shown)
{
	struct played_space *space = find_space(shown);

	space->is_there = false;
	space->is_news = true;
}

static void assert_counts(size_t sources, size_t listening)
{
	struct keeper_counts counts = keeper_counts(world.keeper);

	assert_int_equal(counts.sources, sources);
	assert_int_equal(counts.listening, listening);
	assert_int_equal(world.listeners, listening);
}

/* --- cases: coming and going ------------------------------------------------------------- */

static void name_waits_and_is_read_when_it_appears(void **state)
{
	(void)state;
	want(PRESENCE_NAME, "red");
	assert_string_equal(look(), "+1 1=WAITING");
	assert_string_equal(world.sources[0].detail, "the namespace does not exist");
	assert_counts(1, 0);
	appear("red", 7);
	assert_string_equal(look(), "1=LISTENING");
	assert_int_equal(world.sources[0].source.netns_inode, 7);
	assert_counts(1, 1);
	assert_int_equal(world.changes, 2);
	assert_string_equal(look(), "");
	assert_int_equal(world.changes, 2);
}

static void name_that_vanishes_is_let_go_at_once_and_a_new_source_waits(void **state)
{
	(void)state;
	want(PRESENCE_NAME, "red");
	appear("red", 7);
	assert_string_equal(look(), "+1 1=WAITING 1=LISTENING");
	vanish("red");
	assert_string_equal(look(), "-1 1=GONE +2 2=WAITING");
	assert_int_equal(world.spaces_read, 0);
	assert_counts(1, 0);
	appear("red", 8);
	assert_string_equal(look(), "2=LISTENING");
	assert_counts(1, 1);
}

static void namespace_of_a_glob_leaves_nothing_that_waits(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "r*");
	assert_string_equal(look(), "");
	appear("red", 7);
	appear("blue", 8);
	assert_string_equal(look(), "+1 1=WAITING 1=LISTENING");
	vanish("red");
	assert_string_equal(look(), "-1 1=GONE");
	assert_counts(0, 0);
	appear("red", 9);
	assert_string_equal(look(), "+2 2=WAITING 2=LISTENING");
}

static void another_namespace_under_the_same_name_is_another_source(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	(void)look();
	vanish("red");
	appear("red", 8); /* in between nobody looked */
	assert_string_equal(look(), "-1 1=GONE +2 2=WAITING 2=LISTENING");
	assert_counts(1, 1);
}

static void namespace_moved_to_another_name_is_let_go_before_it_is_read_again(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	(void)look();
	vanish("red");
	appear("blue", 7);
	assert_string_equal(look(), "-1 1=GONE +2 2=WAITING 2=LISTENING");
}

static void opener_that_is_lost_lets_go_of_nothing_and_main_is_told(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	(void)look();
	assert_false(keeper_is_lost(world.keeper));
	vanish("red");
	appear("blue", 8);
	world.changes = 0;
	world.take_result = -EPIPE;
	assert_string_equal(look(), "");
	assert_counts(1, 1);
	assert_true(keeper_is_lost(world.keeper));
	assert_int_equal(world.changes, 1);
	assert_string_equal(look(), "");
	assert_int_equal(world.changes, 1);
}

static void worker_that_was_started_again_reports_all_and_what_it_has_not_is_gone(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	appear("blue", 8);
	(void)look();
	world.reports_all = true;
	assert_string_equal(look(), ""); /* nothing is another */
	vanish("red");
	world.reports_all = true;
	assert_string_equal(look(), "-2 2=GONE");
	assert_counts(1, 1);
}

static void report_that_was_cut_short_makes_no_namespace(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("blue", 8);
	(void)look();
	appear("red", 7);
	world.is_cut_short = true;
	assert_string_equal(look(), "");
	world.is_cut_short = false;
	world.space_count = 1; /* red has gone before the next worker looked */
	world.reports_all = true;
	assert_string_equal(look(), "");
	assert_counts(1, 1);
}

/* --- cases: what cannot be read ---------------------------------------------------------- */

static void second_name_of_a_namespace_says_which_the_first_is_and_takes_over(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("blue", 7);
	appear("red", 7);
	assert_string_equal(look(), "+1 1=WAITING 1=LISTENING +2 2=WAITING 2=FAILED");
	assert_non_null(strstr(world.sources[1].detail, "\"blue\""));
	assert_int_equal(world.binds, 1);
	assert_int_equal(world.spaces_read, 1);
	vanish("blue");
	assert_string_equal(look(), "-1 1=GONE 2=LISTENING");
	assert_counts(1, 1);
}

static void taken_group_is_tried_again_less_and_less_often(void **state)
{
	int64_t pause_ns = 100 * NS_PER_MS;

	(void)state;
	want(PRESENCE_NAME, "red");
	appear("red", 7);
	world.bind_result = -EBUSY;
	assert_string_equal(look(), "+1 1=WAITING 1=FAILED");
	assert_string_equal(world.sources[0].detail, "taken by 7; trying again");
	for (unsigned tries = 1; tries < 12; tries++) {
		world.now_ns += pause_ns - 1;
		assert_string_equal(look(), "");
		assert_int_equal(world.binds, tries);
		world.now_ns += 1;
		assert_string_equal(look(), "");
		assert_int_equal(world.binds, tries + 1);
		pause_ns = 2 * pause_ns > 30 * NS_PER_S ? 30 * NS_PER_S : 2 * pause_ns;
	}
	assert_int_equal(world.spaces_read, 0); /* not held on to for nothing */
	world.bind_result = 0;
	world.now_ns += pause_ns;
	assert_string_equal(look(), "1=LISTENING");
}

static void failed_one_that_vanishes_is_gone(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	world.bind_result = -EPERM;
	assert_string_equal(look(), "+1 1=WAITING 1=FAILED");
	vanish("red");
	assert_string_equal(look(), "-1 1=GONE");
	assert_counts(0, 0);
}

static void listener_that_died_is_opened_again_after_a_pause(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	appear("blue", 8);
	(void)look();
	world.now_ns += 60 * NS_PER_S;
	world.sources[0].state = SOURCE_FAILED; /* as intake does; with it goes the socket */
	world.listeners--;
	keeper_feed_failed(world.keeper);
	assert_string_equal(look(), "");
	assert_counts(2, 1);
	world.now_ns += 100 * NS_PER_MS;
	assert_string_equal(look(), "1=LISTENING");
	assert_int_equal(world.binds, 3);
	assert_counts(2, 2);
}

static void file_that_is_no_network_namespace_is_shown_by_no_glob(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("mnt", 7);
	world.open_result = -ENOENT;
	assert_string_equal(look(), "");
	world.open_result = 0;
	world.now_ns += 100 * NS_PER_MS;
	assert_string_equal(look(), "+1 1=WAITING 1=LISTENING");
}

static void namespace_replaced_while_it_is_opened_waits_for_the_next_scan(void **state)
{
	(void)state;
	want(PRESENCE_NAME_GLOB, "*");
	appear("red", 7);
	world.open_result = -ESTALE;
	assert_string_equal(look(), "");
	world.open_result = 0;
	appear("red", 8);
	assert_string_equal(look(), "+1 1=WAITING 1=LISTENING");
	assert_int_equal(world.sources[0].source.netns_inode, 8);
}

static void what_may_not_be_looked_at_says_why_and_is_read_once_it_may(void **state)
{
	(void)state;
	want(PRESENCE_PROCESS, "pid:7");
	appear("pid:7", 0);
	world.open_result = -EPERM;
	assert_string_equal(look(), "+1 1=WAITING 1=FAILED");
	assert_string_equal(world.sources[0].detail, "not to be opened; trying again");
	world.open_result = 0;
	appear("pid:7", 9);
	assert_string_equal(look(), "1=LISTENING");
	assert_counts(1, 1);
}

/* --- cases: other rules ------------------------------------------------------------------ */

static struct rules *rules_of(size_t count, const struct rule *items, const char *const *texts)
{
	static struct rules rules;

	rules = (struct rules){0};
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rules_add(&rules, texts[i], &items[i]), 0);
	rules_sort(&rules);
	return &rules;
}

/* Has the keeper's thread do it, which may have another look afterwards; returns what was told. */
static const char *set_rules(struct rules *rules)
{
	assert_int_equal(keeper_start(world.keeper), 0);
	assert_int_equal(keeper_set_rules(world.keeper, rules), 0);
	keeper_stop(world.keeper);
	return look();
}

static void groups_that_no_rule_wants_any_more_are_let_go_and_others_are_not_touched(void **state)
{
	static const char *const texts[] = {"blue", "red"};
	const struct rule rules[] = {{.kind = PRESENCE_NAME, .first = 100, .last = 100},
				     {.kind = PRESENCE_NAME, .first = 101, .last = 101}};

	(void)state;
	want(PRESENCE_NAME, "blue");
	want(PRESENCE_NAME, "red");
	appear("blue", 7);
	appear("red", 8);
	(void)look();
	assert_string_equal(set_rules(rules_of(2, rules, texts)),
			    "-2 2=GONE +3 3=WAITING 3=LISTENING");
	assert_string_equal(world.sources[1].detail, "no longer configured");
	assert_int_equal(world.configured, 0);
	assert_counts(2, 2);
}

static void name_that_is_no_longer_wanted_is_forgotten_and_a_new_one_waits(void **state)
{
	static const char *const texts[] = {"green"};
	const struct rule rules[] = {{.kind = PRESENCE_NAME, .first = 100, .last = 100}};

	(void)state;
	want(PRESENCE_NAME, "red");
	want(PRESENCE_NAME, "blue");
	appear("red", 7);
	(void)look();
	/* Blue, the first in their order, has only ever waited. */
	assert_string_equal(set_rules(rules_of(1, rules, texts)),
			    "-1 1=GONE -2 2=GONE +3 3=WAITING");
	world.spaces[0].is_there = false;
	world.reports_all = true; /* as the opener does; it does not tell of red any more */
	assert_string_equal(look(), "");
	assert_counts(1, 0);
}

/* The opener has the new rules first, and by them it reports less. */
static void report_after_a_reload_waits_for_the_rules(void **state)
{
	static const char *const texts[] = {"blue"};
	const struct rule rules[] = {{.kind = PRESENCE_NAME, .first = 100, .last = 100}};
	struct nfl_error err;

	(void)state;
	want(PRESENCE_NAME, "blue");
	want(PRESENCE_NAME_GLOB, "r*");
	appear("blue", 7);
	appear("red", 8);
	(void)look();
	world.unwanted = "red";
	assert_int_equal(keeper_start(world.keeper), 0);
	assert_int_equal(keeper_reload(world.keeper, &err), 0);
	assert_int_equal(keeper_reload(world.keeper, &err), 0); /* between two there is a turn */
	assert_int_equal(keeper_set_rules(world.keeper, rules_of(1, rules, texts)), 0);
	keeper_stop(world.keeper);
	assert_string_equal(look(), "-2 2=GONE");
	assert_string_equal(world.sources[1].detail, "no longer configured");
	assert_counts(1, 1);
}

static void settings_that_changed_are_set_without_letting_go(void **state)
{
	static const char *const texts[] = {"red"};
	struct rule rules[] = {{.kind = PRESENCE_NAME, .first = 100, .last = 100}};

	(void)state;
	want(PRESENCE_NAME, "red");
	appear("red", 7);
	(void)look();
	assert_string_equal(set_rules(rules_of(1, rules, texts)), "");
	assert_int_equal(world.configured, 0);
	rules[0].wanted.options.copy_range = 64;
	assert_string_equal(set_rules(rules_of(1, rules, texts)), "");
	assert_int_equal(world.configured, 1);
	assert_counts(1, 1);
}

static void reload_that_the_opener_refuses_says_why(void **state)
{
	struct nfl_error err;

	(void)state;
	want(PRESENCE_NAME, "red");
	(void)look();
	world.reload_result = -EINVAL;
	assert_int_equal(keeper_start(world.keeper), 0);
	assert_int_equal(keeper_reload(world.keeper, &err), -EINVAL);
	assert_string_equal(err.text, "not to be read");
	keeper_stop(world.keeper);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(name_waits_and_is_read_when_it_appears),
	    CASE(name_that_vanishes_is_let_go_at_once_and_a_new_source_waits),
	    CASE(namespace_of_a_glob_leaves_nothing_that_waits),
	    CASE(another_namespace_under_the_same_name_is_another_source),
	    CASE(namespace_moved_to_another_name_is_let_go_before_it_is_read_again),
	    CASE(opener_that_is_lost_lets_go_of_nothing_and_main_is_told),
	    CASE(worker_that_was_started_again_reports_all_and_what_it_has_not_is_gone),
	    CASE(report_that_was_cut_short_makes_no_namespace),
	    CASE(second_name_of_a_namespace_says_which_the_first_is_and_takes_over),
	    CASE(taken_group_is_tried_again_less_and_less_often),
	    CASE(failed_one_that_vanishes_is_gone),
	    CASE(listener_that_died_is_opened_again_after_a_pause),
	    CASE(file_that_is_no_network_namespace_is_shown_by_no_glob),
	    CASE(namespace_replaced_while_it_is_opened_waits_for_the_next_scan),
	    CASE(what_may_not_be_looked_at_says_why_and_is_read_once_it_may),
	    CASE(groups_that_no_rule_wants_any_more_are_let_go_and_others_are_not_touched),
	    CASE(name_that_is_no_longer_wanted_is_forgotten_and_a_new_one_waits),
	    CASE(report_after_a_reload_waits_for_the_rules),
	    CASE(settings_that_changed_are_set_without_letting_go),
	    CASE(reload_that_the_opener_refuses_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
