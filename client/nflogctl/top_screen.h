/* SPDX-License-Identifier: MIT */
/*
 * top_screen.h - the terminal of nflogctl top: what is on it, and what its keys do
 *
 * Threads: main. Signals must be blocked before top_screen_open(): ncurses would install handlers
 * of its own, which never run then.
 */
#ifndef NFLOGCTL_TOP_SCREEN_H
#define NFLOGCTL_TOP_SCREEN_H

#include <stdbool.h>

#include "top_count.h"

enum top_sort {
	TOP_BY_PACKET_RATE,
	TOP_BY_BYTE_RATE,
	TOP_BY_PACKETS,
	TOP_BY_BYTES,
	TOP_BY_LOST,
	TOP_BY_NAME,
};
#define TOP_SORT_COUNT 6

/* What a key asks the caller for. */
enum top_wish {
	TOP_WISH_NONE,
	TOP_WISH_QUIT,
	TOP_WISH_CLEAR,
};

struct top_screen {
	void *terminal; /* SCREEN *, owned; NULL: not open */
	const char *server;
	enum top_view view;
	enum top_sort sort;
	bool paused;
	size_t scroll; /* rows above the first one shown */
};

/* 0 or -errno: -ENOTTY, -EINVAL for a terminal that $TERM does not describe. */
int top_screen_open(struct top_screen *screen);

/* Gives the terminal back as it was. */
void top_screen_close(struct top_screen *screen);

/* The same for a while: stops the process until somebody continues it. */
void top_screen_suspend(struct top_screen *screen);

/* The terminal has another size now, or somebody else has written on it. */
void top_screen_resize(struct top_screen *screen);

/* Sorts the rows of the view in place, and draws. */
void top_screen_draw(struct top_screen *screen, struct top_snapshot *snapshot);

/* Takes what was typed, until nothing is left. */
enum top_wish top_screen_keys(struct top_screen *screen);

#endif
