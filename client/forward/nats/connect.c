/* SPDX-License-Identifier: MIT */
/*
 * The NATS module of nflogctl forward and subscribe --from: JetStream by libnats. Here the connection, and
 * the stream where it is to be made. libnats connects again by itself, for as long as it takes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "clock.h"
#include "jetstream.h"

#define RECONNECT_WAIT_MS 250
#define RECONNECT_BYTES   (8 * 1024 * 1024) /* published while there is no connection */
#define DUPLICATES_NS     (120 * NS_PER_S) /* how long the stream knows an id: JetStream's default */
#define SERVERS_MAX       16

const struct broker_module *nfl_broker_module(void);

int nats_failed(const struct broker *broker, const char *what, natsStatus status, jsErrCode code,
		struct broker_error *err)
{
	const char *text = NULL;

	if (broker && broker->nc)
		(void)natsConnection_GetLastError(broker->nc, &text);
	if (!text || !*text)
		text = nats_GetLastError(NULL);
	if (!text || !*text)
		text = natsStatus_GetText(status);
	if (code)
		(void)snprintf(err->text, sizeof(err->text), "%s: %s (JetStream error %d)", what,
			       text, (int)code);
	else
		(void)snprintf(err->text, sizeof(err->text), "%s: %s", what, text);
	return -EIO;
}

static natsStatus set_tls(natsOptions *options, const struct broker_settings *settings)
{
	natsStatus s = NATS_OK;

	if (settings->ca || settings->cert)
		s = natsOptions_SetSecure(options, true);
	if (s == NATS_OK && settings->ca)
		s = natsOptions_LoadCATrustedCertificates(options, settings->ca);
	if (s == NATS_OK && settings->cert)
		s = natsOptions_LoadCertificatesChain(options, settings->cert, settings->key);
	if (s == NATS_OK && settings->creds)
		s = natsOptions_SetUserCredentialsFromFiles(options, settings->creds, NULL);
	return s;
}

/* "nats://a:4222,nats://b" or "nats://a,b" */
static natsStatus set_servers(natsOptions *options, const char *urls)
{
	CLEANUP(freep) char *copy = strdup(urls);
	const char *servers[SERVERS_MAX];
	char *rest = NULL, *url;
	int count = 0;

	if (!copy)
		return NATS_NO_MEMORY;
	for (url = strtok_r(copy, ",", &rest); url; url = strtok_r(NULL, ",", &rest)) {
		if (count == SERVERS_MAX)
			return NATS_INVALID_ARG;
		servers[count++] = url;
	}
	return natsOptions_SetServers(options, servers, count);
}

static natsStatus set_options(natsOptions *options, const struct broker_settings *settings)
{
	natsStatus s = set_servers(options, settings->url);

	if (s == NATS_OK)
		s = natsOptions_SetName(options, settings->client);
	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(options, -1);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(options, RECONNECT_WAIT_MS);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectBufSize(options, RECONNECT_BYTES);
	return s == NATS_OK ? set_tls(options, settings) : s;
}

static int connect_server(struct broker *broker, struct broker_error *err)
{
	natsOptions *options = NULL;
	natsStatus s = natsOptions_Create(&options);

	if (s == NATS_OK)
		s = set_options(options, broker->settings);
	if (s == NATS_OK)
		s = natsConnection_Connect(&broker->nc, options);
	natsOptions_Destroy(options);
	return s == NATS_OK ? 0 : nats_failed(broker, broker->settings->url, s, 0, err);
}

static int create_stream(struct broker *broker, struct broker_error *err)
{
	const char *subjects[] = {broker->settings->create_subject};
	jsStreamConfig config;
	jsErrCode code = 0;
	natsStatus s;

	(void)jsStreamConfig_Init(&config);
	config.Name = broker->settings->stream;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	config.Duplicates = DUPLICATES_NS;
	s = js_AddStream(NULL, broker->js, &config, NULL, &code);
	return s == NATS_OK ? 0 : nats_failed(broker, "cannot make the stream", s, code, err);
}

static int find_stream(struct broker *broker, struct broker_error *err)
{
	jsErrCode code = 0;
	jsStreamInfo *info = NULL;
	natsStatus s = js_GetStreamInfo(&info, broker->js, broker->settings->stream, NULL, &code);

	jsStreamInfo_Destroy(info);
	if (s == NATS_OK)
		return 0;
	if (s == NATS_NOT_FOUND && broker->settings->create)
		return create_stream(broker, err);
	if (s == NATS_NOT_FOUND) {
		(void)snprintf(err->text, sizeof(err->text), "there is no stream %s",
			       broker->settings->stream);
		return -ENOENT;
	}
	return nats_failed(broker, "cannot ask for the stream", s, code, err);
}

static int begin_jetstream(struct broker *broker, struct broker_error *err)
{
	jsOptions options;
	natsStatus s;

	(void)jsOptions_Init(&options);
	options.PublishAsync.AckHandler = nats_acknowledged;
	options.PublishAsync.AckHandlerClosure = &broker->window;
	s = natsConnection_JetStream(&broker->js, broker->nc, &options);
	if (s != NATS_OK)
		return nats_failed(broker, "JetStream", s, 0, err);
	return find_stream(broker, err);
}

static void nats_close(struct broker *broker)
{
	natsMsg_Destroy(broker->msg);
	natsSubscription_Destroy(broker->sub);
	/* Callbacks end with the connection; then nobody else touches the window. */
	natsConnection_Close(broker->nc);
	jsCtx_Destroy(broker->js);
	natsConnection_Destroy(broker->nc);
	nats_CloseAndWait(5000);
	window_done(&broker->window);
	free(broker);
}

static int nats_open(const struct broker_settings *settings, struct broker **ret,
		     struct broker_error *err)
{
	struct broker *broker = calloc(1, sizeof(*broker));
	int r = broker ? 0 : -ENOMEM;

	if (r == 0 && settings->option_count > 0) {
		(void)snprintf(err->text, sizeof(err->text), "nats:// takes no --broker-option");
		free(broker);
		return -EINVAL;
	}
	if (r == 0)
		r = window_init(&broker->window, settings->window_messages, settings->window_bytes);
	if (r < 0) {
		(void)snprintf(err->text, sizeof(err->text), "%s", strerror(-r));
		free(broker);
		return r;
	}
	broker->settings = settings;
	r = connect_server(broker, err);
	if (r == 0)
		r = begin_jetstream(broker, err);
	if (r < 0) {
		nats_close(broker);
		return r;
	}
	*ret = broker;
	return 0;
}

__attribute__((visibility("default"))) const struct broker_module *nfl_broker_module(void)
{
	static const struct broker_module module = {
	    .abi = BROKER_ABI,
	    .open = nats_open,
	    .close = nats_close,
	    .publish = nats_publish,
	    .progress = nats_progress,
	    .load = nats_load,
	    .store = nats_store,
	    .read = nats_read,
	    .next = nats_next,
	};

	return &module;
}
