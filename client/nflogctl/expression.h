/* SPDX-License-Identifier: MIT */
/* expression.h - tcpdump's filter expressions (pcap-filter(7)), compiled here for the server to run */
#ifndef NFLOGCTL_EXPRESSION_H
#define NFLOGCTL_EXPRESSION_H

#include <nfl/record.h>

/**
 * expression_compile - for packets that begin with their IP header
 * @argc, @argv: its words
 * @ret: as nfl_filter_term.bpf; expression_free() ends it
 * @ret_error: what is wrong, with -EINVAL; the caller's
 * Returns 0, -EINVAL or -ENOMEM.
 */
int expression_compile(int argc, char **argv, struct nfl_bytes *ret, char **ret_error);
void expression_free(struct nfl_bytes program);

#endif
