/* SPDX-License-Identifier: MIT */
/*
 * failing.h - allocations of our own objects that fail, one after the other
 *
 * Linking nfl::failing sends every allocation of what is linked statically (our rooms, not libc, gRPC,
 * libyaml or cmocka) through here. Where none is to fail, nothing is changed.
 *
 * Threads: what fails is asked for by the thread that said failing_on(); others are left alone.
 */
#ifndef FAILING_H
#define FAILING_H

/**
 * failing_fn - what is tried, with one allocation failing
 * Says failing_on() in front of what it tries and failing_off() behind it, frees all, and asserts what
 * has to hold after a failure. Returns what it tried has returned.
 */
typedef int (*failing_fn)(const void *data);

void failing_on(void);
void failing_off(void);

/**
 * failing_each - run with the 1st, 2nd, ... allocation failing, until there is no such one
 * @expected: what @fn returns when nothing fails; -ENOMEM otherwise
 * Twice: where one allocation fails, and where all that follow fail as well. Fails the test when @fn
 * returns anything else. Returns how many allocations there are.
 */
unsigned failing_each(failing_fn fn, const void *data, int expected);

/* The same for what can do without some of its memory: then @fn may return @expected, too. */
unsigned failing_each_or_without(failing_fn fn, const void *data, int expected);

#endif
