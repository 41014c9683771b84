/* SPDX-License-Identifier: MIT */
/*
 * pairs.h - a YAML file that is one flat map of texts: what nflogctl's configuration is
 *
 * Which keys there are, and what their values mean, is for the caller to say; config_pairs_wrong()
 * adds what it finds to the errors, so that all of a file's errors are told in its order.
 */
#ifndef CONFIG_PAIRS_H
#define CONFIG_PAIRS_H

#include "config.h"

struct config_pair {
	char *key;   /* owned */
	char *value; /* owned; of a list: one of its items */
	bool listed; /* in a list */
	struct config_mark key_mark;
	struct config_mark mark; /* of the value */
};

struct config_pairs {
	char *path; /* owned */
	struct config_pair *items;
	size_t count;
};

/**
 * config_pairs_load - read a file
 * @ret: to be freed by config_pairs_done(), also after an error
 * @errors: all that is wrong; to be freed by config_errors_done()
 * Returns 0, also for an empty file; -EINVAL; -ENOMEM; -errno of reading, without an entry in @errors.
 */
int config_pairs_load(const char *path, struct config_pairs *ret, struct config_errors *errors);
void config_pairs_done(struct config_pairs *pairs);

void config_pairs_wrong(const struct config_pairs *pairs, struct config_mark mark,
			struct config_errors *errors, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
