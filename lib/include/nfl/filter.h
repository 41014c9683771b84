/* SPDX-License-Identifier: MIT */
/*
 * nfl/filter.h - which packets are wanted: nflog.v1.PacketFilter as C structs, compiled, evaluated
 *
 * A filter is a list of `include` terms and one of `exclude` terms. A packet passes when it matches any
 * of the first (or there is none) and none of the second. In one term the fields that are given are
 * ANDed, the values of one field ORed; a packet that has no such field does not match. The meaning
 * of each field is that of nflog.proto. TCP to port 443, but not from 10.0.0.0/8:
 *
 *	static const struct nfl_range https = { 443, 443 };
 *	static const uint32_t tcp = 6;
 *	static const struct nfl_cidr ours = { .address = { 10 }, .address_len = 4, .length = 8 };
 *	struct nfl_filter_term include = { .size = sizeof(include),
 *		.protocol = { &tcp, 1 }, .destination_port = { &https, 1 } };
 *	struct nfl_filter_term exclude = { .size = sizeof(exclude), .source_address = { &ours, 1 } };
 *	struct nfl_filter *filter;
 *	struct nfl_error err;
 *
 *	if (nfl_filter_new(&include, 1, &exclude, 1, &filter, &err) < 0)
 *		errx(1, "%s", err.text);
 *
 * A packet costs about a binary search for each field of each term, whatever was asked for: lists are
 * sorted, and a glob costs no more than its text. A compiled filter is immutable: any number of
 * threads may use it.
 */
#ifndef NFL_FILTER_H
#define NFL_FILTER_H

#include <nfl/listener.h>

#ifdef __cplusplus
extern "C" {
#endif

/* @address: 4 or 16 bytes in network order; bits after @length must be 0 */
struct nfl_cidr {
	uint8_t address[16];
	uint8_t address_len;
	uint8_t length; /* bits */
};

struct nfl_range { /* both ends included */
	uint32_t first;
	uint32_t last;
};

struct nfl_masked { /* (field & mask) == value; mask 0: all bits */
	uint32_t value;
	uint32_t mask;
};

/* Texts are compared byte by byte, at most 255 of a pattern; an empty text is as an absent one. */
enum nfl_match_kind {
	NFL_MATCH_EXACT = 1,
	NFL_MATCH_STARTS_WITH = 2,
	NFL_MATCH_GLOB = 3, /* '*': any run, '?': one byte; nothing else is special */
};

struct nfl_match {
	enum nfl_match_kind kind;
	struct nfl_bytes text;
};

#define NFL_LIST(type)                                                                             \
	struct {                                                                                   \
		const type *items;                                                                 \
		size_t count;                                                                      \
	}

/* Zero-initialise, set size, fill what is to be looked at. All borrowed for nfl_filter_new(). */
struct nfl_filter_term {
	size_t size; /* sizeof(struct nfl_filter_term) */
	NFL_LIST(struct nfl_cidr) any_address, source_address, destination_address;
	NFL_LIST(struct nfl_range) any_port, source_port, destination_port;
	NFL_LIST(uint32_t) protocol, ip_version; /* 4, 6 */
	NFL_LIST(struct nfl_masked) tcp_flags, mark;
	NFL_LIST(struct nfl_match) prefix;
	NFL_LIST(uint32_t) hook; /* enum nfl_hook */
	NFL_LIST(struct nfl_match) any_interface, input_interface, output_interface;
	NFL_LIST(uint32_t) uid, gid;
	NFL_LIST(struct nfl_bytes) hw_address;
	NFL_LIST(uint32_t) vlan_id, hw_protocol, family;
	NFL_LIST(struct nfl_match) netns; /* EXACT ones */
	NFL_LIST(uint32_t) group, icmp_type;
	/* A classic BPF program over the packet from its network header on, ANDed with the rest; len 0:
	 * none. Instructions of 8 bytes, little-endian: code 2, jt 1, jf 1, k 4. A packet is not
	 * matched by a program that looks beyond what there is of it. */
	struct nfl_bytes bpf;
};

#define NFL_FILTER_TERMS_MAX  256u   /* include and exclude together */
#define NFL_FILTER_VALUES_MAX 16384u /* of one filter, as the next two */
#define NFL_FILTER_MASKED_MAX 256u   /* values of tcp_flags and mark */
#define NFL_FILTER_BPF_MAX    4096u /* instructions of all programs: so many steps a packet at most */
#define NFL_FILTER_GLOBS_MAX                                                                       \
	64u /* one for each 64 characters; not those that end in their only '*' */

struct nfl_filter;

/**
 * nfl_filter_new - check and compile
 * @include, @exclude: borrowed, with all that they point to; may be NULL with a count of 0
 * @err: may be NULL
 * Returns 0, -EINVAL with @err naming the field ("exclude[1].source_port: ..."), -E2BIG, or -ENOMEM.
 */
NFL_API int nfl_filter_new(const struct nfl_filter_term *include, size_t include_count,
			   const struct nfl_filter_term *exclude, size_t exclude_count,
			   struct nfl_filter **ret, struct nfl_error *err);
NFL_API void nfl_filter_free(struct nfl_filter *filter); /* NULL is allowed */

/* @netns: name of the packet's namespace, NULL: not known; @group: its NFLOG group. The packet needs
 * its record, its decoded headers and, for filters by interface, the names of its devices. */
NFL_API bool nfl_filter_match(const struct nfl_filter *filter, const struct nfl_packet *packet,
			      const char *netns, uint16_t group);

#ifdef __cplusplus
}
#endif
#endif
