/* SPDX-License-Identifier: MIT */
/*
 * filter/bpf.h - classic BPF programs, as tcpdump expressions compile to
 *
 * The machine of McCanne and Jacobson, "The BSD Packet Filter" (1993): accumulator, index register,
 * 16 words of memory, and jumps that only go forward, so that a program of n instructions takes at
 * most n steps. Our own, because the library that has one brings D-Bus and USB along.
 */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nfl/record.h>

#define BPF_INSN_BYTES 8
#define BPF_WHOLE      SIZE_MAX

struct bpf_step {
	uint16_t code;
	uint8_t jt; /* instructions to skip where a condition is true */
	uint8_t jf;
	uint32_t k;
};

/**
 * bpf_check - may this be run?
 * @program: instructions of 8 bytes, little-endian: code 2, jt 1, jf 1, k 4
 * @ret_at: the index of the instruction that is wrong, or BPF_WHOLE
 * Returns NULL, or what was expected instead.
 */
const char *bpf_check(struct nfl_bytes program, size_t *ret_at);

/* A program that was checked, in the machine's order. @ret: room for program.len / 8 of them. */
void bpf_load(struct nfl_bytes program, struct bpf_step *ret);

/**
 * bpf_run - does the program accept the packet?
 * @packet: what is there of it
 * @len: how long it was, for the instruction that asks
 * A load from beyond what is there, and a division by zero, refuse it.
 */
bool bpf_run(const struct bpf_step *program, struct nfl_bytes packet, uint32_t len);

#endif
