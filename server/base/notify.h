/* SPDX-License-Identifier: MIT */
/*
 * base/notify.h - tell systemd how the daemon is doing: sd_notify(3) without libsystemd
 *
 * Without NOTIFY_SOCKET in the environment every call does nothing and returns 0; that is the case
 * when the daemon was not started by a service manager.
 *
 * Returns of all calls that send: 1 sent, 0 nobody to tell, -errno.
 * Threads: any, as long as none changes the environment.
 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdint.h>

int notify_ready(void);
/* A reload has begun; notify_ready() ends it. */
int notify_reloading(void);
int notify_stopping(void);
/* One line for `systemctl status`. */
int notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
int notify_watchdog(void);

/* How often notify_watchdog() must be called at least, in ms: half of WATCHDOG_USEC, so that one
 * late call is forgiven. 0: the manager does not watch this process. */
int64_t notify_watchdog_interval_ms(void);

#endif
