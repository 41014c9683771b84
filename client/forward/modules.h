/* SPDX-License-Identifier: MIT */
/* modules.h - brokers by their scheme */
#ifndef FORWARD_MODULES_H
#define FORWARD_MODULES_H

#include "broker.h"

/**
 * module_load - the module of a scheme, from the folder of modules that belongs to this program
 * It stays loaded. Returns 0, or -ENOENT or another -errno with a text: what is missing and which package
 * has it.
 */
int module_load(const char *scheme, const struct broker_module **ret, struct broker_error *err);

/* Messages to standard output, one after the other: no module. */
extern const struct broker_module broker_stdout;

#endif
