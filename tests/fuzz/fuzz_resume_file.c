/* SPDX-License-Identifier: MIT */
/* A resume file: what is read of it can be written, and is then the same file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "resume_file.h"

static char path[64];

static void put(const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	FUZZ_CHECK(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static bool holds(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	FILE *f = fopen(path, "rb");
	bool is = f && copy && fread(copy, 1, len + 1, f) == len && memcmp(copy, bytes, len) == 0;

	(void)fclose(f);
	free(copy);
	return is;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct resume_file file = {.path = path}, copy = {.path = path};

	(void)snprintf(path, sizeof(path), "/dev/shm/fuzz_resume_file.%d", (int)getpid());
	put(bytes, len);
	if (resume_file_read(&file) == 0) {
		FUZZ_CHECK(file.token && file.len > 0 && file.len <= RESUME_TOKEN_MAX);
		FUZZ_CHECK(resume_file_write(&copy, file.token, file.len, &file.place) == 0);
		FUZZ_CHECK(holds(bytes, len));
	}
	resume_file_done(&file);
	resume_file_done(&copy);
	(void)unlink(path);
	return 0;
}
