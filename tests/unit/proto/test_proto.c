/* SPDX-License-Identifier: MIT */
/* The contract as generated C: presence of optional fields, and what its users rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nflog/v1/nflog.pb-c.h"

static void zero_of_an_optional_field_is_sent(void **state)
{
	static const uint8_t expected[] = {0xb0, 0x01, 0x00}; /* field 22, varint, 0 */
	Nflog__V1__Packet packet = NFLOG__V1__PACKET__INIT;
	uint8_t bytes[16];

	(void)state;
	packet.uid_presence_case = NFLOG__V1__PACKET__UID_PRESENCE_UID;
	assert_int_equal(nflog__v1__packet__get_packed_size(&packet), sizeof(expected));
	nflog__v1__packet__pack(&packet, bytes);
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void absent_optional_field_is_not_sent(void **state)
{
	Nflog__V1__Packet packet = NFLOG__V1__PACKET__INIT;

	(void)state;
	packet.uid = 7; /* without the case it does not count */
	assert_int_equal(nflog__v1__packet__get_packed_size(&packet), 0);
}

static void optional_field_comes_back_with_its_presence(void **state)
{
	static const uint8_t bytes[] = {0xb0, 0x01, 0x00};
	Nflog__V1__Packet *packet = nflog__v1__packet__unpack(NULL, sizeof(bytes), bytes);

	(void)state;
	assert_non_null(packet);
	assert_int_equal(packet->uid_presence_case, NFLOG__V1__PACKET__UID_PRESENCE_UID);
	assert_int_equal(packet->uid, 0);
	assert_int_equal(packet->gid_presence_case, NFLOG__V1__PACKET__GID_PRESENCE__NOT_SET);
	nflog__v1__packet__free_unpacked(packet, NULL);
}

static void service_has_its_five_methods_by_name(void **state)
{
	static const char *const names[] = {"Subscribe", "ListNetns", "ListSources", "GetStats",
					    "GetServerInfo"};
	const ProtobufCServiceDescriptor *service = &nflog__v1__nflog_service__descriptor;

	(void)state;
	assert_string_equal(service->name, "nflog.v1.NflogService");
	assert_int_equal(service->n_methods, sizeof(names) / sizeof(names[0]));
	for (unsigned i = 0; i < service->n_methods; i++)
		assert_non_null(
		    protobuf_c_service_descriptor_get_method_by_name(service, names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zero_of_an_optional_field_is_sent),
	    cmocka_unit_test(absent_optional_field_is_not_sent),
	    cmocka_unit_test(optional_field_comes_back_with_its_presence),
	    cmocka_unit_test(service_has_its_five_methods_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
