/* SPDX-License-Identifier: MIT */
/*
 * base/batching.h - how many packets of a source the kernel gathers, where the profile is adaptive
 *
 * Intake decides by how fast packets come (intake/adapt.h), the opener does it: these are the only
 * settings that it gives to a group other than the configured ones.
 */
#ifndef SERVER_BATCHING_H
#define SERVER_BATCHING_H

#include <nfl/listener.h>

enum batching {
	BATCHING_SINGLE, /* each packet at once: 0.1 ms, and 10 to 30 us of CPU for each */
	BATCHING_SMALL,  /* 64 or what comes within a tick, 4 ms at 250 Hz */
	BATCHING_LARGE,  /* as `throughput`, but 20 ms at most */
};

/**
 * batching_apply - settings of an adaptive group
 * @options: those of the configuration; single settings that it names stay
 * 0, or -EINVAL: not adaptive, or no such batching.
 */
int batching_apply(enum batching batching, struct nfl_listener_options *options);

/* "single", ... for the log. */
const char *batching_name(enum batching batching);

#endif
