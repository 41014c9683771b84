/* SPDX-License-Identifier: MIT */
/*
 * The worker's loop: it looks at the namespaces there are and reports what has changed, and does what
 * it is asked. A request names what it wants as presence shows it; path, settings and whether it may be
 * wanted at all come from the worker's own rules and its own last look.
 *
 * The daemon may be in the hands of an attacker: whatever it sends, the worker goes on.
 */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "clock.h"
#include "links.h"
#include "log.h"
#include "netns.h"
#include "opener.h"
#include "presence.h"
#include "protocol.h"
#include "wanted.h"

#define LOG_INTERVAL_NS (10 * NS_PER_S)
/* For who asks and does not listen; then its answer is dropped, and what was to be passed with it. */
#define ANSWER_TIMEOUT_MS 1000

struct worker {
	const struct opener_options *options; /* borrowed */
	const int *sockets;                   /* borrowed; reports go to the first */
	struct rules rules;                   /* in force; owned once it was reloaded */
	bool owns_rules;
	struct presence *presence;  /* owned */
	struct presence_list known; /* the last look, as it was reported */
	bool is_complete;           /* false: the next report is of all that there is */
	bool scan_failed;           /* the last one */
	uint64_t refused;           /* requests that were malformed */
	int64_t refused_ns;         /* when the last of them was logged */
};

static void worker_done(struct worker *worker)
{
	presence_list_done(&worker->known);
	presence_free(worker->presence);
	if (worker->owns_rules)
		rules_done(&worker->rules);
}

/* --- reporting ----------------------------------------------------------------------------- */

static int send_event(const struct worker *worker, enum protocol_kind kind,
		      const struct presence_space *space, bool is_there)
{
	struct protocol_message message = {.kind = kind};

	if (space) {
		if (strlen(space->shown) >= sizeof(message.text))
			return 0; /* no request could name it */
		memcpy(message.text, space->shown, strlen(space->shown));
		message.is_there = is_there;
		message.dev = space->dev;
		message.inode = space->inode;
	}
	return protocol_send_message(worker->sockets[0], &message, -1, PROTOCOL_FOR_EVER);
}

/* What no rule wants is none of the daemon's business. */
static bool is_wanted(const struct worker *worker, const char *shown)
{
	return rules_meet(&worker->rules, shown);
}

static int report_one(const struct worker *worker, const struct presence_space *space,
		      bool is_there)
{
	if (!is_wanted(worker, space->shown))
		return 0;
	return send_event(worker, PROTOCOL_SPACE, space, is_there);
}

static bool is_same(const struct presence_space *a, const struct presence_space *b)
{
	return a->dev == b->dev && a->inode == b->inode;
}

/* Walks what was known and what is there side by side; both are in the order of their names. */
static int report_changes(const struct worker *worker, const struct presence_list *now)
{
	const struct presence_list *known = &worker->known;
	size_t k = 0;
	size_t n = 0;
	int r = 0;

	while (r == 0 && (k < known->count || n < now->count)) {
		int order = k == known->count ? 1
			    : n == now->count ? -1
					      : strcmp(known->items[k].shown, now->items[n].shown);

		if (order < 0)
			r = report_one(worker, &known->items[k], false);
		else if (order > 0 || !is_same(&known->items[k], &now->items[n]))
			r = report_one(worker, &now->items[n], true);
		k += order <= 0;
		n += order >= 0;
	}
	return r;
}

static bool is_news(const struct worker *worker, const struct presence_list *now)
{
	if (!worker->is_complete || worker->known.count != now->count)
		return true;
	for (size_t i = 0; i < now->count; i++)
		if (!is_same(&worker->known.items[i], &now->items[i]) ||
		    strcmp(worker->known.items[i].shown, now->items[i].shown) != 0)
			return true;
	return false;
}

static int report(struct worker *worker, struct presence_list *now)
{
	int r = 0;

	if (!is_news(worker, now))
		return 0;
	if (!worker->is_complete) {
		presence_list_done(&worker->known); /* the daemon is to know of nothing else */
		r = send_event(worker, PROTOCOL_ALL, NULL, false);
	}
	if (r == 0)
		r = report_changes(worker, now);
	if (r == 0)
		r = send_event(worker, PROTOCOL_END, NULL, false);
	worker->is_complete = true;
	return r;
}

static int look(struct worker *worker, int64_t now_ns)
{
	struct presence_list now = {0};
	int r = presence_scan(worker->presence, now_ns, &now);

	if (r < 0 && !worker->scan_failed)
		log_warn("opener.scan", "error=\"%s\" effect=\"looking again each second\"",
			 strerrordesc_np(-r));
	worker->scan_failed = r < 0;
	if (r < 0)
		return 0;
	r = report(worker, &now);
	presence_list_done(&worker->known);
	worker->known = now;
	return r;
}

static int new_presence(const struct rules *rules, const char *names, struct presence **ret)
{
	CLEANUP(freep)
	struct presence_selector *selectors =
	    calloc(rules->count + 1, sizeof(struct presence_selector));
	size_t count = 0;

	if (!selectors)
		return -ENOMEM;
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];

		if (i == 0 || strcmp(rule[-1].text, rule->text) != 0)
			selectors[count++] = (struct presence_selector){rule->kind, rule->text};
	}
	return presence_new(selectors, count, names, ret);
}

/* --- requests ------------------------------------------------------------------------------ */

/* What is done for one request. */
struct answer {
	int fd; /* owned; to be passed; -1: none */
	struct nfl_error err;
};

static int refuse(struct answer *answer, int r, const char *text)
{
	(void)snprintf(answer->err.text, sizeof(answer->err.text), "%s", text);
	return r;
}

static int compare_shown(const void *key, const void *item)
{
	return strcmp(key, ((const struct presence_space *)item)->shown);
}

/* The settings of a group that the rules have. */
static int find_wanted(const struct worker *worker, const struct protocol_request *request,
		       struct answer *answer, struct nfl_listener_options *ret)
{
	struct wanted wanted;

	if (!rules_get(&worker->rules, request->shown, (uint16_t)request->group, &wanted))
		return refuse(answer, -EACCES, "not in the configuration that the opener has read");
	*ret = wanted.options;
	ret->flags |= NFL_FLAG_SEQ;
	return 0;
}

/* The namespace of the request, if it is still the one that was reported. */
static int open_namespace(const struct worker *worker, const struct protocol_request *request,
			  struct answer *answer, int *ret_fd)
{
	const struct presence_space *space =
	    bsearch(request->shown, worker->known.items, worker->known.count,
		    sizeof(struct presence_space), compare_shown);
	struct nfl_netns netns = {.kind = NFL_NETNS_PATH};
	CLEANUP(closep) int fd = -1;
	uint64_t dev = 0;
	uint64_t inode = 0;
	int r;

	if (!space)
		return refuse(answer, -ENOENT, "the namespace does not exist");
	netns.name = space->path;
	r = netns_open(&netns, &fd, &answer->err);
	if (r < 0)
		return r;
	r = netns_identify(fd, &dev, &inode);
	if (r < 0 || dev != request->dev || inode != request->inode)
		return refuse(answer, -ESTALE, "the namespace is another one by now");
	*ret_fd = take_fd(&fd);
	return 0;
}

static int do_open(struct worker *worker, const struct protocol_request *request,
		   struct answer *answer)
{
	struct nfl_listener_options options;
	CLEANUP(closep) int netns_fd = -1;
	int r = find_wanted(worker, request, answer, &options);

	if (r == 0)
		r = open_namespace(worker, request, answer, &netns_fd);
	if (r < 0)
		return r;
	options.netns = (struct nfl_netns){.kind = NFL_NETNS_FD, .fd = netns_fd};
	return nfl_socket_open(&options, &answer->fd, &answer->err);
}

static int do_links(struct worker *worker, const struct protocol_request *request,
		    struct answer *answer)
{
	CLEANUP(closep) int netns_fd = -1;
	struct nfl_netns netns = {.kind = NFL_NETNS_FD};
	int r;

	if (!is_wanted(worker, request->shown))
		return refuse(answer, -EACCES, "not in the configuration that the opener has read");
	r = open_namespace(worker, request, answer, &netns_fd);
	if (r < 0)
		return r;
	netns.fd = netns_fd;
	return links_socket_open(&netns, &answer->fd, &answer->err);
}

static int do_unbind(const struct protocol_request *request, int fd, struct answer *answer)
{
	int r = nfl_socket_unbind(fd, (uint16_t)request->group);

	return r < 0 ? refuse(answer, r, strerrordesc_np(-r)) : 0;
}

static int do_configure(struct worker *worker, const struct protocol_request *request, int fd,
			struct answer *answer)
{
	struct nfl_listener_options options;
	int r = find_wanted(worker, request, answer, &options);

	if (r < 0)
		return r;
	if (options.profile == NFL_PROFILE_ADAPTIVE || request->batching != BATCHING_SINGLE)
		r = batching_apply((enum batching)request->batching, &options);
	if (r < 0)
		return refuse(answer, -EACCES, "no such batching is configured");
	r = nfl_socket_configure(fd, &options);
	return r < 0 ? refuse(answer, r, strerrordesc_np(-r)) : 0;
}

static int do_reload(struct worker *worker, struct answer *answer)
{
	struct rules rules = {0};
	struct presence *presence;
	int r;

	if (!worker->options->reload)
		return refuse(answer, -ENOTSUP, "there is nothing to reload");
	r = worker->options->reload(worker->options->data, &rules);
	if (r == 0)
		r = new_presence(&rules, worker->options->names, &presence);
	if (r < 0) {
		rules_done(&rules);
		return refuse(answer, r, "the opener could not read the configuration");
	}
	presence_free(worker->presence);
	if (worker->owns_rules)
		rules_done(&worker->rules);
	worker->presence = presence;
	worker->rules = rules;
	worker->owns_rules = true;
	worker->is_complete = false;
	return 0;
}

static int do_request(struct worker *worker, const struct protocol_request *request, int fd,
		      struct answer *answer)
{
	switch ((enum protocol_op)request->op) {
	case PROTOCOL_OPEN:
		return do_open(worker, request, answer);
	case PROTOCOL_LINKS:
		return do_links(worker, request, answer);
	case PROTOCOL_UNBIND:
		return do_unbind(request, fd, answer);
	case PROTOCOL_CONFIGURE:
		return do_configure(worker, request, fd, answer);
	case PROTOCOL_RELOAD:
		return do_reload(worker, answer);
	case PROTOCOL_REPORT:
		worker->is_complete = false;
		return 0;
	}
	return refuse(answer, -EINVAL, "no such request"); /* was checked */
}

/* Who sends such things is not our daemon any more: worth a line, but not a flood of them. */
static void note_refused(struct worker *worker, int len)
{
	int64_t now_ns = monotonic_ns();

	worker->refused++;
	if (worker->refused > 1 && now_ns - worker->refused_ns < LOG_INTERVAL_NS)
		return;
	worker->refused_ns = now_ns;
	log_warn("opener.refused", "error=\"a malformed request\" bytes=%d times=%llu", len,
		 (unsigned long long)worker->refused);
}

/* Returns 1, or -errno (-EPIPE: the daemon has closed its end). */
static int serve_one(struct worker *worker, int socket, int64_t now_ns)
{
	struct protocol_message message = {.kind = PROTOCOL_ANSWER};
	struct protocol_request request;
	struct answer answer = {.fd = -1};
	CLEANUP(closep) int fd = -1;
	int r = protocol_receive(socket, &request, sizeof(request), &fd);

	if (r == -EAGAIN)
		return 1;
	if (r < 0)
		return r;
	if (r != (int)sizeof(request)) {
		note_refused(worker, r);
		return 1; /* no answer: who asked is not in it */
	}
	if (protocol_is_request(&request, r, fd)) {
		message.error = do_request(worker, &request, fd, &answer);
	} else {
		note_refused(worker, r);
		message.error = refuse(&answer, -EBADMSG, "a malformed request");
	}
	message.seq = request.seq;
	memcpy(message.text, answer.err.text, sizeof(answer.err.text));
	r = protocol_send_message(socket, &message, answer.fd, ANSWER_TIMEOUT_MS);
	closep(&answer.fd);
	if (r == 0 && !worker->is_complete)
		r = look(worker, now_ns);
	return r < 0 && r != -ETIMEDOUT ? r : 1;
}

/* --- the loop ------------------------------------------------------------------------------ */

static int wait_for_work(struct worker *worker)
{
	struct pollfd fds[WARDEN_SOCKETS + PRESENCE_FDS] = {
	    {.fd = worker->sockets[0], .events = POLLIN},
	    {.fd = worker->sockets[1], .events = POLLIN}};
	size_t count = presence_fds(worker->presence, fds + WARDEN_SOCKETS);
	int64_t wait_ns = presence_due(worker->presence) - monotonic_ns();
	struct timespec timeout = {0};
	int r = 1;

	if (wait_ns > 0) {
		timeout.tv_sec = (time_t)(wait_ns / NS_PER_S);
		timeout.tv_nsec = (long)(wait_ns % NS_PER_S);
	}
	if (ppoll(fds, WARDEN_SOCKETS + count, &timeout, NULL) < 0)
		return 1; /* no memory: the time is over soon */
	for (size_t i = WARDEN_SOCKETS; r > 0 && i-- > 0;)
		if (fds[i].revents)
			r = serve_one(worker, fds[i].fd, monotonic_ns());
	/* After a reload these are of another presence, and its first look was just made. */
	if (r > 0)
		presence_take(worker->presence, fds + WARDEN_SOCKETS, count, monotonic_ns());
	return r;
}

int worker_run(const struct opener_options *options, const int sockets[WARDEN_SOCKETS])
{
	CLEANUP(worker_done)
	struct worker worker = {.options = options, .sockets = sockets, .rules = *options->rules};
	int r = new_presence(&worker.rules, options->names, &worker.presence);

	if (r == 0)
		r = 1;
	while (r > 0) {
		int64_t now_ns = monotonic_ns();

		if (presence_is_due(worker.presence, now_ns))
			r = look(&worker, now_ns) < 0 ? -EPIPE : 1;
		if (r > 0)
			r = wait_for_work(&worker);
	}
	return r == -EPIPE ? 0 : r;
}
