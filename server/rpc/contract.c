/* SPDX-License-Identifier: MIT */
/*
 * From a FileDescriptorSet to tables that can be searched: files in the order of the set, which has
 * imports before those who import them, and full names in the order of the alphabet.
 */
#include "contract.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <google/protobuf/descriptor.pb-c.h>

#include "bytes.h"
#include "cleanup.h"
#include "descriptors.h"

#define NAME_MAX_BYTES 256 /* of a full name; those of the contract have some 60 */

enum symbol_kind {
	SYMBOL_MESSAGE,
	SYMBOL_SERVICE,
	SYMBOL_OTHER,
};

struct symbol {
	char *name; /* owned */
	enum symbol_kind kind;
	const struct contract_file *file;
};

struct contract {
	Google__Protobuf__FileDescriptorSet *set; /* owned; has the names */
	struct contract_file *files;              /* owned */
	size_t file_count;
	struct symbol *symbols; /* owned; sorted by name */
	size_t symbol_count;
	size_t symbol_room;
	const char **services; /* owned; the names are those of symbols */
	size_t service_count;
};

/* --- symbols -------------------------------------------------------------------------------- */

static int add(struct contract *contract, const struct contract_file *file, enum symbol_kind kind,
	       const char *scope, const char *name)
{
	struct symbol *symbol;
	char *full;

	if (contract->symbol_count == contract->symbol_room) {
		size_t room = contract->symbol_room ? 2 * contract->symbol_room : 512;
		struct symbol *grown = realloc(contract->symbols, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		contract->symbols = grown;
		contract->symbol_room = room;
	}
	if (asprintf(&full, "%s%s%s", scope, *scope ? "." : "", name) < 0)
		return -ENOMEM;
	symbol = &contract->symbols[contract->symbol_count++];
	*symbol = (struct symbol){.name = full, .kind = kind, .file = file};
	return 0;
}

/* The values of an enum are its neighbours by name, not its children. */
static int add_enums(struct contract *contract, const struct contract_file *file, const char *scope,
		     Google__Protobuf__EnumDescriptorProto **enums, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		r = add(contract, file, SYMBOL_OTHER, scope, enums[i]->name);
		for (size_t k = 0; k < enums[i]->n_value && r == 0; k++)
			r = add(contract, file, SYMBOL_OTHER, scope, enums[i]->value[k]->name);
	}
	return r;
}

/* Recursion is as deep as messages are nested in our own files. */
static int add_message(struct contract *contract, const struct contract_file *file,
		       const char *scope, const Google__Protobuf__DescriptorProto *message)
{
	char inner[NAME_MAX_BYTES];
	int r = add(contract, file, SYMBOL_MESSAGE, scope, message->name);

	if (snprintf(inner, sizeof(inner), "%s.%s", scope, message->name) >= (int)sizeof(inner))
		return -EBADMSG;
	for (size_t i = 0; i < message->n_field && r == 0; i++)
		r = add(contract, file, SYMBOL_OTHER, inner, message->field[i]->name);
	for (size_t i = 0; i < message->n_nested_type && r == 0; i++)
		r = add_message(contract, file, inner, message->nested_type[i]);
	if (r == 0)
		r = add_enums(contract, file, inner, message->enum_type, message->n_enum_type);
	return r;
}

static int add_service(struct contract *contract, const struct contract_file *file,
		       const char *scope, const Google__Protobuf__ServiceDescriptorProto *service)
{
	char inner[NAME_MAX_BYTES];
	int r = add(contract, file, SYMBOL_SERVICE, scope, service->name);

	if (snprintf(inner, sizeof(inner), "%s.%s", scope, service->name) >= (int)sizeof(inner))
		return -EBADMSG;
	for (size_t i = 0; i < service->n_method && r == 0; i++)
		r = add(contract, file, SYMBOL_OTHER, inner, service->method[i]->name);
	return r;
}

static int add_symbols(struct contract *contract, const struct contract_file *file,
		       const Google__Protobuf__FileDescriptorProto *proto)
{
	const char *package = proto->package ? proto->package : "";
	int r = add_enums(contract, file, package, proto->enum_type, proto->n_enum_type);

	for (size_t i = 0; i < proto->n_message_type && r == 0; i++)
		r = add_message(contract, file, package, proto->message_type[i]);
	for (size_t i = 0; i < proto->n_service && r == 0; i++)
		r = add_service(contract, file, package, proto->service[i]);
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static int list_services(struct contract *contract)
{
	contract->services = calloc(contract->symbol_count + 1, sizeof(*contract->services));
	if (!contract->services)
		return -ENOMEM;
	for (size_t i = 0; i < contract->symbol_count; i++)
		if (contract->symbols[i].kind == SYMBOL_SERVICE)
			contract->services[contract->service_count++] = contract->symbols[i].name;
	return 0;
}

/* --- files ---------------------------------------------------------------------------------- */

static void import(struct contract_file *file, const struct contract_file *imported)
{
	for (size_t i = 0; i < file->import_count; i++)
		if (file->imports[i] == imported)
			return;
	file->imports[file->import_count++] = imported;
}

/* Imports come before in the set, so theirs are known already. */
static int add_imports(struct contract *contract, struct contract_file *file,
		       const Google__Protobuf__FileDescriptorProto *proto)
{
	file->imports = calloc(contract->set->n_file, sizeof(struct contract_file *));
	if (!file->imports)
		return -ENOMEM;
	for (size_t i = 0; i < proto->n_dependency; i++) {
		const struct contract_file *found =
		    contract_find_file(contract, proto->dependency[i]);

		if (!found)
			return -EBADMSG;
		import(file, found);
		for (size_t k = 0; k < found->import_count; k++)
			import(file, found->imports[k]);
	}
	return 0;
}

static int add_file(struct contract *contract, const Google__Protobuf__FileDescriptorProto *proto)
{
	struct contract_file *file = &contract->files[contract->file_count];
	int r;

	file->name = proto->name;
	file->len = protobuf_c_message_get_packed_size(&proto->base);
	file->bytes = malloc(file->len);
	r = file->bytes ? add_imports(contract, file, proto) : -ENOMEM;
	contract->file_count++;
	if (r < 0)
		return r;
	(void)protobuf_c_message_pack(&proto->base, file->bytes);
	return add_symbols(contract, file, proto);
}

static int build(struct contract *contract)
{
	int r = 0;

	contract->set =
	    google__protobuf__file_descriptor_set__unpack(NULL, descriptors_len, descriptors);
	if (!contract->set)
		return -EBADMSG;
	contract->files = calloc(contract->set->n_file + 1, sizeof(*contract->files));
	if (!contract->files)
		return -ENOMEM;
	for (size_t i = 0; i < contract->set->n_file && r == 0; i++)
		r = add_file(contract, contract->set->file[i]);
	if (r < 0)
		return r;
	qsort(contract->symbols, contract->symbol_count, sizeof(*contract->symbols), compare);
	return list_services(contract);
}

static void contract_freep(struct contract **contract)
{
	contract_free(*contract);
}

int contract_new(struct contract **ret)
{
	CLEANUP(contract_freep) struct contract *contract = calloc(1, sizeof(*contract));
	int r = contract ? build(contract) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = TAKE_PTR(contract);
	return 0;
}

void contract_free(struct contract *contract)
{
	if (!contract)
		return;
	free(contract->services);
	for (size_t i = 0; i < contract->symbol_count; i++)
		free(contract->symbols[i].name);
	free(contract->symbols);
	for (size_t i = 0; i < contract->file_count; i++) {
		free(contract->files[i].bytes);
		free(contract->files[i].imports);
	}
	free(contract->files);
	google__protobuf__file_descriptor_set__free_unpacked(contract->set, NULL);
	free(contract);
}

/* --- questions ------------------------------------------------------------------------------ */

const struct contract_file *contract_find_file(const struct contract *contract, const char *name)
{
	for (size_t i = 0; i < contract->file_count; i++)
		if (strcmp(contract->files[i].name, name) == 0)
			return &contract->files[i];
	return NULL;
}

static const struct symbol *find(const struct contract *contract, const char *name)
{
	const struct symbol key = {.name = (char *)(uintptr_t)name}; /* not written to */

	return bsearch(&key, contract->symbols, contract->symbol_count, sizeof(key), compare);
}

const struct contract_file *contract_find_symbol(const struct contract *contract,
						 const char *symbol)
{
	const struct symbol *found = find(contract, symbol);

	return found ? found->file : NULL;
}

bool contract_has_message(const struct contract *contract, const char *name)
{
	const struct symbol *found = find(contract, name);

	return found && found->kind == SYMBOL_MESSAGE;
}

const char *const *contract_services(const struct contract *contract, size_t *ret_count)
{
	*ret_count = contract->service_count;
	return contract->services;
}
