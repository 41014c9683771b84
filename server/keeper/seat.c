/* SPDX-License-Identifier: MIT */
/*
 * What happens to a group of a name: its source is told of, its socket opened and given to intake,
 * tried again, set anew, let go.
 *
 * A namespace is kept alive by each socket of it, so these go when the name does.
 */
#include "seat.h"

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
#include "name.h"
#include "opener.h"
#include "source.h"

#define BACKOFF_FIRST_NS (100 * NS_PER_MS)
#define BACKOFF_MAX_NS   (30 * NS_PER_S)

#define TEXT_WAITING "the namespace does not exist"
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
int seat_need_source(struct house *house, struct seat *seat)
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

void seat_log_failure(const struct seat *seat, const char *event, const char *why)
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

void seat_try_now(struct seat *seat, int64_t now_ns)
{
	seat->retry_ns = now_ns;
	seat->backoff_ns = 0;
}

/* The text is the same at each try: only another reason is news. */
static void fail(struct house *house, struct seat *seat, const char *why, int64_t now_ns)
{
	char detail[sizeof(((struct nfl_error *)0)->text) + sizeof(TEXT_AGAIN)];
	bool is_first = seat->backoff_ns == 0;

	try_later(seat, now_ns);
	if (is_first)
		seat_log_failure(seat, "listener.failed", why);
	if (seat_need_source(house, seat) < 0)
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

static bool is_passing(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS;
}

/* Interface names; without them packets are read all the same (@ret: NULL). Where it is descriptors or
 * memory that are wanting the whole namespace waits for them: names would never come. */
static int open_links(const struct house *house, const struct name *name, struct links **ret)
{
	CLEANUP(closep) int fd = -1;
	char text[QUOTED_BYTES];
	struct nfl_error err;
	int r = opener_links(house->opener, name->shown, name->dev, name->inode, &fd, &err);

	*ret = NULL;
	if (r == 0)
		r = links_adopt(fd, ret, &err);
	if (r == 0)
		fd = -1; /* the links' */
	if (r == 0 || is_passing(r))
		return r;
	log_warn("links.failed", "netns=%s error=%s effect=\"no interface names\"", name->shown,
		 log_quote(text, sizeof(text), err.text));
	return 0;
}

static int need_space(struct house *house, struct name *name)
{
	struct links *links;
	int r;

	if (name->space)
		return 0;
	r = open_links(house, name, &links);
	if (r < 0)
		return r;
	r = intake_add_space(house->intake, links, &name->space);
	if (r < 0)
		links_close(links);
	return r;
}

static struct nfl_listener_options options_of(const struct seat *seat)
{
	struct nfl_listener_options options = seat->wanted.options;

	options.flags |= NFL_FLAG_SEQ;
	return options;
}

/* A bound listener becomes intake's. */
static int hand_over(struct house *house, struct name *name, struct seat *seat,
		     struct nfl_listener *listener)
{
	int r = need_space(house, name);

	atomic_store(&seat->source->netns_inode, name->inode);
	if (r == 0)
		r = intake_add_feed(house->intake, name->space, seat->source, listener);
	return r;
}

static int adopt(struct house *house, struct name *name, struct seat *seat, int fd,
		 struct nfl_error *err)
{
	const struct nfl_listener_options options = options_of(seat);
	struct nfl_listener *listener;
	int r = nfl_listener_adopt(&options, fd, &listener, err);

	if (r < 0) {
		closep(&fd);
		return r;
	}
	r = hand_over(house, name, seat, listener);
	if (r < 0) {
		nfl_listener_close(listener);
		(void)snprintf(err->text, sizeof(err->text), "cannot be read: %s", strerror(-r));
	}
	return r;
}

static int bind_group(struct house *house, struct name *name, struct seat *seat,
		      struct nfl_error *err)
{
	CLEANUP(closep) int fd = -1;
	int r = opener_open(house->opener, name->shown, name->dev, name->inode,
			    seat->wanted.options.group, &fd, err);

	if (r < 0)
		return r;
	r = seat_need_source(house, seat); /* now that there is a namespace for sure */
	if (r < 0) {
		(void)snprintf(err->text, sizeof(err->text), "%s", strerror(-r));
		return r;
	}
	return adopt(house, name, seat, take_fd(&fd), err);
}

/* Of a report that is not up to date, which the next one is. */
static bool is_outdated(int r)
{
	return r == -ENOENT || r == -ESTALE;
}

void seat_open(struct house *house, struct name *name, struct seat *seat, int64_t now_ns)
{
	struct nfl_error err = {0};
	int r = claim(house, seat, err.text, sizeof(err.text));

	if (r == 0) {
		r = bind_group(house, name, seat, &err);
		if (r < 0)
			unclaim(house, seat);
	}
	house->is_lost |= r == -EPIPE;
	if (is_outdated(r))
		try_later(seat, now_ns);
	else if (r < 0)
		fail(house, seat, err.text, now_ns);
	if (r < 0)
		return;
	seat->is_open = true;
	seat->opened_ns = now_ns;
	house->listening++;
	house->has_news = true;
	log_info("listener.bound", "netns=%s group=%u", name->shown, seat->wanted.options.group);
}

/* --- setting anew ------------------------------------------------------------------------ */

static bool is_set_alike(const struct nfl_listener_options *a, const struct nfl_listener_options *b)
{
	return a->set == b->set && a->flags == b->flags && a->profile == b->profile &&
	       a->copy_mode == b->copy_mode && a->copy_range == b->copy_range &&
	       a->qthresh == b->qthresh && a->timeout_ms == b->timeout_ms &&
	       a->nlbufsiz == b->nlbufsiz && a->rcvbuf == b->rcvbuf;
}

void seat_set(struct house *house, struct name *name, struct seat *seat,
	      const struct wanted *wanted)
{
	bool is_alike = is_set_alike(&seat->wanted.options, &wanted->options);
	struct nfl_listener_options options;
	int r;

	seat->wanted = *wanted;
	if (is_alike || !seat->is_open)
		return;
	options = options_of(seat);
	r = intake_configure(house->intake, name->space, seat->source, &options);
	if (r < 0)
		seat_log_failure(seat, "listener.not_configured", strerrordesc_np(-r));
}

/* --- letting go -------------------------------------------------------------------------- */

void seat_find_dead(struct house *house, struct seat *seat, int64_t now_ns)
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

/* Of a seat that is let go of; its feed is removed afterwards, alone or with its space. */
void seat_leave(struct house *house, struct seat *seat, const char *why, int64_t now_ns)
{
	if (seat->is_open) {
		unclaim(house, seat);
		house->listening--;
		house->has_freed = true;
	}
	registry_remove(house->registry, seat->source, now_ns);
	if (!seat->is_open) /* else intake does, after the last packet */
		set_state(house, seat, SOURCE_GONE, why);
	house->has_news = true;
	house->sources--;
	log_info("listener.gone", "netns=%s group=%u reason=\"%s\"", seat->name->shown,
		 seat->wanted.options.group, why);
}

void seat_forget_source(struct seat *seat)
{
	seat->source = source_unref(seat->source);
	seat->is_open = seat->is_double = false;
}

bool seat_is_waiting(const struct seat *seat)
{
	struct source_status status = {.state = SOURCE_WAITING};

	if (seat->source)
		source_status(seat->source, &status);
	return status.state == SOURCE_WAITING;
}

/* --- life -------------------------------------------------------------------------------- */

struct seat *seat_new(const struct name *name, const struct wanted *wanted)
{
	struct seat *seat = calloc(1, sizeof(*seat));

	if (!seat)
		return NULL;
	seat->name = name;
	seat->wanted = *wanted;
	return seat;
}

void seat_free(struct house *house, struct seat *seat)
{
	if (seat->is_open)
		unclaim(house, seat);
	(void)source_unref(seat->source);
	free(seat);
}
