/* SPDX-License-Identifier: MIT */
/*
 * A program and a packet: a program that is let through ends, reads nothing but the packet, and says
 * what libpcap's machine says.
 */
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "bpf.h"
#include "fuzz.h"

#define STEPS_MAX 512

/* libpcap leaves the memory as it was: there, it is set to 0 first. */
static bool run_pcap(const struct bpf_step *steps, size_t count, struct nfl_bytes packet)
{
	struct bpf_insn program[STEPS_MAX + BPF_MEMWORDS];

	for (unsigned i = 0; i < BPF_MEMWORDS; i++)
		program[i] = (struct bpf_insn){BPF_ST, 0, 0, i};
	for (size_t i = 0; i < count; i++)
		program[BPF_MEMWORDS + i] =
		    (struct bpf_insn){steps[i].code, steps[i].jt, steps[i].jf, steps[i].k};
	return bpf_filter(program, packet.data, packet.len + 10, packet.len) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input = {bytes, len};
	struct nfl_bytes program = fuzz_take(&input, fuzz_number(&input, 2));
	struct nfl_bytes packet = fuzz_take(&input, SIZE_MAX);
	size_t count = program.len / BPF_INSN_BYTES, at;
	struct bpf_step *steps = malloc(count * sizeof(*steps) + 1);

	if (steps && !bpf_check(program, &at)) {
		bpf_load(program, steps);
		if (count > STEPS_MAX)
			(void)bpf_run(steps, packet, packet.len + 10);
		else
			FUZZ_CHECK(bpf_run(steps, packet, packet.len + 10) ==
				   run_pcap(steps, count, packet));
	}
	free(steps);
	fuzz_free(program);
	fuzz_free(packet);
	return 0;
}
