/* SPDX-License-Identifier: MIT */
/*
 * A capture for Wireshark: an interface for each source, named after its namespace. A loss is told where
 * it belongs: as a statistics block when it is reported, and with the next packet of the source.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "output.h"

#define NOTE_BYTES 192

static void begin_section(struct output *output)
{
	char *at = out_reserve(&output->out, NFL_PCAPNG_MAX);

	capture_reset(&output->capture);
	if (at)
		out_commit(&output->out,
			   nfl_pcapng_section(at, NFL_PCAPNG_MAX, "nflogctl " NFL_VERSION));
}

/* The interface of a source, which is described before its first use. NULL after an error. */
static struct capture_interface *interface_of(struct output *output, uint32_t source_id,
					      const struct nfl_render_source *source)
{
	struct capture_interface *interface = capture_find(&output->capture, source_id);
	char *at;

	if (interface)
		return interface;
	at = out_reserve(&output->out, NFL_PCAPNG_MAX);
	if (!at)
		return NULL;
	interface = capture_add(&output->capture, source_id);
	if (!interface) {
		output->out.error = -ENOMEM;
		return NULL;
	}
	out_commit(&output->out, nfl_pcapng_interface(at, NFL_PCAPNG_MAX, output->link,
						      source_id ? source : NULL));
	return interface;
}

static void show_packet(struct output *output, const struct nfl_client_event *event)
{
	const struct nfl_packet *packet = event->packet;
	struct capture_interface *interface =
	    interface_of(output, packet->source_id, &event->render_source);
	size_t bound = nfl_pcapng_packet_bound(packet);
	char *at = out_reserve(&output->out, bound);

	if (!interface || !at)
		return;
	out_commit(&output->out,
		   nfl_pcapng_packet(at, bound, output->link, interface->number, packet,
				     &event->render_source, interface->lost_before_next,
				     output->capture.note));
	interface->lost_before_next = 0;
	output->capture.note = NULL;
}

static void show_loss(struct output *output, const struct nfl_client_event *event)
{
	const struct nfl_client_loss *loss = event->loss;
	struct nfl_render_source source = event->render_source;
	struct capture_interface *interface = interface_of(output, loss->source_id, &source);
	char *at = out_reserve(&output->out, NFL_PCAPNG_MAX);
	char note[NOTE_BYTES];

	if (!interface || !at)
		return;
	interface->lost += loss->count;
	interface->lost_before_next += loss->count;
	(void)snprintf(note, sizeof(note), "lost %s%" PRIu64 " %s",
		       loss->lower_bound ? "at least " : "", loss->count, stage_words(loss->stage));
	out_commit(&output->out, nfl_pcapng_statistics(at, NFL_PCAPNG_MAX, interface->number,
						       loss->last_time_ns, interface->lost, note));
}

/* All sources have their interface from the start, so that a quiet one is seen. */
static void show_started(struct output *output, const struct nfl_client_started *started)
{
	if (started->resume_status == NFL_CLIENT_RESUME_EPOCH_CHANGED ||
	    (output->begun && started->resume_status == NFL_CLIENT_RESUME_NONE)) {
		capture_forget(&output->capture);
		output->capture.note =
		    "the server was restarted: what was lost before this packet cannot be counted";
	}
	for (size_t i = 0; i < started->source_count; i++) {
		const struct nfl_client_source *source = &started->sources[i];

		(void)interface_of(output, source->id,
				   &(struct nfl_render_source){source->netns, source->group});
	}
}

static void show_pcapng(struct output *output, const struct nfl_client_event *event)
{
	if (event->type == NFL_CLIENT_PACKET) {
		show_packet(output, event);
		return;
	}
	if (event->type == NFL_CLIENT_LOSS)
		show_loss(output, event);
	else if (event->type == NFL_CLIENT_STARTED)
		show_started(output, event->started);
	note_event(output, event);
}

const struct output_format format_pcapng = {
    .name = "pcapng",
    .show = show_pcapng,
    .begin = begin_section,
    .is_binary = true,
    .needs_payload = true,
    .view = NFL_CLIENT_VIEW_RAW, /* the kernel's attributes are all that a capture has */
};
