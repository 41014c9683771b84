/* SPDX-License-Identifier: MIT */
/* A module lies beside the program that asks for it, wherever both were installed: BIN/../LIBDIR/nflog. */
#include "modules.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int module_path(const char *scheme, char path[PATH_MAX])
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int n;

	if (len < 0)
		return -errno;
	program[len] = '\0';
	n = snprintf(path, PATH_MAX, "%s/../" NFL_LIBDIR "/nflog/broker-%s.so", dirname(program),
		     scheme);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int module_load(const char *scheme, const struct broker_module **ret, struct broker_error *err)
{
	char path[PATH_MAX];
	broker_module_fn module = NULL;
	int r = module_path(scheme, path);
	void *handle;

	if (r < 0) {
		(void)snprintf(err->text, sizeof(err->text), "cannot find the modules");
		return r;
	}
	if (access(path, F_OK) < 0) {
		(void)snprintf(err->text, sizeof(err->text),
			       "%s:// needs the package nflogctl-%s, which is not installed",
			       scheme, scheme);
		return -ENOENT;
	}
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (handle) /* ISO C has no conversion from an object's pointer to a function's */
		*(void **)(void *)&module = dlsym(handle, "nfl_broker_module");
	if (!module)
		(void)snprintf(err->text, sizeof(err->text), "%s", dlerror());
	if (handle)
		(void)dlclose(handle); /* it stays: its libraries have threads */
	if (!module)
		return -ELIBACC;
	*ret = module();
	if ((*ret)->abi == BROKER_ABI)
		return 0;
	(void)snprintf(err->text, sizeof(err->text),
		       "the package nflogctl-%s is of another version than nflogctl", scheme);
	return -ELIBBAD;
}
