/* SPDX-License-Identifier: MIT */
/*
 * nats_plain URL FROM TO [PIECE] - what libnats alone takes to publish the messages of one stream to another
 *
 * Reads all messages of the stream FROM into memory, makes the stream TO on disk, publishes them as
 * nflogctl forward does (asynchronously, with an id each) and prints: messages bytes seconds. With PIECE,
 * messages of so many bytes, as many as come of the first 64 MiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nats/nats.h>

#define PIECES_BYTES ((size_t)64 << 20)

struct message {
	char *data;
	int len;
};

static void must(natsStatus status, const char *what)
{
	if (status == NATS_OK)
		return;
	fprintf(stderr, "nats_plain: %s: %s\n", what, natsStatus_GetText(status));
	exit(1);
}

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct message *read_all(jsCtx *js, const char *stream, size_t *ret_count)
{
	jsSubOptions options;
	jsStreamInfo *info = NULL;
	natsSubscription *sub = NULL;
	struct message *messages;
	size_t count;

	must(js_GetStreamInfo(&info, js, stream, NULL, NULL), "js_GetStreamInfo");
	count = info->State.Msgs;
	jsStreamInfo_Destroy(info);
	messages = calloc(count + 1, sizeof(*messages));
	if (!messages)
		exit(1);
	(void)jsSubOptions_Init(&options);
	options.Stream = stream;
	options.Ordered = true;
	must(js_SubscribeSync(&sub, js, ">", NULL, &options, NULL), "js_SubscribeSync");
	(void)natsSubscription_SetPendingLimits(sub, -1, -1);
	for (size_t i = 0; i < count; i++) {
		natsMsg *msg = NULL;

		must(natsSubscription_NextMsg(&msg, sub, 10000), "natsSubscription_NextMsg");
		messages[i].len = natsMsg_GetDataLength(msg);
		messages[i].data = malloc((size_t)messages[i].len + 1);
		if (!messages[i].data)
			exit(1);
		memcpy(messages[i].data, natsMsg_GetData(msg), (size_t)messages[i].len);
		natsMsg_Destroy(msg);
	}
	natsSubscription_Destroy(sub);
	*ret_count = count;
	return messages;
}

static void make_stream(jsCtx *js, const char *name, const char *subject)
{
	const char *subjects[] = {subject};
	jsStreamConfig config;

	(void)jsStreamConfig_Init(&config);
	config.Name = name;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	must(js_AddStream(NULL, js, &config, NULL, NULL), "js_AddStream");
}

/* Messages of a size of their own. */
static struct message *cut(struct message *messages, size_t *count, int piece)
{
	size_t max = PIECES_BYTES / (size_t)piece, made = 0;
	struct message *pieces = calloc(max + 1, sizeof(*pieces));

	if (!pieces)
		exit(1);
	for (size_t i = 0; i < *count; i++) {
		for (int at = 0; at + piece <= messages[i].len && made < max; at += piece) {
			pieces[made].len = piece;
			pieces[made].data = malloc((size_t)piece);
			if (!pieces[made].data)
				exit(1);
			memcpy(pieces[made++].data, messages[i].data + at, (size_t)piece);
		}
		free(messages[i].data);
	}
	free(messages);
	*count = made;
	return pieces;
}

int main(int argc, char **argv)
{
	natsConnection *nc = NULL;
	struct message *messages;
	size_t count = 0, bytes = 0;
	jsOptions options;
	jsCtx *js = NULL;
	double begin;

	if (argc != 4 && argc != 5) {
		fputs("Usage: nats_plain URL FROM TO [PIECE]\n", stderr);
		return 2;
	}
	must(natsConnection_ConnectTo(&nc, argv[1]), "natsConnection_ConnectTo");
	(void)jsOptions_Init(&options);
	options.PublishAsync.MaxPending = 1024;
	options.PublishAsync.StallWait = 60000;
	must(natsConnection_JetStream(&js, nc, &options), "natsConnection_JetStream");
	messages = read_all(js, argv[2], &count);
	if (argc == 5 && atoi(argv[4]) > 0)
		messages = cut(messages, &count, atoi(argv[4]));
	make_stream(js, argv[3], argv[3]);
	begin = now_s();
	for (size_t i = 0; i < count; i++) {
		jsPubOptions publish;
		char id[32];

		(void)jsPubOptions_Init(&publish);
		(void)snprintf(id, sizeof(id), "%zu", i);
		publish.MsgId = id;
		must(js_PublishAsync(js, argv[3], messages[i].data, messages[i].len, &publish),
		     "js_PublishAsync");
		bytes += (size_t)messages[i].len;
	}
	must(js_PublishAsyncComplete(js, NULL), "js_PublishAsyncComplete");
	printf("%zu %zu %.6f\n", count, bytes, now_s() - begin);
	for (size_t i = 0; i < count; i++)
		free(messages[i].data);
	free(messages);
	jsCtx_Destroy(js);
	natsConnection_Destroy(nc);
	nats_Close();
	return 0;
}
