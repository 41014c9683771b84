/* SPDX-License-Identifier: MIT */
/* The settings behind enum batching. Figures: shared measurements of the kernel's batches, README. */
#include "batching.h"

#include <errno.h>
#include <stddef.h>

#include "bytes.h"

static const struct {
	const char *name;
	uint32_t qthresh;
	uint32_t timeout_ms;
	uint32_t nlbufsiz;
} batchings[] = {
    /* the kernel's own size of the buffer: each packet is given one of its own */
    [BATCHING_SINGLE] = {"single", 1, 0, NFL_NLBUFSIZ_MIN},
    /* 0 is the next tick; 16064 and the kernel's overhead are four pages */
    [BATCHING_SMALL] = {"small", 64, 0, 16064},
    [BATCHING_LARGE] = {"large", 4096, 20, 130752},
};

int batching_apply(enum batching batching, struct nfl_listener_options *options)
{
	if (options->profile != NFL_PROFILE_ADAPTIVE || (size_t)batching >= ARRAY_SIZE(batchings))
		return -EINVAL;
	if (!(options->set & NFL_SET_QTHRESH))
		options->qthresh = batchings[batching].qthresh;
	if (!(options->set & NFL_SET_TIMEOUT))
		options->timeout_ms = batchings[batching].timeout_ms;
	if (!(options->set & NFL_SET_NLBUFSIZ))
		options->nlbufsiz = batchings[batching].nlbufsiz;
	options->set |= NFL_SET_QTHRESH | NFL_SET_TIMEOUT | NFL_SET_NLBUFSIZ;
	return 0;
}

const char *batching_name(enum batching batching)
{
	return (size_t)batching < ARRAY_SIZE(batchings) ? batchings[batching].name : "?";
}
