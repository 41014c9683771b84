/* SPDX-License-Identifier: MIT */
/* render/color.h - ANSI colours around what is written between two calls */
#ifndef RENDER_COLOR_H
#define RENDER_COLOR_H

#include <nfl/render.h>

#include "writer.h"

#define COLOR_DIM    "\x1b[2m"  /* what is the same on most lines */
#define COLOR_HEAD   "\x1b[1m"  /* bold: heads of columns */
#define COLOR_SOURCE "\x1b[36m" /* cyan: namespace and group */
#define COLOR_PREFIX "\x1b[33m" /* yellow: what the rule's author wrote */

/* @flags: nothing without NFL_RENDER_COLOR */
static inline void color_begin(struct text *t, uint32_t flags, const char *color)
{
	if (flags & NFL_RENDER_COLOR)
		text_string(t, color);
}

static inline void color_end(struct text *t, uint32_t flags)
{
	if (flags & NFL_RENDER_COLOR)
		text_literal(t, "\x1b[0m");
}

#endif
