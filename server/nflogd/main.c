/* SPDX-License-Identifier: MIT */
/* nflogd: the command line, the configuration, and what of it would have no effect. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cleanup.h"
#include "config.h"
#include "load.h"
#include "log.h"
#include "options.h"
#include "policy.h"
#include "serve.h"

#define EXIT_USAGE 2

static void config_freep(struct config **config)
{
	config_free(*config);
}

static bool has_loopback(const struct config *config)
{
	for (size_t t = 0; t < config->tenant_count; t++)
		for (size_t i = 0; i < config->tenants[t].identity_count; i++)
			if (config->tenants[t].identities[i].kind == CONFIG_IDENTITY_LOOPBACK)
				return true;
	return false;
}

/* Plaintext TCP proves nothing, and tokens are not taken there. */
static void warn_of_useless_listens(const struct config *config)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listens[i].tcp && !config->listens[i].tls.given &&
		    !has_loopback(config))
			log_warn(
			    "config.listen",
			    "tcp=%s effect=\"nobody is served there: no tenant has the identity "
			    "loopback\"",
			    config->listens[i].tcp);
}

static void warn_of_remote_metrics(const struct config *config)
{
	if (config->metrics_listen && config->metrics_remote)
		log_warn("config.metrics",
			 "listen=%s effect=\"whoever reaches it reads all of it\"",
			 config->metrics_listen);
}

static int check_policy(const struct config *config)
{
	struct policy *policy = NULL;

	if (load_policy(config, config->path, &policy, stderr) < 0)
		return EXIT_FAILURE;
	(void)policy_unref(policy);
	return EXIT_SUCCESS;
}

static int run(const struct options *options)
{
	CLEANUP(config_freep) struct config *config = NULL;
	bool is_file;

	log_setup(options->log_level, options->log_format);
	if (load_config(options, LOAD_DEFAULT_PATH, &config, &is_file, stderr) < 0)
		return EXIT_FAILURE;
	if (options->action == OPTIONS_CHECK_CONFIG)
		return check_policy(config);
	warn_of_useless_listens(config);
	warn_of_remote_metrics(config);
	return serve(options, config, is_file);
}

static void options_donep(struct options *options)
{
	options_done(options);
}

int main(int argc, char **argv)
{
	CLEANUP(options_donep) struct options options = {0};
	int r = options_parse(argc, argv, &options, stderr);

	if (r < 0)
		return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	switch (options.action) {
	case OPTIONS_HELP:
		options_help(stdout);
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		(void)printf("nflogd %s\n", NFLOGD_VERSION);
		return EXIT_SUCCESS;
	case OPTIONS_CHECK_CONFIG:
	case OPTIONS_RUN:
		break;
	}
	return run(&options);
}
