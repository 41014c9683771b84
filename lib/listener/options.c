/* SPDX-License-Identifier: MIT */
/*
 * options.c - the caller's options to what goes to the kernel
 *
 * The kernel says yes to an unknown copy mode, to flags it does not know and to buffer sizes out of
 * range, and ignores them. Here is where such values end. Called by open.c and socket.c.
 */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "bytes.h"
#include "error.h"

#define KNOWN_FLAGS (NFL_FLAG_SEQ | NFL_FLAG_SEQ_GLOBAL | NFL_FLAG_CONNTRACK)
#define KNOWN_SET                                                                                  \
	(NFL_SET_QTHRESH | NFL_SET_TIMEOUT | NFL_SET_NLBUFSIZ | NFL_SET_RCVBUF | NFL_SET_COPY_RANGE)
#define RCVBUF_MAX       ((uint32_t)INT_MAX / 2) /* the kernel doubles it, in an int */
#define TIMEOUT_STEP_MS  10U                     /* the kernel counts in 1/100 s */
#define NLBUFSIZ_DEFAULT 0U                      /* not sent */

struct profile {
	uint32_t qthresh;
	uint32_t timeout_ms;
	uint32_t nlbufsiz;
};

static const struct profile profiles[] = {
    [NFL_PROFILE_BALANCED] = {4096, 10, 65216},
    [NFL_PROFILE_LATENCY] = {1, 0, NLBUFSIZ_DEFAULT},
    [NFL_PROFILE_THROUGHPUT] = {4096, 100, 130752},
    [NFL_PROFILE_ADAPTIVE] = {1, 0, NLBUFSIZ_DEFAULT},
};

/* A program built with a newer header may pass a longer struct, as long as it asks for nothing
 * that is not known here. */
static int copy_options(const struct nfl_listener_options *options,
			struct nfl_listener_options *ret, struct nfl_error *err)
{
	const unsigned char *bytes = (const unsigned char *)options;

	if (options->size < sizeof(*ret))
		return error_set(err, -EINVAL, "options.size is %zu, expected at least %zu",
				 options->size, sizeof(*ret));
	for (size_t i = sizeof(*ret); i < options->size; i++) {
		if (bytes[i])
			return error_set(err, -EINVAL,
					 "options ask for something newer than this library");
	}
	*ret = *options;
	return 0;
}

static int check_choices(const struct nfl_listener_options *o, struct nfl_error *err)
{
	if (o->set & ~KNOWN_SET)
		return error_set(err, -EINVAL, "options.set has unknown bits 0x%" PRIx32,
				 o->set & ~KNOWN_SET);
	if (o->flags & ~KNOWN_FLAGS)
		return error_set(err, -EINVAL,
				 "unknown flags 0x%" PRIx32
				 ", expected SEQ (1), SEQ_GLOBAL (2), CONNTRACK (4)",
				 o->flags & ~KNOWN_FLAGS);
	if ((size_t)o->profile >= ARRAY_SIZE(profiles))
		return error_set(err, -EINVAL, "unknown profile %u", (unsigned)o->profile);
	if (o->copy_mode != NFL_COPY_PACKET && o->copy_mode != NFL_COPY_META &&
	    o->copy_mode != NFL_COPY_NONE)
		return error_set(err, -EINVAL,
				 "unknown copy mode %u, expected packet, meta or none",
				 (unsigned)o->copy_mode);
	return 0;
}

static int check_range(const char *name, uint32_t value, uint32_t min, uint32_t max,
		       struct nfl_error *err)
{
	if (value >= min && value <= max)
		return 0;
	return error_set(err, -EINVAL, "%s is %" PRIu32 ", expected %" PRIu32 "..%" PRIu32, name,
			 value, min, max);
}

static int check_numbers(const struct nfl_listener_options *o, struct nfl_error *err)
{
	int r = 0;

	if (o->set & NFL_SET_COPY_RANGE)
		r = check_range("copy_range", o->copy_range, 0, NFL_COPY_RANGE_MAX, err);
	if (r == 0 && o->set & NFL_SET_TIMEOUT)
		r = check_range("timeout_ms", o->timeout_ms, 0, NFL_TIMEOUT_MAX_MS, err);
	if (r == 0 && o->set & NFL_SET_NLBUFSIZ)
		r = check_range("nlbufsiz", o->nlbufsiz, NFL_NLBUFSIZ_MIN, NFL_NLBUFSIZ_MAX, err);
	if (r == 0 && o->set & NFL_SET_RCVBUF)
		r = check_range("rcvbuf", o->rcvbuf, 1, RCVBUF_MAX, err);
	return r;
}

static void complete(struct nfl_listener_options *o)
{
	const struct profile *profile = &profiles[o->profile];

	if (!(o->set & NFL_SET_QTHRESH))
		o->qthresh = profile->qthresh;
	if (!(o->set & NFL_SET_TIMEOUT))
		o->timeout_ms = profile->timeout_ms;
	if (!(o->set & NFL_SET_NLBUFSIZ))
		o->nlbufsiz = profile->nlbufsiz;
	if (!(o->set & NFL_SET_RCVBUF))
		o->rcvbuf = NFL_RCVBUF_DEFAULT;
	if (!(o->set & NFL_SET_COPY_RANGE) || o->copy_range == 0)
		o->copy_range = NFL_COPY_RANGE_MAX;
	if (o->copy_mode != NFL_COPY_PACKET)
		o->copy_range = 0;
	/* Shorter waits than asked for would be a surprise of their own: 1 ms is not "at once". */
	o->timeout_ms = (o->timeout_ms + TIMEOUT_STEP_MS - 1) / TIMEOUT_STEP_MS * TIMEOUT_STEP_MS;
}

int options_resolve(const struct nfl_listener_options *options, struct nfl_listener_options *ret,
		    struct nfl_error *err)
{
	struct nfl_listener_options o;
	int r;

	r = copy_options(options, &o, err);
	if (r < 0)
		return r;
	r = check_choices(&o, err);
	if (r < 0)
		return r;
	r = check_numbers(&o, err);
	if (r < 0)
		return r;
	complete(&o);
	*ret = o;
	return 0;
}
