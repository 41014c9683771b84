/* SPDX-License-Identifier: MIT */
/* caught.h - what was written to stderr last, instead of stderr; for LINKER:--wrap=write */
#ifndef TEST_FUZZ_CAUGHT_H
#define TEST_FUZZ_CAUGHT_H

#include <stddef.h>

/* Without its newline. */
const char *caught_line(void);
size_t caught_len(void);

#endif
