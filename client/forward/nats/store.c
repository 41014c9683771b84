/* SPDX-License-Identifier: MIT */
/* JetStream's key-value store: where a forwarder keeps its place without a disk of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jetstream.h"

/* The bucket, made where there is none. */
static natsStatus open_bucket(struct broker *broker, const char *bucket, kvStore **ret)
{
	natsStatus s = js_KeyValue(ret, broker->js, bucket);
	kvConfig config;

	if (s != NATS_NOT_FOUND)
		return s;
	(void)kvConfig_Init(&config);
	config.Bucket = bucket;
	config.History = 1;
	config.StorageType = js_FileStorage;
	return js_CreateKeyValue(ret, broker->js, &config);
}

static int copy_value(kvEntry *entry, void **ret, size_t *ret_len)
{
	size_t len = (size_t)kvEntry_ValueLen(entry);
	void *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, kvEntry_Value(entry), len);
	*ret = copy;
	*ret_len = len;
	return 1;
}

int nats_load(struct broker *broker, const char *bucket, const char *key, void **ret,
	      size_t *ret_len, struct broker_error *err)
{
	kvEntry *entry = NULL;
	kvStore *store = NULL;
	natsStatus s = open_bucket(broker, bucket, &store);
	int r = 0;

	if (s == NATS_OK)
		s = kvStore_Get(&entry, store, key);
	if (s == NATS_OK)
		r = copy_value(entry, ret, ret_len);
	else if (s != NATS_NOT_FOUND)
		r = nats_failed(broker, "cannot read the key-value store", s, 0, err);
	if (r == -ENOMEM)
		(void)snprintf(err->text, sizeof(err->text), "%s", strerror(ENOMEM));
	kvEntry_Destroy(entry);
	kvStore_Destroy(store);
	return r;
}

int nats_store(struct broker *broker, const char *bucket, const char *key, const void *data,
	       size_t len, struct broker_error *err)
{
	kvStore *store = NULL;
	natsStatus s = open_bucket(broker, bucket, &store);

	if (s == NATS_OK)
		s = kvStore_Put(NULL, store, key, data, (int)len);
	kvStore_Destroy(store);
	return s == NATS_OK ? 0
			    : nats_failed(broker, "cannot write the key-value store", s, 0, err);
}
