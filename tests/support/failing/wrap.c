/* SPDX-License-Identifier: MIT */
/* The allocators as --wrap has them: each asks whether it is to fail. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t max);
int __real_vasprintf(char **ret, const char *format, va_list values);
FILE *__real_open_memstream(char **ret, size_t *ret_len);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__real_fdopen(int fd, const char *mode);
DIR *__real_opendir(const char *path);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
int __wrap_vasprintf(char **ret, const char *format, va_list values)
    __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
FILE *__wrap_open_memstream(char **ret, size_t *ret_len);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode);
DIR *__wrap_opendir(const char *path);

static bool fails(void)
{
	if (!failing_now())
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t max)
{
	return fails() ? NULL : __real_strndup(text, max);
}

int __wrap_vasprintf(char **ret, const char *format, va_list values)
{
	if (!fails())
		return __real_vasprintf(ret, format, values);
	*ret = (char *)1; /* undefined, says the manual: whoever frees it is found */
	return -1;
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list values;
	int r;

	va_start(values, format);
	r = __wrap_vasprintf(ret, format, values);
	va_end(values);
	return r;
}

FILE *__wrap_open_memstream(char **ret, size_t *ret_len)
{
	return fails() ? NULL : __real_open_memstream(ret, ret_len);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	return fails() ? NULL : __real_fopen(path, mode);
}

FILE *__wrap_fdopen(int fd, const char *mode)
{
	return fails() ? NULL : __real_fdopen(fd, mode);
}

DIR *__wrap_opendir(const char *path)
{
	return fails() ? NULL : __real_opendir(path);
}
