/* SPDX-License-Identifier: MIT */
/*
 * rpc/contract.h - what is served, as reflection tells it: files, symbols, services
 *
 * Built once from the descriptors that the compiler of the .proto files left in the program.
 * Threads: any, after contract_new(): nothing changes.
 */
#ifndef RPC_CONTRACT_H
#define RPC_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct contract;

/* One .proto file. */
struct contract_file {
	const char *name;
	uint8_t *bytes; /* a google.protobuf.FileDescriptorProto */
	size_t len;
	const struct contract_file **imports; /* and what they import in turn; each once */
	size_t import_count;
};

/* 0, -ENOMEM, or -EBADMSG: the program was built wrong. */
int contract_new(struct contract **ret);
void contract_free(struct contract *contract); /* NULL is allowed */

/* NULL: there is no such file. */
const struct contract_file *contract_find_file(const struct contract *contract, const char *name);
/* The file that defines a full name: of a message, an enum, a value, a field, a service, a method. */
const struct contract_file *contract_find_symbol(const struct contract *contract,
						 const char *symbol);
/* Is the full name that of a message? */
bool contract_has_message(const struct contract *contract, const char *name);
/* The full names of the services. */
const char *const *contract_services(const struct contract *contract, size_t *ret_count);

#endif
