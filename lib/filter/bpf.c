/* SPDX-License-Identifier: MIT */
/* Check and run: what bpf_check() has let through cannot leave the program, the packet or the memory. */
#include "bpf.h"

#include <linux/filter.h>
#include <string.h>

#include "bytes.h"

#define SIZE_NONE 0x18 /* 64 bits in other machines */
/* Linux keeps what is not in the packet here (interface, mark, ...), to be loaded by BPF_ABS. */
#define ANCILLARY ((uint32_t)SKF_LL_OFF)

/* --- check ------------------------------------------------------------------------------------ */

static struct bpf_step insn_at(struct nfl_bytes program, size_t n)
{
	const uint8_t *p = program.data + n * BPF_INSN_BYTES;

	return (struct bpf_step){
	    .code = (uint16_t)(p[0] | p[1] << 8),
	    .jt = p[2],
	    .jf = p[3],
	    .k = p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24,
	};
}

static const char *check_load(const struct bpf_step *insn)
{
	bool index = BPF_CLASS(insn->code) == BPF_LDX;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
	case BPF_LEN:
		return BPF_SIZE(insn->code) == BPF_W ? NULL : "a load of a word";
	case BPF_MEM:
		if (BPF_SIZE(insn->code) != BPF_W)
			return "a load of a word";
		return insn->k < BPF_MEMWORDS ? NULL : "a place in memory from 0 to 15";
	case BPF_MSH:
		return index && BPF_SIZE(insn->code) == BPF_B ? NULL : "a load that there is";
	case BPF_ABS:
	case BPF_IND:
		if (index || BPF_SIZE(insn->code) == SIZE_NONE)
			return "a load that there is";
		return insn->k < ANCILLARY ? NULL : "a load of the packet: nothing else is there";
	default:
		return "a load that there is";
	}
}

static const char *check_arithmetic(const struct bpf_step *insn)
{
	bool constant = BPF_SRC(insn->code) == BPF_K;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		return NULL;
	case BPF_NEG:
		return constant ? NULL : "an operation that there is";
	case BPF_LSH:
	case BPF_RSH:
		return !constant || insn->k < 32 ? NULL : "a shift by less than 32";
	case BPF_DIV:
	case BPF_MOD:
		return !constant || insn->k ? NULL : "a divisor other than 0";
	default:
		return "an operation that there is";
	}
}

/* @left: instructions behind it. */
static const char *check_jump(const struct bpf_step *insn, size_t left)
{
	static const char inside[] = "a jump inside of the program";

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		if (BPF_SRC(insn->code) != BPF_K)
			return "a jump that there is";
		return insn->k < left ? NULL : inside;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return insn->jt < left && insn->jf < left ? NULL : inside;
	default:
		return "a jump that there is";
	}
}

static const char *check_insn(const struct bpf_step *insn, size_t left)
{
	if (insn->code > UINT8_MAX)
		return "an instruction that there is";
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
	case BPF_LDX:
		return check_load(insn);
	case BPF_ST:
	case BPF_STX:
		if (insn->code != BPF_CLASS(insn->code))
			return "an instruction that there is";
		return insn->k < BPF_MEMWORDS ? NULL : "a place in memory from 0 to 15";
	case BPF_ALU:
		return check_arithmetic(insn);
	case BPF_JMP:
		return check_jump(insn, left);
	case BPF_RET:
		return insn->code == (BPF_RET | BPF_K) || insn->code == (BPF_RET | BPF_A)
			   ? NULL
			   : "a return that there is";
	default: /* BPF_MISC */
		return BPF_MISCOP(insn->code) == BPF_TAX || BPF_MISCOP(insn->code) == BPF_TXA
			   ? NULL
			   : "an instruction that there is";
	}
}

const char *bpf_check(struct nfl_bytes program, size_t *ret_at)
{
	size_t count = program.len / BPF_INSN_BYTES;
	const char *wrong = NULL;

	*ret_at = BPF_WHOLE;
	if (count == 0 || count > BPF_MAXINSNS || program.len % BPF_INSN_BYTES != 0)
		return "1 to 4096 instructions of 8 bytes";
	for (size_t n = 0; n < count && !wrong; n++) {
		struct bpf_step insn = insn_at(program, n);

		*ret_at = n;
		wrong = check_insn(&insn, count - n - 1);
		if (!wrong && n == count - 1 && BPF_CLASS(insn.code) != BPF_RET)
			wrong = "a return at the end";
	}
	return wrong;
}

void bpf_load(struct nfl_bytes program, struct bpf_step *ret)
{
	for (size_t n = 0; n < program.len / BPF_INSN_BYTES; n++)
		ret[n] = insn_at(program, n);
}

/* --- run -------------------------------------------------------------------------------------- */

struct machine {
	struct nfl_bytes packet;
	uint32_t len;
	uint32_t a, x;
	uint32_t memory[BPF_MEMWORDS];
};

/* False: it is not there. */
static bool load_bytes(const struct machine *m, uint64_t at, unsigned size, uint32_t *ret)
{
	unsigned bytes = size == BPF_W ? 4 : size == BPF_H ? 2 : 1;

	if (at + bytes > m->packet.len)
		return false;
	switch (bytes) {
	case 4:
		*ret = read_be32(m->packet.data + at);
		break;
	case 2:
		*ret = read_be16(m->packet.data + at);
		break;
	default:
		*ret = m->packet.data[at];
		break;
	}
	return true;
}

static bool load(struct machine *m, const struct bpf_step *insn, uint32_t *to)
{
	uint32_t octet;

	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		*to = insn->k;
		return true;
	case BPF_LEN:
		*to = m->len;
		return true;
	case BPF_MEM:
		*to = m->memory[insn->k];
		return true;
	case BPF_MSH: /* the length of an IPv4 header */
		if (!load_bytes(m, insn->k, BPF_B, &octet))
			return false;
		*to = (octet & 0xf) << 2;
		return true;
	case BPF_IND:
		return load_bytes(m, (uint64_t)m->x + insn->k, BPF_SIZE(insn->code), to);
	default: /* BPF_ABS */
		return load_bytes(m, insn->k, BPF_SIZE(insn->code), to);
	}
}

/* False: a division by zero. */
static bool calculate(struct machine *m, const struct bpf_step *insn)
{
	uint32_t operand = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	switch (BPF_OP(insn->code)) {
	case BPF_ADD:
		m->a += operand;
		break;
	case BPF_SUB:
		m->a -= operand;
		break;
	case BPF_MUL:
		m->a *= operand;
		break;
	case BPF_OR:
		m->a |= operand;
		break;
	case BPF_AND:
		m->a &= operand;
		break;
	case BPF_XOR:
		m->a ^= operand;
		break;
	case BPF_LSH:
		m->a = operand < 32 ? m->a << operand : 0;
		break;
	case BPF_RSH:
		m->a = operand < 32 ? m->a >> operand : 0;
		break;
	case BPF_NEG:
		m->a = 0 - m->a;
		break;
	default: /* BPF_DIV, BPF_MOD */
		if (operand == 0)
			return false;
		m->a = BPF_OP(insn->code) == BPF_DIV ? m->a / operand : m->a % operand;
		break;
	}
	return true;
}

/* How many instructions to skip. */
static uint32_t jump(const struct machine *m, const struct bpf_step *insn)
{
	uint32_t operand = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;
	bool is_true;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->k;
	case BPF_JEQ:
		is_true = m->a == operand;
		break;
	case BPF_JGT:
		is_true = m->a > operand;
		break;
	case BPF_JGE:
		is_true = m->a >= operand;
		break;
	default: /* BPF_JSET */
		is_true = m->a & operand;
		break;
	}
	return is_true ? insn->jt : insn->jf;
}

/* One that neither jumps nor returns. False: the packet is refused. */
static bool step(struct machine *m, const struct bpf_step *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		return load(m, insn, &m->a);
	case BPF_LDX:
		return load(m, insn, &m->x);
	case BPF_ST:
		m->memory[insn->k] = m->a;
		return true;
	case BPF_STX:
		m->memory[insn->k] = m->x;
		return true;
	case BPF_ALU:
		return calculate(m, insn);
	default: /* BPF_MISC */
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return true;
	}
}

bool bpf_run(const struct bpf_step *program, struct nfl_bytes packet, uint32_t len)
{
	struct machine m = {.packet = packet, .len = len};

	for (const struct bpf_step *insn = program;; insn++) {
		switch (BPF_CLASS(insn->code)) {
		case BPF_RET:
			return BPF_RVAL(insn->code) == BPF_A ? m.a != 0 : insn->k != 0;
		case BPF_JMP:
			insn += jump(&m, insn);
			break;
		default:
			if (!step(&m, insn))
				return false;
			break;
		}
	}
}
