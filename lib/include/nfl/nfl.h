/* SPDX-License-Identifier: MIT */
/*
 * nfl/nfl.h - libnfl: read the Linux netfilter log (NFLOG)
 *
 * Opens one NFLOG group in one network namespace and delivers every logged packet as a view of
 * the received datagram, with the exact number of packets that were lost on the way. Usable
 * without nflogd and without gRPC. Print the packets of group 100 in namespace "red" for 10 s:
 *
 *	#include <stdio.h>
 *	#include <nfl/nfl.h>
 *
 *	static int print(const struct nfl_record *record, void *data)
 *	{
 *		struct nfl_packet packet = { .record = *record };
 *		struct nfl_render_source source = { .netns = data, .group = record->group };
 *		char line[NFL_RENDER_MAX];
 *
 *		nfl_decode_payload(record, &packet.decoded);
 *		nfl_render_compact(line, sizeof(line), &packet, &source, 0);
 *		puts(line);
 *		return 0;
 *	}
 *
 *	int main(void)
 *	{
 *		struct nfl_listener_options options = {
 *			.size = sizeof(options),
 *			.netns = { .kind = NFL_NETNS_NAME, .name = "red" },
 *			.group = 100,
 *			.flags = NFL_FLAG_SEQ,
 *		};
 *		struct nfl_listener *listener;
 *		struct nfl_error err;
 *
 *		if (nfl_listener_open(&options, &listener, &err) < 0) {
 *			fprintf(stderr, "%s\n", err.text);
 *			return 1;
 *		}
 *		nfl_listener_run(listener, print, "red", 10000);
 *		nfl_listener_close(listener);
 *		return 0;
 *	}
 */
#ifndef NFL_NFL_H
#define NFL_NFL_H

#include <nfl/decode.h>
#include <nfl/filter.h>
#include <nfl/listener.h>
#include <nfl/pcapng.h>
#include <nfl/record.h>
#include <nfl/render.h>

#endif
