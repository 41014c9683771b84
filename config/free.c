/* SPDX-License-Identifier: MIT */
/* Ends a configuration, also a half-read one. */
#include <stdlib.h>

#include "config.h"
#include "filter_keys.h"

static void listen_done(struct config_listen *listen)
{
	free(listen->unix_path);
	free(listen->group);
	free(listen->tcp);
	free(listen->tls.certificate);
	free(listen->tls.private_key);
	free(listen->tls.client_ca);
}

static void tenant_done(struct config_tenant *tenant)
{
	free(tenant->name);
	for (size_t i = 0; i < tenant->identity_count; i++)
		free(tenant->identities[i].text);
	free(tenant->identities);
	for (size_t i = 0; i < tenant->source_count; i++) {
		free(tenant->sources[i].netns);
		free(tenant->sources[i].groups);
	}
	free(tenant->sources);
	filter_done(&tenant->filter);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->listen_count; i++)
		listen_done(&config->listens[i]);
	free(config->listens);
	free(config->path);
	free(config->metrics_listen);
	for (size_t i = 0; i < config->tenant_count; i++)
		tenant_done(&config->tenants[i]);
	free(config->tenants);
	free(config);
}
