/* SPDX-License-Identifier: MIT */
/* intake/watch.h - what an epoll event is about; first member of what is watched */
#ifndef INTAKE_WATCH_H
#define INTAKE_WATCH_H

enum watch_kind {
	WATCH_INBOX, /* struct watch alone: something was added or is to go, or the thread is to end */
	WATCH_FEED,  /* struct feed: its listener is readable */
	WATCH_SPACE, /* struct space: its links have news */
};

struct watch {
	enum watch_kind kind;
};

#endif
