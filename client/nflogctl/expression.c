/* SPDX-License-Identifier: MIT */
/* The only file that sees libpcap. Names of hosts are resolved here, as by tcpdump. */
#include "expression.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "cleanup.h"

#define SNAPLEN    65535 /* what a program returns for packets that it accepts */
#define STEP_BYTES 8

static char *join(int argc, char **argv)
{
	size_t len = 1;
	char *text, *end;

	for (int i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	text = calloc(1, len);
	end = text;
	for (int i = 0; text && i < argc; i++)
		end += sprintf(end, "%s%s", i ? " " : "", argv[i]);
	return text;
}

static int export(const struct bpf_program *program, struct nfl_bytes *ret)
{
	uint8_t *bytes = malloc((size_t)program->bf_len * STEP_BYTES + 1);

	if (!bytes)
		return -ENOMEM;
	for (unsigned n = 0; n < program->bf_len; n++) {
		const struct bpf_insn *insn = &program->bf_insns[n];
		uint8_t *p = bytes + (size_t)n * STEP_BYTES;

		p[0] = (uint8_t)insn->code;
		p[1] = (uint8_t)(insn->code >> 8);
		p[2] = insn->jt;
		p[3] = insn->jf;
		for (int i = 0; i < 4; i++)
			p[4 + i] = (uint8_t)(insn->k >> 8 * i);
	}
	*ret = (struct nfl_bytes){bytes, program->bf_len * STEP_BYTES};
	return 0;
}

static void closep_pcap(pcap_t **pcap)
{
	if (*pcap)
		pcap_close(*pcap);
}

static void freep_text(char **text)
{
	free(*text);
}

int expression_compile(int argc, char **argv, struct nfl_bytes *ret, char **ret_error)
{
	CLEANUP(closep_pcap) pcap_t *pcap = pcap_open_dead(DLT_RAW, SNAPLEN);
	CLEANUP(freep_text) char *text = join(argc, argv);
	struct bpf_program program;
	int r;

	if (!pcap || !text)
		return -ENOMEM;
	if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		if (asprintf(ret_error, "tcpdump expression '%s': %s", text, pcap_geterr(pcap)) < 0)
			*ret_error = NULL;
		return *ret_error ? -EINVAL : -ENOMEM;
	}
	r = export(&program, ret);
	pcap_freecode(&program);
	return r;
}

void expression_free(struct nfl_bytes program)
{
	void *bytes;

	memcpy(&bytes, &program.data, sizeof(bytes)); /* ours, const for who reads it */
	free(bytes);
}
