/* SPDX-License-Identifier: MIT */
/*
 * What happens to a name: it waits, appears, is opened group by group, tried again, and vanishes.
 *
 * A namespace is kept alive by each descriptor and socket of it, so the file is open only while its
 * sockets are made, and these go when the name does.
 */
#include "name.h"

#include <errno.h>
#include <search.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "intake.h"
#include "links.h"
#include "log.h"
#include "netns.h"
#include "source.h"

#define BACKOFF_FIRST_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS   (30 * NS_PER_S)

#define TEXT_WAITING "the namespace does not exist"
#define TEXT_GONE    "the namespace was deleted"
#define TEXT_AGAIN   "; trying again"

#define QUOTED_BYTES 600

/* --- sources ----------------------------------------------------------------------------- */

static void set_state(struct house *house, struct seat *seat, enum source_state state,
		      const char *detail)
{
	registry_set_state(house->registry, seat->source, state, detail);
	house->has_news = true;
}

/* A seat that has none gets one. */
static int need_source(struct house *house, struct seat *seat)
{
	const struct source_spec spec = {
	    .netns = seat->name->shown,
	    .group = seat->wanted.options.group,
	    .log_bytes = house->log_bytes,
	    .account = seat->wanted.account,
	};
	struct source *source;
	int r;

	if (seat->source)
		return 0;
	r = registry_add(house->registry, &spec, &source);
	if (r < 0)
		return r;
	seat->source = source_ref(source);
	house->sources++;
	set_state(house, seat, SOURCE_WAITING, TEXT_WAITING);
	return 0;
}

static void log_failure(const struct seat *seat, const char *event, const char *why)
{
	char text[QUOTED_BYTES];

	log_warn(event, "netns=%s group=%u error=%s", seat->name->shown, seat->wanted.options.group,
		 log_quote(text, sizeof(text), why));
}

/* --- trying again ------------------------------------------------------------------------ */

static void try_later(struct seat *seat, int64_t now_ns)
{
	int64_t pause_ns = seat->backoff_ns ? 2 * seat->backoff_ns : BACKOFF_FIRST_NS;

	seat->backoff_ns = pause_ns > BACKOFF_MAX_NS ? BACKOFF_MAX_NS : pause_ns;
	seat->retry_ns = now_ns + seat->backoff_ns;
}

/* The text is the same at each try: only another reason is news. */
static void fail(struct house *house, struct seat *seat, const char *why, int64_t now_ns)
{
	char detail[sizeof(((struct nfl_error *)0)->text) + sizeof(TEXT_AGAIN)];
	bool is_first = seat->backoff_ns == 0;

	try_later(seat, now_ns);
	if (is_first)
		log_failure(seat, "listener.failed", why);
	if (need_source(house, seat) < 0)
		return;
	(void)snprintf(detail, sizeof(detail), "%s" TEXT_AGAIN, why);
	set_state(house, seat, SOURCE_FAILED, detail);
}

/* --- opening ----------------------------------------------------------------------------- */

static int compare_seats(const void *a, const void *b)
{
	const struct seat *left = a;
	const struct seat *right = b;

	if (left->name->inode != right->name->inode)
		return left->name->inode < right->name->inode ? -1 : 1;
	if (left->name->dev != right->name->dev)
		return left->name->dev < right->name->dev ? -1 : 1;
	return (int)left->wanted.options.group - (int)right->wanted.options.group;
}

/* The kernel would refuse it as well, but could not say that the other reader is this daemon. */
static int claim(struct house *house, struct seat *seat, char *why, size_t cap)
{
	struct seat **found = tsearch(seat, &house->open, compare_seats);

	if (!found) {
		(void)snprintf(why, cap, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	seat->is_double = *found != seat;
	if (!seat->is_double)
		return 0;
	(void)snprintf(why, cap,
		       "the same namespace as \"%s\", whose group %u this daemon reads already",
		       (*found)->name->shown, seat->wanted.options.group);
	return -EBUSY;
}

static void unclaim(struct house *house, struct seat *seat)
{
	(void)tdelete(seat, &house->open, compare_seats);
}

/* Interface names; without them packets are read all the same. */
static struct links *open_links(const struct name *name, int netns_fd)
{
	const struct nfl_netns netns = {.kind = NFL_NETNS_FD, .fd = netns_fd};
	struct links *links = NULL;
	char text[QUOTED_BYTES];
	struct nfl_error err;

	if (links_open(&netns, &links, &err) < 0)
		log_warn("links.failed", "netns=%s error=%s effect=\"no interface names\"",
			 name->shown, log_quote(text, sizeof(text), err.text));
	return links;
}

static int need_space(struct house *house, struct name *name, int netns_fd)
{
	struct links *links;
	int r;

	if (name->space)
		return 0;
	links = open_links(name, netns_fd);
	r = intake_add_space(house->intake, links, &name->space);
	if (r < 0)
		links_close(links);
	return r;
}

/* A bound listener becomes intake's. */
static int hand_over(struct house *house, struct name *name, struct seat *seat, int netns_fd,
		     struct nfl_listener *listener)
{
	int r = need_space(house, name, netns_fd);

	atomic_store(&seat->source->netns_inode, name->inode);
	if (r == 0)
		r = intake_add_feed(house->intake, name->space, seat->source, listener);
	if (r < 0)
		nfl_listener_close(listener);
	return r;
}

static int bind_group(struct house *house, struct name *name, struct seat *seat, int netns_fd,
		      struct nfl_error *err)
{
	struct nfl_listener_options options = seat->wanted.options;
	struct nfl_listener *listener;
	int r;

	options.flags |= NFL_FLAG_SEQ;
	options.netns = (struct nfl_netns){.kind = NFL_NETNS_FD, .fd = netns_fd};
	r = nfl_listener_open(&options, &listener, err);
	if (r < 0)
		return r;
	r = hand_over(house, name, seat, netns_fd, listener);
	if (r < 0)
		(void)snprintf(err->text, sizeof(err->text), "cannot be read: %s", strerror(-r));
	return r;
}

static void open_seat(struct house *house, struct name *name, struct seat *seat, int netns_fd,
		      int64_t now_ns)
{
	struct nfl_error err = {0};
	int r = need_source(house, seat);

	if (r < 0) {
		fail(house, seat, strerror(-r), now_ns);
		return;
	}
	r = claim(house, seat, err.text, sizeof(err.text));
	if (r == 0) {
		r = bind_group(house, name, seat, netns_fd, &err);
		if (r < 0)
			unclaim(house, seat);
	}
	if (r < 0) {
		fail(house, seat, err.text, now_ns);
		return;
	}
	seat->is_open = true;
	seat->opened_ns = now_ns;
	house->listening++;
	house->has_news = true;
	log_info("listener.bound", "netns=%s group=%u", name->shown, seat->wanted.options.group);
}

/* -ESTALE: it is another one already, as the next scan will find. */
static int open_namespace(const struct name *name, int *ret_fd, struct nfl_error *err)
{
	const struct nfl_netns netns = {.kind = NFL_NETNS_PATH, .name = name->path};
	CLEANUP(closep) int fd = -1;
	uint64_t dev = 0;
	uint64_t inode = 0;
	int r = netns_open(&netns, &fd, err);

	if (r < 0)
		return r;
	r = netns_identify(fd, &dev, &inode);
	if (r < 0 || dev != name->dev || inode != name->inode)
		return -ESTALE;
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool is_due(const struct house *house, const struct seat *seat, int64_t now_ns)
{
	return !seat->is_open &&
	       (seat->retry_ns <= now_ns || (seat->is_double && house->has_freed));
}

static bool any_due(const struct house *house, const struct name *name, int64_t now_ns)
{
	for (size_t i = 0; i < name->count; i++)
		if (is_due(house, &name->seats[i], now_ns))
			return true;
	return false;
}

static void plan_retry(struct name *name)
{
	name->retry_ns = INT64_MAX;
	for (size_t i = 0; i < name->count && name->path; i++)
		if (!name->seats[i].is_open && name->seats[i].retry_ns < name->retry_ns)
			name->retry_ns = name->seats[i].retry_ns;
}

void name_open(struct house *house, struct name *name, int64_t now_ns)
{
	CLEANUP(closep) int netns_fd = -1;
	struct nfl_error err = {0};
	int r;

	if (!name->path || (name->retry_ns > now_ns && !house->has_freed) ||
	    !any_due(house, name, now_ns))
		return;
	r = open_namespace(name, &netns_fd, &err);
	for (size_t i = 0; i < name->count; i++) {
		struct seat *seat = &name->seats[i];

		if (!is_due(house, seat, now_ns))
			continue;
		if (r == 0)
			open_seat(house, name, seat, netns_fd, now_ns);
		else if (r == -ENOENT || r == -ESTALE) /* not, or no more, a network namespace */
			try_later(seat, now_ns);
		else
			fail(house, seat, err.text, now_ns);
	}
	plan_retry(name);
}

static void find_dead(struct house *house, struct seat *seat, int64_t now_ns)
{
	struct source_status status;

	if (!seat->is_open)
		return;
	source_status(seat->source, &status);
	if (status.state != SOURCE_FAILED)
		return;
	seat->is_open = false;
	house->listening--;
	unclaim(house, seat);
	/* One that dies each time it is opened is not to be opened for ever without a pause. */
	if (now_ns - seat->opened_ns > BACKOFF_MAX_NS)
		seat->backoff_ns = 0;
	try_later(seat, now_ns);
}

void name_find_dead(struct house *house, struct name *name, int64_t now_ns)
{
	for (size_t i = 0; i < name->count; i++)
		find_dead(house, &name->seats[i], now_ns);
	plan_retry(name);
}

/* --- coming and going -------------------------------------------------------------------- */

static int find_seats(const struct house *house, struct name *name)
{
	CLEANUP(freep) struct wanted *wanted = NULL;
	int r = rules_find(house->rules, name->shown, &wanted, &name->count);

	if (r < 0 || name->count == 0)
		return r;
	name->seats = calloc(name->count, sizeof(struct seat));
	if (!name->seats)
		return -ENOMEM;
	for (size_t i = 0; i < name->count; i++)
		name->seats[i] = (struct seat){.name = name, .wanted = wanted[i]};
	return 0;
}

int name_new(const struct house *house, const char *shown, bool is_named, struct name **ret)
{
	struct name *name = calloc(1, sizeof(*name));
	int r = -ENOMEM;

	if (!name)
		return -ENOMEM;
	name->is_named = is_named;
	name->retry_ns = INT64_MAX;
	name->shown = strdup(shown);
	if (name->shown)
		r = find_seats(house, name);
	if (r < 0) {
		free(name->shown);
		free(name);
		return r;
	}
	*ret = name;
	return 0;
}

void name_free(struct house *house, struct name *name)
{
	if (!name)
		return;
	for (size_t i = 0; i < name->count; i++) {
		if (name->seats[i].is_open)
			unclaim(house, &name->seats[i]);
		(void)source_unref(name->seats[i].source);
	}
	free(name->seats);
	free(name->path);
	free(name->shown);
	free(name);
}

void name_wait(struct house *house, struct name *name)
{
	for (size_t i = 0; i < name->count; i++) {
		int r = need_source(house, &name->seats[i]);

		if (r < 0) /* there will be one when it appears */
			log_failure(&name->seats[i], "source.failed", strerrordesc_np(-r));
	}
}

bool name_is(const struct name *name, const struct presence_space *space)
{
	return name->path && name->dev == space->dev && name->inode == space->inode;
}

int name_appear(struct name *name, const struct presence_space *space, int64_t now_ns)
{
	char *path = strdup(space->path);

	if (!path)
		return -ENOMEM;
	free(name->path);
	name->path = path;
	name->dev = space->dev;
	name->inode = space->inode;
	for (size_t i = 0; i < name->count; i++) {
		name->seats[i].retry_ns = now_ns;
		name->seats[i].backoff_ns = 0;
	}
	plan_retry(name);
	return 0;
}

static void leave_seat(struct house *house, struct seat *seat, int64_t now_ns)
{
	struct source_status status = {0};

	if (seat->source)
		source_status(seat->source, &status);
	if (status.state == SOURCE_WAITING || !seat->source)
		return; /* nothing was ever read: it waits on */
	if (seat->is_open) {
		unclaim(house, seat);
		house->listening--;
		house->has_freed = true;
	}
	registry_remove(house->registry, seat->source, now_ns);
	if (!seat->is_open) /* else intake does, after the last packet */
		set_state(house, seat, SOURCE_GONE, TEXT_GONE);
	house->has_news = true;
	house->sources--;
	log_info("listener.gone", "netns=%s group=%u", seat->name->shown,
		 seat->wanted.options.group);
	seat->source = source_unref(seat->source);
	seat->is_open = seat->is_double = false;
}

void name_vanish(struct house *house, struct name *name, int64_t now_ns)
{
	for (size_t i = 0; i < name->count; i++)
		leave_seat(house, &name->seats[i], now_ns);
	if (name->space)
		intake_remove_space(house->intake, name->space, TEXT_GONE);
	name->space = NULL;
	free(name->path);
	name->path = NULL;
	name->retry_ns = INT64_MAX;
	if (name->is_named)
		name_wait(house, name);
}
