/* SPDX-License-Identifier: MIT */
/* BPF programs: hostile ones are refused, and the others answer as libpcap's own machine does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nfl/decode.h>
#include <nfl/filter.h>

#include <pcap/pcap.h>

#include "bpf.h"
#include "fixtures.h"

#define LINUX_PACKET_INFO 0xfffff000u /* SKF_AD_OFF: what is not in the packet */
#define LINUX_NET_HEADER  0xfff00000u /* SKF_NET_OFF */
#define STEPS_MAX         4096
#define STMT(code, k)                                                                              \
	{                                                                                          \
		(code), 0, 0, (k)                                                                  \
	}
#define JUMP(code, k, jt, jf)                                                                      \
	{                                                                                          \
		(code), (jt), (jf), (k)                                                            \
	}
#define ACCEPT      STMT(BPF_RET | BPF_K, 65535)
#define PROGRAM_MAX 4100

/* The form that goes over the wire. */
static struct nfl_bytes wire_form(const struct bpf_step *program, size_t count)
{
	static uint8_t bytes[PROGRAM_MAX * BPF_INSN_BYTES];

	for (size_t n = 0; n < count; n++) {
		uint8_t *p = bytes + n * BPF_INSN_BYTES;

		p[0] = (uint8_t)program[n].code;
		p[1] = (uint8_t)(program[n].code >> 8);
		p[2] = program[n].jt;
		p[3] = program[n].jf;
		for (int i = 0; i < 4; i++)
			p[4 + i] = (uint8_t)(program[n].k >> 8 * i);
	}
	return (struct nfl_bytes){bytes, (uint32_t)(count * BPF_INSN_BYTES)};
}

/* --- check ------------------------------------------------------------------------------------ */

static void assert_wrong(const struct bpf_step *program, size_t count, size_t at, const char *what)
{
	size_t found = 77;
	const char *expected = bpf_check(wire_form(program, count), &found);

	assert_non_null(expected);
	if (!strstr(expected, what))
		fail_msg("expected '%s', not '%s'", expected, what);
	assert_true(found == at);
}

#define ASSERT_WRONG(at, what, ...)                                                                \
	do {                                                                                       \
		const struct bpf_step p[] = {__VA_ARGS__};                                         \
		assert_wrong(p, sizeof(p) / sizeof(p[0]), at, what);                               \
	} while (0)

static void programs_of_no_whole_instructions_are_refused(void **state)
{
	static const struct bpf_step accept = ACCEPT;
	struct nfl_bytes bytes = wire_form(&accept, 1);
	size_t at;

	(void)state;
	assert_null(bpf_check(bytes, &at));
	for (bytes.len = 0; bytes.len < 8; bytes.len++) {
		assert_non_null(bpf_check(bytes, &at));
		assert_true(at == BPF_WHOLE);
	}
}

static void programs_are_bounded(void **state)
{
	struct bpf_step *many = calloc(PROGRAM_MAX, sizeof(*many));
	size_t at;

	(void)state;
	for (size_t i = 0; i < PROGRAM_MAX; i++)
		many[i] = (struct bpf_step)ACCEPT;
	assert_null(bpf_check(wire_form(many, STEPS_MAX), &at));
	assert_wrong(many, STEPS_MAX + 1, BPF_WHOLE, "1 to 4096");
	free(many);
}

static void jumps_out_of_the_program_are_refused(void **state)
{
	(void)state;
	ASSERT_WRONG(0, "inside", JUMP(BPF_JMP | BPF_JEQ, 1, 1, 0), ACCEPT);
	ASSERT_WRONG(0, "inside", JUMP(BPF_JMP | BPF_JEQ, 1, 0, 1), ACCEPT);
	ASSERT_WRONG(0, "inside", JUMP(BPF_JMP | BPF_JGT, 1, 255, 0), ACCEPT);
	ASSERT_WRONG(0, "inside", STMT(BPF_JMP | BPF_JA, 1), ACCEPT);
	ASSERT_WRONG(0, "inside", STMT(BPF_JMP | BPF_JA, UINT32_MAX), ACCEPT); /* not back either */
	ASSERT_WRONG(1, "inside", STMT(BPF_LD | BPF_IMM, 0), STMT(BPF_JMP | BPF_JA, 0));
}

static void programs_without_an_end_are_refused(void **state)
{
	(void)state;
	ASSERT_WRONG(0, "return at the end", STMT(BPF_LD | BPF_IMM, 0));
	ASSERT_WRONG(1, "return at the end", ACCEPT, STMT(BPF_MISC | BPF_TAX, 0));
}

static void what_is_not_there_is_refused(void **state)
{
	(void)state;
	ASSERT_WRONG(0, "0 to 15", STMT(BPF_ST, 16), ACCEPT);
	ASSERT_WRONG(0, "0 to 15", STMT(BPF_STX, UINT32_MAX), ACCEPT);
	ASSERT_WRONG(0, "0 to 15", STMT(BPF_LD | BPF_MEM, 16), ACCEPT);
	ASSERT_WRONG(0, "0 to 15", STMT(BPF_LDX | BPF_MEM, 16), ACCEPT);
	ASSERT_WRONG(0, "divisor", STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ACCEPT);
	ASSERT_WRONG(0, "divisor", STMT(BPF_ALU | BPF_MOD | BPF_K, 0), ACCEPT);
	ASSERT_WRONG(0, "shift", STMT(BPF_ALU | BPF_LSH | BPF_K, 32), ACCEPT);
	ASSERT_WRONG(0, "nothing else", STMT(BPF_LD | BPF_W | BPF_ABS, LINUX_PACKET_INFO), ACCEPT);
	ASSERT_WRONG(0, "nothing else", STMT(BPF_LD | BPF_W | BPF_ABS, LINUX_NET_HEADER), ACCEPT);
	ASSERT_WRONG(0, "load that there is", STMT(BPF_LD | 0x18 | BPF_ABS, 0), ACCEPT);
	ASSERT_WRONG(0, "load that there is", STMT(BPF_LDX | BPF_W | BPF_ABS, 0), ACCEPT);
	ASSERT_WRONG(0, "load that there is", STMT(BPF_LD | BPF_MSH | BPF_B, 0), ACCEPT);
	ASSERT_WRONG(0, "operation", STMT(BPF_ALU | 0xf0, 0), ACCEPT);
	ASSERT_WRONG(0, "jump that there is", JUMP(BPF_JMP | 0x50, 0, 0, 0), ACCEPT);
	ASSERT_WRONG(0, "return that there is", STMT(BPF_RET | BPF_X, 0));
	ASSERT_WRONG(0, "instruction that there is", STMT(BPF_MISC | 0x40, 0), ACCEPT);
	ASSERT_WRONG(0, "instruction that there is", STMT(0x106, 0), ACCEPT);
}

/* Bits of a code that mean nothing: libpcap's machine aborts, Linux refuses. */
static void codes_with_bits_too_many_are_refused(void **state)
{
	(void)state;
	ASSERT_WRONG(0, "return that there is", STMT(BPF_RET | 0x20, 1));
	ASSERT_WRONG(0, "instruction that there is", STMT(BPF_ST | 0x08, 0), ACCEPT);
	ASSERT_WRONG(0, "instruction that there is", STMT(BPF_STX | 0x80, 0), ACCEPT);
	ASSERT_WRONG(0, "operation that there is", STMT(BPF_ALU | BPF_NEG | BPF_X, 0), ACCEPT);
	ASSERT_WRONG(0, "jump that there is", STMT(BPF_JMP | BPF_JA | BPF_X, 0), ACCEPT);
}

/* Whatever passes the check runs to its end and stays within the packet (ASan). */
static void random_programs_that_pass_do_no_harm(void **state)
{
	struct bpf_step program[12], loaded[12];
	unsigned passed = 0;

	(void)state;
	srand(1);
	for (int round = 0; round < 400000; round++) {
		uint8_t *packet = malloc(9);
		size_t count = 1 + (size_t)rand() % 12;
		struct nfl_bytes bytes;
		size_t at;

		memset(packet, rand(), 9);
		for (size_t n = 0; n < count; n++)
			program[n] =
			    (struct bpf_step){(uint16_t)(rand() % 256), (uint8_t)(rand() % 4),
					      (uint8_t)(rand() % 4), (uint32_t)rand() % 20};
		program[count - 1].code = BPF_RET | BPF_A;
		bytes = wire_form(program, count);
		if (!bpf_check(bytes, &at)) {
			bpf_load(bytes, loaded);
			(void)bpf_run(loaded, (struct nfl_bytes){packet, 9}, 9);
			passed++;
		}
		free(packet);
	}
	assert_true(passed > 1000);
}

static void loads_beyond_the_packet_refuse_it(void **state)
{
	static const uint8_t packet[4] = {1, 2, 3, 4};
	static const struct bpf_step programs[][4] = {
	    {STMT(BPF_LD | BPF_W | BPF_ABS, 0), ACCEPT},
	    {STMT(BPF_LD | BPF_W | BPF_ABS, 1), ACCEPT},
	    {STMT(BPF_LD | BPF_H | BPF_ABS, 3), ACCEPT},
	    {STMT(BPF_LD | BPF_B | BPF_ABS, 4), ACCEPT},
	    {STMT(BPF_LDX | BPF_MSH | BPF_B, 4), ACCEPT},
	    {STMT(BPF_LDX | BPF_IMM, UINT32_MAX), STMT(BPF_LD | BPF_B | BPF_IND, 2), ACCEPT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		assert_int_equal(bpf_run(programs[i], (struct nfl_bytes){packet, 4}, 4), i == 0);
}

static void division_by_what_turns_out_to_be_zero_refuses_it(void **state)
{
	static const struct bpf_step program[] = {STMT(BPF_LD | BPF_IMM, 7),
						  STMT(BPF_ALU | BPF_DIV | BPF_X, 0), ACCEPT};

	(void)state;
	assert_false(bpf_run(program, (struct nfl_bytes){0}, 0));
}

/* --- run -------------------------------------------------------------------------------------- */

static const char *const expressions[] = {
    "ip",
    "ip6",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "sctp",

    "ip proto 17",
    "ip6 proto 58",
    "host 10.9.1.2",
    "src host 10.9.1.2",
    "dst host 10.9.1.1",
    "host fd09:1::2",
    "net 10.9.0.0/16",
    "src net 10.9.1.0/24",
    "dst net fd09::/16",
    "port 5001",
    "src port 5000",
    "dst port 5001",
    "udp port 5001",
    "tcp port 5001",
    "portrange 5000-5002",
    "tcp portrange 1-65535",
    "less 60",
    "greater 60",
    "len > 100",
    "ip[8] == 64",
    "ip[0] & 0xf != 5",
    "ip[6:2] & 0x1fff = 0",
    "ip[6:2] & 0x2000 != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
    "tcp[tcpflags] & tcp-rst != 0",
    "icmp[icmptype] == icmp-echo",
    "icmp[icmptype] != icmp-echo and icmp",
    "udp[4:2] > 20",
    "ip[2:2] > 576",
    "not udp",
    "not (tcp or udp)",
    "tcp or udp",
    "udp and port 5001",
    "udp and not port 5001",
    "ip and (tcp or icmp)",
    "ip6 and udp port 5001",
    "src port 5000 and dst port 5001",
    "ip multicast",
    "ip6 multicast",

    "(ip[2:2] - ((ip[0] & 0xf) << 2)) > 8",
    "tcp[12] >> 4 > 5",
    "ip[8] * 2 == 128",
    "ip[8] / 2 == 32",
    "ip[8] % 7 == 1",
    "ip[9] | 1 == 17",
    "ip[9] ^ 17 == 0",
    "-ip[8] + 64 = 0",
    "host 1.2.3.4",
    "port 1",
    "ip[65530] = 1",
};

static struct bpf_program compiled;
static struct bpf_step ours[STEPS_MAX];
static unsigned accepted, refused;

static void compare(const struct fixture_message *m)
{
	struct pcap_pkthdr header = {0};
	struct nfl_decoded decoded;
	struct nfl_record record;
	struct nfl_bytes bytes;
	bool theirs, mine;

	assert_int_equal(nfl_decode_message(m->bytes, m->len, &record), 0);
	nfl_decode_payload(&record, &decoded);
	bytes = nfl_decode_network(&record);
	if (bytes.len == 0)
		return;
	header.caplen = bytes.len;
	header.len = decoded.total_length ? decoded.total_length : bytes.len;
	theirs = pcap_offline_filter(&compiled, &header, bytes.data) != 0;
	mine = bpf_run(ours, bytes, header.len);
	if (theirs != mine)
		fail_msg("%s: libpcap says %d, we say %d", m->file, theirs, mine);
	*(mine ? &accepted : &refused) += 1;
}

static void tcpdump_expressions_answer_as_in_libpcap(void **state)
{
	pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
	size_t files, at;

	(void)state;
	assert_non_null(dead);
	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		struct nfl_bytes bytes;
		struct bpf_step *program;

		if (pcap_compile(dead, &compiled, expressions[i], 1, PCAP_NETMASK_UNKNOWN) < 0)
			fail_msg("%s: %s", expressions[i], pcap_geterr(dead));
		program = calloc(compiled.bf_len + 1, sizeof(*program));
		for (unsigned n = 0; n < compiled.bf_len; n++)
			program[n] =
			    (struct bpf_step){compiled.bf_insns[n].code, compiled.bf_insns[n].jt,
					      compiled.bf_insns[n].jf, compiled.bf_insns[n].k};
		bytes = wire_form(program, compiled.bf_len);
		assert_null(bpf_check(bytes, &at));
		bpf_load(bytes, ours);
		(void)fixture_for_each_message(compare, &files);
		free(program);
		pcap_freecode(&compiled);
		compiled = (struct bpf_program){0};
	}
	pcap_close(dead);
	assert_true(accepted > 1000 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(programs_of_no_whole_instructions_are_refused),
	    cmocka_unit_test(programs_are_bounded),
	    cmocka_unit_test(jumps_out_of_the_program_are_refused),
	    cmocka_unit_test(programs_without_an_end_are_refused),
	    cmocka_unit_test(what_is_not_there_is_refused),
	    cmocka_unit_test(codes_with_bits_too_many_are_refused),
	    cmocka_unit_test(random_programs_that_pass_do_no_harm),
	    cmocka_unit_test(loads_beyond_the_packet_refuse_it),
	    cmocka_unit_test(division_by_what_turns_out_to_be_zero_refuses_it),
	    cmocka_unit_test(tcpdump_expressions_answer_as_in_libpcap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
