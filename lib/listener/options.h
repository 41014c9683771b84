/* SPDX-License-Identifier: MIT */
/* listener/options.h - what the caller asked for, checked and completed */
#ifndef LISTENER_OPTIONS_H
#define LISTENER_OPTIONS_H

#include <nfl/listener.h>

/**
 * options_resolve - check every value and fill in what the profile sets
 * @ret: a copy in which copy_range, qthresh, timeout_ms, nlbufsiz and rcvbuf are what the kernel
 *     gets, whatever `set` says; nlbufsiz 0: the kernel's default. netns is borrowed as in @options
 *
 * The kernel acknowledges values that it then ignores, so nothing wrong may reach it.
 * Returns 0 or -EINVAL with @err naming the option.
 */
int options_resolve(const struct nfl_listener_options *options, struct nfl_listener_options *ret,
		    struct nfl_error *err);

#endif
