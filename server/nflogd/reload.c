/* SPDX-License-Identifier: MIT */
/*
 * A reload: read, check everything, and only then apply, in the order in which nothing is seen by who may
 * not any more: first the opener reads the file for itself, then tenants lose and get grants, then the
 * listeners follow.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <nfl/listener.h>

#include "cleanup.h"
#include "config.h"
#include "history.h"
#include "keeper.h"
#include "later.h"
#include "load.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "options.h"
#include "policy.h"
#include "rpc.h"
#include "server.h"
#include "wanted.h"

#define QUOTED_BYTES 600

static void config_freep(struct config **config)
{
	config_free(*config);
}

static void policy_unrefp(struct policy **policy)
{
	*policy = policy_unref(*policy);
}

static void keep(struct server *server, const char *error)
{
	char text[QUOTED_BYTES];

	metrics_count_reload(server->metrics, false);
	log_error("config.kept", "error=%s effect=\"the configuration stays as it is\"",
		  log_quote(text, sizeof(text), error));
}

/* Files of certificates are of their own: where one is broken, the old one stays in use. */
static void reload_tls(struct server *server)
{
	struct rpc_error err = {0};
	char text[QUOTED_BYTES];

	if (rpc_reload_tls(server->rpc, &err) < 0)
		log_error("rpc.tls", "error=%s effect=\"the certificate stays as it is\"",
			  log_quote(text, sizeof(text), err.text));
}

static void tell_of_later(const struct config *now, const struct config *next)
{
	const char *keys[LATER_KEYS];
	size_t count = later_find(now, next, keys);

	for (size_t i = 0; i < count; i++)
		log_warn("config.later", "key=%s effect=\"takes effect at the next start\"",
			 keys[i]);
}

static void apply(struct server *server, const struct config *config, struct policy *policy,
		  struct rules *rules)
{
	int r;

	tell_of_later(server->config, config);
	history_set_bytes(server->history, config->history.bytes_total);
	rpc_set_policy(server->rpc, policy, config->load_time_ns);
	r = keeper_set_rules(server->keeper, rules);
	if (r < 0)
		log_error("config.reload", "error=\"%s\" effect=\"some groups stay as they were\"",
			  strerrordesc_np(-r));
	reload_tls(server);
}

static int read_again(struct server *server, struct config **ret_config, struct policy **ret_policy)
{
	bool is_file;
	int r = load_config(server->options, LOAD_DEFAULT_PATH, ret_config, &is_file, stderr);

	if (r == 0)
		r = load_policy(*ret_config, (*ret_config)->path, ret_policy, stderr);
	return r;
}

static void reload(struct server *server)
{
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(policy_unrefp) struct policy *policy = NULL;
	CLEANUP(rules_done) struct rules rules = {0};
	struct nfl_error err = {0};

	if (read_again(server, &config, &policy) < 0) {
		keep(server, "it cannot be used, as is said above");
		return;
	}
	if (server_plan(server, config, &rules) < 0) {
		keep(server, strerrordesc_np(ENOMEM));
		return;
	}
	if (keeper_reload(server->keeper, &err) < 0) {
		keep(server, err.text);
		return;
	}
	apply(server, config, policy, &rules);
	metrics_count_reload(server->metrics, true);
	log_info("config.reloaded", "path=%s tenants=%zu", config->path, config->tenant_count);
}

void server_reload(struct server *server)
{
	if (!server->is_file) {
		keep(server, "there is no file to read again");
		return;
	}
	(void)notify_reloading();
	reload(server);
	(void)notify_ready();
}
