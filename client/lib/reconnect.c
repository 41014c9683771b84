/* SPDX-License-Identifier: MIT */
/*
 * Pauses double from try to try, with a share taken off by chance: the clients of a daemon that
 * restarts shall not all come at the same moment.
 */
#include "reconnect.h"

#include <string.h>
#include <sys/random.h>

#include "bytes.h"
#include "clock.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS   10000

/*
 * gRPC has no code for a broken stream: it makes one up from the HTTP/2 error and says in the text
 * what it saw, as if the peer had said it. Measured with 1.51: a killed server or a GOAWAY is
 * UNAVAILABLE; RST_STREAM is INTERNAL, CANCELLED or UNKNOWN by its error code; bytes that are no
 * HTTP/2 and a stream that ends without a status are UNKNOWN.
 */
static bool is_broken_stream(const char *text)
{
	static const char *const made_by_grpc[] = {"Received RST_STREAM", "Stream removed",
						   "Socket closed"};

	for (size_t i = 0; i < ARRAY_SIZE(made_by_grpc); i++)
		if (strncmp(text, made_by_grpc[i], strlen(made_by_grpc[i])) == 0)
			return true;
	return false;
}

bool reconnect_helps(const struct nfl_client_status *status, bool slow_is_final)
{
	switch (status->code) {
	case NFL_CLIENT_UNAVAILABLE:
		return true;
	case NFL_CLIENT_RESOURCE_EXHAUSTED:
		/* A response that is too large for gRPC would be sent again. */
		return !slow_is_final && !strstr(status->message, "larger than max");
	case NFL_CLIENT_CANCELLED:
	case NFL_CLIENT_UNKNOWN:
	case NFL_CLIENT_INTERNAL:
		return is_broken_stream(status->message);
	default:
		return false;
	}
}

/* From 0 below the limit; 0 without randomness: that clients come together is no reason to stop. */
static uint32_t random_below(uint32_t limit)
{
	uint32_t number = 0;

	(void)getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return number % limit;
}

uint32_t reconnect_plan_ms(struct reconnect *reconnect)
{
	uint32_t pause_ms = PAUSE_FIRST_MS;

	for (unsigned i = 0; i < reconnect->tries && pause_ms < PAUSE_MAX_MS; i++)
		pause_ms *= 2;
	if (pause_ms > PAUSE_MAX_MS)
		pause_ms = PAUSE_MAX_MS;
	pause_ms -= random_below(pause_ms / 2 + 1);
	reconnect->tries++;
	reconnect->try_at_ns = monotonic_ns() + pause_ms * NS_PER_MS;
	return pause_ms;
}

void reconnect_succeeded(struct reconnect *reconnect)
{
	*reconnect = (struct reconnect){.started = true};
}
