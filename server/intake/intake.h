/* SPDX-License-Identifier: MIT */
/*
 * intake/intake.h - one thread that reads every listener and fills the sources' logs
 *
 * recv -> decode -> name interfaces -> number -> wire_store straight into the history -> publish,
 * without an allocation for a packet. After each round of epoll the wake function is called once
 * when anything was published.
 *
 * Threads: add before start; start and stop from main. The thread is intake's own.
 */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include <nfl/listener.h>

struct registry;
struct source;
struct intake;

/* Called on the intake thread; must not wait. */
typedef void (*intake_wake_fn)(void *data);

/* @registry: borrowed; where states and the order of arrival are set */
int intake_new(struct registry *registry, struct intake **ret);

/**
 * intake_add - open the listener of a source; it is read once intake_start() was called
 * @source: a reference is taken
 * @options: as for nfl_listener_open(); NFL_FLAG_SEQ is added
 * Sets the source's state: LISTENING, WAITING (no such namespace) or FAILED with the reason. A
 * namespace that is known by another name already is not bound twice: -EBUSY.
 * Returns 0 or the error of nfl_listener_open(); the daemon goes on in either case.
 */
int intake_add(struct intake *intake, struct source *source,
	       const struct nfl_listener_options *options, struct nfl_error *err);

int intake_start(struct intake *intake, intake_wake_fn wake, void *wake_data);

/* Unbinds every group, reads what the kernel still holds, wakes a last time and ends the thread.
 * Does nothing when it was not started. */
void intake_stop(struct intake *intake);
void intake_free(struct intake *intake); /* NULL is allowed; stops first */

#endif
