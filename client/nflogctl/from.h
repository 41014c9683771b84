/* SPDX-License-Identifier: MIT */
/*
 * from.h - nflogctl subscribe --from: a durable log, of any number of hosts, shown as a stream is
 *
 * What the server does for a subscription is done here: namespaces, groups, filters, times. The order is
 * that of the log: each source's own, and across hosts about that of arrival.
 */
#ifndef NFLOGCTL_FROM_H
#define NFLOGCTL_FROM_H

#include <stdint.h>

struct subscribe_settings;

/* Shows the log. Returns an exit code. */
int from_run(const struct subscribe_settings *settings, int64_t now_ns);

/* Options that are for a server, or for several, beside --from. Returns EXIT_DONE, or EXIT_USAGE after
 * complaining. */
int from_check(const struct subscribe_settings *settings);

#endif
