/* SPDX-License-Identifier: MIT */
/* Counting for the summary at the end. */
#include "totals.h"

#include <inttypes.h>
#include <stdlib.h>

/* A server could name any number of sources: no more than this many are remembered. */
#define OPEN_MAX 4096

struct totals_open {
	uint32_t source_id;
	enum nfl_client_loss_stage stage;
};

void totals_done(struct totals *totals)
{
	free(totals->open);
	*totals = (struct totals){0};
}

static struct totals_open *find_open(const struct totals *totals,
				     const struct nfl_client_loss *loss)
{
	for (size_t i = 0; i < totals->open_count; i++) {
		struct totals_open *open = &totals->open[i];

		if (open->source_id == loss->source_id && open->stage == loss->stage)
			return open;
	}
	return NULL;
}

static void add_open(struct totals *totals, const struct nfl_client_loss *loss)
{
	struct totals_open *grown = NULL;

	if (totals->open_count < OPEN_MAX)
		grown = reallocarray(totals->open, totals->open_count + 1, sizeof(*grown));
	if (!grown) {
		totals->uncounted = true; /* to say less is no lie */
		return;
	}
	totals->open = grown;
	grown[totals->open_count++] =
	    (struct totals_open){.source_id = loss->source_id, .stage = loss->stage};
}

static void take_loss(struct totals *totals, const struct nfl_client_loss *loss)
{
	struct totals_open *open = find_open(totals, loss);

	totals->lost += loss->count;
	if (loss->lower_bound && !open)
		add_open(totals, loss);
	if (!loss->lower_bound && open)
		*open = totals->open[--totals->open_count];
}

static void take_started(struct totals *totals, const struct nfl_client_started *started)
{
	switch (started->resume_status) {
	case NFL_CLIENT_RESUME_CONTINUED:
	case NFL_CLIENT_RESUME_GAP:
		break;
	case NFL_CLIENT_RESUME_NONE: /* by a server without a history, or in the first place */
		totals->uncounted |= totals->begun;
		break;
	case NFL_CLIENT_RESUME_EPOCH_CHANGED:
		totals->uncounted = true;
		break;
	}
	totals->begun = true;
}

void totals_take(struct totals *totals, const struct nfl_client_event *event)
{
	if (event->type == NFL_CLIENT_PACKET)
		totals->packets++;
	else if (event->type == NFL_CLIENT_LOSS)
		take_loss(totals, event->loss);
	else if (event->type == NFL_CLIENT_STARTED)
		take_started(totals, event->started);
}

bool totals_are_bounds(const struct totals *totals)
{
	return totals->uncounted || totals->open_count > 0;
}

bool totals_have_loss(const struct totals *totals)
{
	return totals->lost > 0 || totals_are_bounds(totals);
}

void totals_print(const struct totals *totals, const char *server, FILE *f)
{
	(void)fprintf(f, "-- %s%s", server ? server : "", server ? ": " : "");
	(void)fprintf(f, "%" PRIu64 " packet%s, %" PRIu64 " lost%s\n", totals->packets,
		      totals->packets == 1 ? "" : "s", totals->lost,
		      totals_are_bounds(totals) ? ", at least" : "");
}
