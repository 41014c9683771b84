/* SPDX-License-Identifier: MIT */
/* A packet with hostile names, by every renderer: one printable line, valid JSON, whole blocks. */
#include <stdlib.h>
#include <string.h>

#include <nfl/pcapng.h>

#include "fuzz.h"

#define DEVICE_MAX 15 /* bytes, without the NUL */
#define NETNS_MAX  31

static void render_lines(const struct nfl_packet *packet, const struct nfl_render_source *source,
			 uint32_t flags)
{
	struct nfl_render_table table = {0};
	char line[NFL_RENDER_MAX];
	size_t n;

	free(fuzz_json(packet, source, flags));
	flags &= ~NFL_RENDER_COLOR;
	n = nfl_render_compact(line, sizeof(line), packet, source, flags);
	FUZZ_CHECK(n < sizeof(line) && fuzz_is_printable(line, n));
	n = nfl_render_table_row(line, sizeof(line), &table, packet, source, flags);
	FUZZ_CHECK(n < sizeof(line) && fuzz_is_printable(line, n));
}

static void render_bytes(const struct nfl_packet *packet, const struct nfl_render_source *source)
{
	size_t hex = nfl_render_hex_bound(packet->record.payload.len);
	size_t block = nfl_pcapng_packet_bound(packet);
	char *buf = malloc(hex > block ? hex : block);

	FUZZ_CHECK(buf != NULL);
	FUZZ_CHECK(nfl_render_hex(buf, hex, packet->record.payload.data,
				  packet->record.payload.len) < hex);
	for (int raw = 0; raw < 2; raw++) {
		uint32_t last;
		size_t n = nfl_pcapng_packet(buf, block, raw ? NFL_PCAPNG_RAW : NFL_PCAPNG_NFLOG, 0,
					     packet, source, 1, source->netns);

		FUZZ_CHECK(n >= 12 && n <= block && n % 4 == 0);
		memcpy(&last, buf + n - 4, sizeof(last));
		FUZZ_CHECK(last == n && memcmp(buf + 4, &last, sizeof(last)) == 0);
	}
	free(buf);
}

/* @name: of a device or a namespace: its bytes up to a NUL. */
static struct nfl_bytes take_name(struct fuzz_input *input, char *name, size_t max)
{
	size_t n = input->left < max ? input->left : max;

	memcpy(name, input->at, n);
	input->at += n;
	input->left -= n;
	return (struct nfl_bytes){(uint8_t *)name, (uint32_t)strlen(name)};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char names[4][DEVICE_MAX + 1] = {"", "", "", ""}, netns[NETNS_MAX + 1] = "";
	const struct nfl_render_source source = {.netns = netns, .group = 100};
	struct fuzz_input input = {bytes, len};
	struct nfl_bytes devices[4], message;
	struct nfl_packet packet;
	uint32_t flags;

	for (size_t i = 0; i < 4; i++)
		devices[i] = take_name(&input, names[i], DEVICE_MAX);
	(void)take_name(&input, netns, NETNS_MAX);
	flags = fuzz_number(&input, 1);
	message = fuzz_take(&input, SIZE_MAX);
	if (fuzz_packet(message, &packet)) {
		packet.indev_name = devices[0];
		packet.outdev_name = devices[1];
		packet.physindev_name = devices[2];
		packet.physoutdev_name = devices[3];
		render_lines(&packet, &source, flags);
		render_bytes(&packet, &source);
	}
	fuzz_free(message);
	return 0;
}
