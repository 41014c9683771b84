/* SPDX-License-Identifier: MIT */
/* line.h - the opener's worker in a thread, and the daemon's end of its socket */
#ifndef TEST_FUZZ_LINE_H
#define TEST_FUZZ_LINE_H

#include <stdbool.h>

#include <nfl/record.h>

struct line;

struct line *line_open(void);
/* @whole: with zeros up to the size of a request. @with_fd: a descriptor goes along. */
void line_send(struct line *line, struct nfl_bytes request, bool whole, bool with_fd);
/* Takes the answers, ends the worker and waits for it. */
void line_close(struct line *line);

#endif
