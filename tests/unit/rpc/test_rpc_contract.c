/* SPDX-License-Identifier: MIT */
/* What reflection knows of the .proto files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <google/protobuf/descriptor.pb-c.h>

#include "contract.h"

#define CONTRACT "nflog/v1/nflog.proto"

static int setup(void **state)
{
	struct contract *contract;

	assert_int_equal(contract_new(&contract), 0);
	*state = contract;
	return 0;
}

static int teardown(void **state)
{
	contract_free(*state);
	return 0;
}

static void the_services_are_those_that_are_served(void **state)
{
	static const char *const expected[] = {
	    "grpc.health.v1.Health",
	    "grpc.reflection.v1.ServerReflection",
	    "grpc.reflection.v1alpha.ServerReflection",
	    "nflog.v1.NflogService",
	};
	size_t count;
	const char *const *services = contract_services(*state, &count);

	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(services[i], expected[i]);
}

static void every_kind_of_symbol_leads_to_its_file(void **state)
{
	static const char *const symbols[] = {
	    "nflog.v1.NflogService", "nflog.v1.NflogService.Subscribe",
	    "nflog.v1.Packet",       "nflog.v1.Packet.prefix",
	    "nflog.v1.PacketView",   "nflog.v1.PACKET_VIEW_FULL",
	};

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		const struct contract_file *file = contract_find_symbol(*state, symbols[i]);

		if (!file)
			fail_msg("%s is not found", symbols[i]);
		assert_string_equal(file->name, CONTRACT);
	}
	assert_string_equal(
	    contract_find_symbol(*state, "grpc.health.v1.HealthCheckResponse.ServingStatus")->name,
	    "grpc/health/v1/health.proto");
}

static void what_does_not_exist_is_not_found(void **state)
{
	assert_null(contract_find_symbol(*state, ""));
	assert_null(contract_find_symbol(*state, "nflog"));
	assert_null(contract_find_symbol(*state, "nflog.v1"));
	assert_null(contract_find_symbol(*state, "nflog.v1.Pac"));
	assert_null(contract_find_symbol(*state, "nflog.v1.PacketView.PACKET_VIEW_FULL"));
	assert_null(contract_find_file(*state, ""));
	assert_null(contract_find_file(*state, "nflog.proto"));
	assert_false(contract_has_message(*state, "nflog.v1.NflogService"));
	assert_true(contract_has_message(*state, "nflog.v1.Packet"));
}

/* Of the published file: what C is made of has a oneof instead. */
static void the_file_says_optional_and_imports_come_with_it(void **state)
{
	const struct contract_file *file = contract_find_file(*state, CONTRACT);
	Google__Protobuf__FileDescriptorProto *proto;
	bool optional = false;

	assert_int_equal(file->import_count, 2);
	assert_string_equal(file->imports[0]->name, "google/protobuf/duration.proto");
	assert_string_equal(file->imports[1]->name, "google/protobuf/timestamp.proto");
	proto = google__protobuf__file_descriptor_proto__unpack(NULL, file->len, file->bytes);
	assert_non_null(proto);
	assert_string_equal(proto->name, CONTRACT);
	for (size_t i = 0; i < proto->n_message_type; i++)
		for (size_t k = 0; k < proto->message_type[i]->n_field; k++)
			optional |= proto->message_type[i]->field[k]->proto3_optional;
	assert_true(optional);
	google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
}

static size_t count_extensions(const Google__Protobuf__DescriptorProto *message)
{
	size_t count = message->n_extension + message->n_extension_range;

	for (size_t i = 0; i < message->n_nested_type; i++)
		count += count_extensions(message->nested_type[i]);
	return count;
}

/* Questions for extensions are answered without looking. */
static void nothing_is_extended(void **state)
{
	const struct contract_file *file = contract_find_file(*state, CONTRACT);

	for (size_t i = 0; i <= file->import_count; i++) {
		const struct contract_file *one = i ? file->imports[i - 1] : file;
		Google__Protobuf__FileDescriptorProto *proto =
		    google__protobuf__file_descriptor_proto__unpack(NULL, one->len, one->bytes);

		assert_non_null(proto);
		assert_int_equal(proto->n_extension, 0);
		for (size_t k = 0; k < proto->n_message_type; k++)
			assert_int_equal(count_extensions(proto->message_type[k]), 0);
		google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
	}
}

#define CONTRACT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CONTRACT_TEST(the_services_are_those_that_are_served),
	    CONTRACT_TEST(every_kind_of_symbol_leads_to_its_file),
	    CONTRACT_TEST(what_does_not_exist_is_not_found),
	    CONTRACT_TEST(the_file_says_optional_and_imports_come_with_it),
	    CONTRACT_TEST(nothing_is_extended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
