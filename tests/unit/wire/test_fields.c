/* SPDX-License-Identifier: MIT */
/* The numbers that lib/wire writes by hand are those of the published contract. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "fields.h"
#include "nflog/v1/log.pb-c.h"
#include "nflog/v1/nflog.pb-c.h"

struct hand_field {
	const char *name; /* upper case */
	uint32_t tag;
};

#define HAND_FIELD(message, field, number, type) {#field, message##_##field},

static const struct hand_field packet[] = {PACKET_FIELDS(HAND_FIELD)};
static const struct hand_field decoded[] = {DECODED_FIELDS(HAND_FIELD)};
static const struct hand_field conntrack[] = {CONNTRACK_FIELDS(HAND_FIELD)};
static const struct hand_field tuple[] = {TUPLE_FIELDS(HAND_FIELD)};
static const struct hand_field device[] = {DEVICE_FIELDS(HAND_FIELD)};
static const struct hand_field vlan[] = {VLAN_FIELDS(HAND_FIELD)};
static const struct hand_field timestamp[] = {TIMESTAMP_FIELDS(HAND_FIELD)};
static const struct hand_field batch[] = {BATCH_FIELDS(HAND_FIELD)};
static const struct hand_field response[] = {RESPONSE_FIELDS(HAND_FIELD)};
static const struct hand_field started[] = {STARTED_FIELDS(HAND_FIELD)};
static const struct hand_field loss[] = {LOSS_FIELDS(HAND_FIELD)};
static const struct hand_field source[] = {SOURCE_FIELDS(HAND_FIELD)};
static const struct hand_field segment[] = {SEGMENT_FIELDS(HAND_FIELD)};
static const struct hand_field span[] = {SPAN_FIELDS(HAND_FIELD)};

static uint32_t wire_type(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_LEN;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_BOOL:
		return WIRE_VARINT;
	default: /* zigzag and fixed: lib/wire knows none of them */
		fail_msg("type %d", (int)type);
		return 0;
	}
}

static void assert_same(const ProtobufCMessageDescriptor *contract, const struct hand_field *fields,
			size_t count)
{
	assert_int_equal(contract->n_fields, count);
	for (size_t i = 0; i < count; i++) {
		const ProtobufCFieldDescriptor *published;
		char name[64] = "";

		for (size_t c = 0; fields[i].name[c] && c < sizeof(name) - 1; c++)
			name[c] = (char)tolower((unsigned char)fields[i].name[c]);
		published = protobuf_c_message_descriptor_get_field_by_name(contract, name);
		if (!published)
			fail_msg("%s has no field %s", contract->name, name);
		if (fields[i].tag != (published->id << 3 | wire_type(published->type)))
			fail_msg("%s.%s is number %u", contract->name, name, published->id);
	}
}

static void every_field_has_the_published_number_and_type(void **state)
{
	(void)state;
	assert_same(&nflog__v1__packet__descriptor, packet, ARRAY_SIZE(packet));
	assert_same(&nflog__v1__decoded__descriptor, decoded, ARRAY_SIZE(decoded));
	assert_same(&nflog__v1__conntrack__descriptor, conntrack, ARRAY_SIZE(conntrack));
	assert_same(&nflog__v1__tuple__descriptor, tuple, ARRAY_SIZE(tuple));
	assert_same(&nflog__v1__device__descriptor, device, ARRAY_SIZE(device));
	assert_same(&nflog__v1__vlan__descriptor, vlan, ARRAY_SIZE(vlan));
	assert_same(&google__protobuf__timestamp__descriptor, timestamp, ARRAY_SIZE(timestamp));
	assert_same(&nflog__v1__packet_batch__descriptor, batch, ARRAY_SIZE(batch));
	assert_same(&nflog__v1__subscribe_response__descriptor, response, ARRAY_SIZE(response));
	assert_same(&nflog__v1__started__descriptor, started, ARRAY_SIZE(started));
	assert_same(&nflog__v1__loss_report__descriptor, loss, ARRAY_SIZE(loss));
	assert_same(&nflog__v1__source__descriptor, source, ARRAY_SIZE(source));
	assert_same(&nflog__v1__log_segment__descriptor, segment, ARRAY_SIZE(segment));
	assert_same(&nflog__v1__log_span__descriptor, span, ARRAY_SIZE(span));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_field_has_the_published_number_and_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
