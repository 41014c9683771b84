/* SPDX-License-Identifier: MIT */
/*
 * Messages of the contract in protobuf's own JSON: a walk over an unpacked message and its descriptor, so
 * that it knows every field that the contract has. Memory and text stay from call to call.
 */
#include <nfl/client.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <google/protobuf/duration.pb-c.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <nfl/render.h>
#include <nflog/v1/nflog.pb-c.h>

#include "arena.h"
#include "clock.h"

#define ESCAPED_MAX 6 /* bytes of JSON for one of a text */
#define TIME_BYTES  64

struct nfl_client_json {
	struct arena arena;
	char *text; /* owned: one line, with the newline */
	size_t len;
	size_t capacity;
	bool is_numeric;
	int error; /* -ENOMEM */
};

static void put_message(struct nfl_client_json *json, const ProtobufCMessage *message);

/* --- text -------------------------------------------------------------------------------- */

/* Room for so many bytes, to be added to len; NULL without memory. */
static char *reserve(struct nfl_client_json *json, size_t size)
{
	size_t wanted = json->len + size;
	char *grown;

	if (json->error)
		return NULL;
	if (wanted <= json->capacity)
		return json->text + json->len;
	wanted += wanted / 2;
	grown = realloc(json->text, wanted);
	if (!grown) {
		json->error = -ENOMEM;
		return NULL;
	}
	json->text = grown;
	json->capacity = wanted;
	return grown + json->len;
}

static void put(struct nfl_client_json *json, const char *text, size_t len)
{
	char *at = reserve(json, len);

	if (!at)
		return;
	memcpy(at, text, len);
	json->len += len;
}

#define put_literal(json, text) put((json), "" text, sizeof(text) - 1)

static void put_number(struct nfl_client_json *json, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put(json, digits + at, sizeof(digits) - at);
}

static void put_signed(struct nfl_client_json *json, int64_t value)
{
	if (value < 0)
		put_literal(json, "-");
	put_number(json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_string(struct nfl_client_json *json, const char *text)
{
	size_t len = strlen(text), cap = ESCAPED_MAX * len + 1;
	char *at;

	put_literal(json, "\"");
	at = reserve(json, cap);
	if (at)
		json->len += nfl_escape_json(at, cap, text, len);
	put_literal(json, "\"");
}

static void put_base64(struct nfl_client_json *json, const uint8_t *bytes, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *at = reserve(json, (len + 2) / 3 * 4);

	if (!at)
		return;
	for (size_t i = 0; i < len; i += 3) {
		unsigned left = len - i < 3 ? (unsigned)(len - i) : 3;
		unsigned group = (unsigned)bytes[i] << 16;

		group |= left > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;
		*at++ = digits[group >> 18];
		*at++ = digits[group >> 12 & 63];
		*at++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*at++ = left > 2 ? digits[group & 63] : '=';
	}
	json->len += (len + 2) / 3 * 4;
}

/* "source_address" is "sourceAddress". */
static void put_key(struct nfl_client_json *json, const char *name)
{
	char *at = reserve(json, strlen(name) + 3);
	char *begin = at;

	if (!at)
		return;
	*at++ = '"';
	for (; *name; name++) {
		if (*name == '_' && name[1])
			*at++ = (char)toupper((unsigned char)*++name);
		else
			*at++ = *name;
	}
	*at++ = '"';
	*at++ = ':';
	json->len += (size_t)(at - begin);
}

/* --- times ------------------------------------------------------------------------------- */

/* Of nine digits as many as are needed, by threes. */
static size_t fraction_digits(uint32_t nanos)
{
	if (nanos == 0)
		return 0;
	if (nanos % 1000000 == 0)
		return 3;
	return nanos % 1000 == 0 ? 6 : 9;
}

#define CLOCK_CHARS 19 /* 2026-01-02T03:04:05, and a dot behind it */

static void put_timestamp(struct nfl_client_json *json, const Google__Protobuf__Timestamp *time)
{
	const int64_t limit = INT64_MAX / NS_PER_S - 1;
	int64_t seconds = time->seconds;
	uint32_t nanos = time->nanos >= 0 && time->nanos < NS_PER_S ? (uint32_t)time->nanos : 0;
	size_t digits = fraction_digits(nanos);
	char text[TIME_BYTES];

	seconds = seconds < -limit ? -limit : seconds > limit ? limit : seconds;
	(void)nfl_render_time(text, sizeof(text), seconds * NS_PER_S + nanos, NFL_RENDER_UTC);
	put_literal(json, "\"");
	put(json, text, CLOCK_CHARS + (digits ? 1 + digits : 0));
	put_literal(json, "Z\"");
}

static void put_duration(struct nfl_client_json *json, const Google__Protobuf__Duration *duration)
{
	uint32_t nanos = (uint32_t)(duration->nanos < 0 ? 0U - (uint32_t)duration->nanos
							: (uint32_t)duration->nanos);
	uint64_t seconds =
	    duration->seconds < 0 ? 0 - (uint64_t)duration->seconds : (uint64_t)duration->seconds;
	size_t digits = nanos < NS_PER_S ? fraction_digits(nanos) : 0;
	char text[TIME_BYTES];

	put_literal(json, "\"");
	if (duration->seconds < 0 || duration->nanos < 0)
		put_literal(json, "-");
	put_number(json, seconds);
	(void)snprintf(text, sizeof(text), ".%09" PRIu32, nanos);
	put(json, text, digits ? 1 + digits : 0);
	put_literal(json, "s\"");
}

/* --- fields ------------------------------------------------------------------------------ */

static void put_enum(struct nfl_client_json *json, const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);

	if (known && !json->is_numeric)
		put_string(json, known->name);
	else
		put_signed(json, value);
}

/* The contract has none yet. */
static void put_double(struct nfl_client_json *json, double value)
{
	char text[32];

	put(json, text, (size_t)snprintf(text, sizeof(text), "%.17g", value));
}

static size_t value_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		break;
	}
	return sizeof(uint32_t);
}

static void put_value(struct nfl_client_json *json, const ProtobufCFieldDescriptor *field,
		      const void *value)
{
	const ProtobufCBinaryData *bytes = value;

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		put_literal(json, "\"");
		put_signed(json, *(const int64_t *)value);
		put_literal(json, "\"");
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		put_literal(json, "\"");
		put_number(json, *(const uint64_t *)value);
		put_literal(json, "\"");
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		put_signed(json, *(const int32_t *)value);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		put_number(json, *(const uint32_t *)value);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		put_double(json, *(const double *)value);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		put_double(json, (double)*(const float *)value);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		if (*(const protobuf_c_boolean *)value)
			put_literal(json, "true");
		else
			put_literal(json, "false");
		break;
	case PROTOBUF_C_TYPE_ENUM:
		put_enum(json, field->descriptor, *(const int *)value);
		break;
	case PROTOBUF_C_TYPE_STRING:
		put_string(json, *(char *const *)value);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_literal(json, "\"");
		put_base64(json, bytes->data, bytes->len);
		put_literal(json, "\"");
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(json, *(ProtobufCMessage *const *)value);
		break;
	}
}

/* Has it the default that is left out? */
static bool is_default(const ProtobufCFieldDescriptor *field, const void *value)
{
	static const uint64_t zero;

	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return !*(char *const *)value || !**(char *const *)value;
	case PROTOBUF_C_TYPE_BYTES:
		return ((const ProtobufCBinaryData *)value)->len == 0;
	case PROTOBUF_C_TYPE_MESSAGE:
		return !*(ProtobufCMessage *const *)value;
	default:
		return memcmp(value, &zero, value_size(field->type)) == 0;
	}
}

static void put_repeated(struct nfl_client_json *json, const ProtobufCFieldDescriptor *field,
			 const char *items, size_t count)
{
	put_literal(json, "[");
	for (size_t i = 0; i < count; i++) {
		if (i)
			put_literal(json, ",");
		put_value(json, field, items + i * value_size(field->type));
	}
	put_literal(json, "]");
}

/* With a comma behind it, if it is there. */
static void put_field(struct nfl_client_json *json, const ProtobufCMessage *message,
		      const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;
	const void *value = base + field->offset;

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);

		if (count == 0)
			return;
		put_key(json, field->name);
		put_repeated(json, field, *(char *const *)value, count);
	} else if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		/* One of several, or one that tells absent from zero. */
		if (*(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
			return;
		put_key(json, field->name);
		put_value(json, field, value);
	} else {
		if (is_default(field, value))
			return;
		put_key(json, field->name);
		put_value(json, field, value);
	}
	put_literal(json, ",");
}

static void put_message(struct nfl_client_json *json, const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;

	if (type == &google__protobuf__timestamp__descriptor) {
		put_timestamp(json, (const Google__Protobuf__Timestamp *)message);
		return;
	}
	if (type == &google__protobuf__duration__descriptor) {
		put_duration(json, (const Google__Protobuf__Duration *)message);
		return;
	}
	put_literal(json, "{");
	for (unsigned i = 0; i < type->n_fields; i++)
		put_field(json, message, &type->fields[i]);
	if (json->len > 0 && !json->error && json->text[json->len - 1] == ',')
		json->len--;
	put_literal(json, "}");
}

int nfl_client_json_new(struct nfl_client_json **ret)
{
	if (!ret)
		return -EINVAL;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void nfl_client_json_free(struct nfl_client_json *json)
{
	if (!json)
		return;
	arena_reset(&json->arena);
	free(json->text);
	free(json);
}

/* NULL for flags that nobody knows. */
static const ProtobufCMessageDescriptor *type_of(uint32_t flags)
{
	switch (flags & ~NFL_CLIENT_JSON_NUMERIC) {
	case 0:
		return &nflog__v1__subscribe_response__descriptor;
	case NFL_CLIENT_JSON_PACKET:
		return &nflog__v1__packet__descriptor;
	case NFL_CLIENT_JSON_REQUEST:
		return &nflog__v1__subscribe_request__descriptor;
	default:
		return NULL;
	}
}

int nfl_client_json_render(struct nfl_client_json *json, struct nfl_bytes message, uint32_t flags,
			   const char **ret_text, size_t *ret_len)
{
	bool is_packet = flags & NFL_CLIENT_JSON_PACKET;
	const ProtobufCMessageDescriptor *type = type_of(flags);
	const ProtobufCMessage *unpacked;

	if (!type)
		return -EINVAL;
	arena_clear(&json->arena);
	unpacked = arena_unpack(&json->arena, type, message.data, message.len);
	if (!unpacked)
		return arena_error(&json->arena);
	json->len = 0;
	json->error = 0;
	json->is_numeric = flags & NFL_CLIENT_JSON_NUMERIC;
	if (is_packet)
		put_literal(json, "{\"batch\":{\"packets\":[");
	put_message(json, unpacked);
	if (is_packet)
		put_literal(json, "]}}");
	put(json, "\n", sizeof("\n"));
	if (json->error)
		return json->error;
	*ret_text = json->text;
	*ret_len = json->len - 1; /* of the NUL */
	return 0;
}
