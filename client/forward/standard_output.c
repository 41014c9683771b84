/* SPDX-License-Identifier: MIT */
/* "--to -": messages on standard output, for a pipe into another program. What was written is stored, as
 * far as this end can know. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules.h"

struct broker {
	uint64_t published;
};

static int open_output(const struct broker_settings *settings, struct broker **ret,
		       struct broker_error *err)
{
	(void)settings;
	*ret = calloc(1, sizeof(**ret));
	if (*ret)
		return 0;
	(void)snprintf(err->text, sizeof(err->text), "%s", strerror(ENOMEM));
	return -ENOMEM;
}

static void close_output(struct broker *broker)
{
	free(broker);
}

static int publish(struct broker *broker, const struct broker_message *message,
		   struct broker_error *err)
{
	const char *at = message->data;
	size_t left = message->len;

	while (left > 0) {
		ssize_t n = write(STDOUT_FILENO, at, left);

		if (n < 0 && errno != EINTR) {
			int r = -errno;

			(void)snprintf(err->text, sizeof(err->text), "%s", strerror(errno));
			return r == -EAGAIN ? -EIO : r;
		}
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	broker->published++;
	return 0;
}

static int progress(struct broker *broker, int timeout_ms, uint64_t *ret_stored,
		    struct broker_error *err)
{
	(void)timeout_ms; /* nothing is ever on its way */
	(void)err;
	*ret_stored = broker->published;
	return -ETIMEDOUT;
}

const struct broker_module broker_stdout = {
    .abi = BROKER_ABI,
    .open = open_output,
    .close = close_output,
    .publish = publish,
    .progress = progress,
};
