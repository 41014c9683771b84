/* SPDX-License-Identifier: MIT */
/* Few marks: one a second, and a broker that stores nothing gets no new ones. */
#include "marks.h"

#include <stdlib.h>
#include <string.h>

void mark_done(struct mark *mark)
{
	free(mark->place);
	*mark = (struct mark){0};
}

void marks_add(struct marks *marks, uint64_t messages, void *place, size_t len)
{
	if (marks->count == MARKS_MAX)
		mark_done(&marks->items[--marks->count]);
	marks->items[marks->count++] = (struct mark){messages, place, len};
}

bool marks_reached(struct marks *marks, uint64_t stored, struct mark *ret)
{
	size_t reached = 0;

	while (reached < marks->count && marks->items[reached].messages <= stored)
		reached++;
	if (reached == 0)
		return false;
	*ret = marks->items[reached - 1];
	for (size_t i = 0; i + 1 < reached; i++)
		mark_done(&marks->items[i]);
	marks->count -= reached;
	memmove(marks->items, marks->items + reached, marks->count * sizeof(marks->items[0]));
	return true;
}

void marks_done(struct marks *marks)
{
	for (size_t i = 0; i < marks->count; i++)
		mark_done(&marks->items[i]);
	marks->count = 0;
}
