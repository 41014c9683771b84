/* SPDX-License-Identifier: MIT */
/* Codes have one reason each in this service. The text of INVALID_ARGUMENT begins with the path of the field:
 * "start.last: expected 1 or more". */
#include "details.h"

#include <string.h>

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <grpc/slice.h>

#include "arena.h"
#include "cleanup.h"
#include "messages.h"

#define DOMAIN           "nflogd"
#define TYPE(name)       "type.googleapis.com/google.rpc." name
#define MEMORY_MAX       ((size_t)65536) /* of texts that are bounded */
#define FIELD_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_.[]"

/* NULL: nothing to explain. */
static const char *reason_of(grpc_status_code code)
{
	static const struct {
		grpc_status_code code;
		const char *reason;
	} reasons[] = {
	    {GRPC_STATUS_UNAUTHENTICATED, "NO_TENANT"},
	    {GRPC_STATUS_PERMISSION_DENIED, "NO_GRANT"},
	    {GRPC_STATUS_NOT_FOUND, "NOT_FOUND"},
	    {GRPC_STATUS_INVALID_ARGUMENT, "INVALID_REQUEST"},
	    {GRPC_STATUS_OUT_OF_RANGE, "CANNOT_RESUME"},
	    {GRPC_STATUS_FAILED_PRECONDITION, "SOURCE_NOT_READ"},
	    {GRPC_STATUS_RESOURCE_EXHAUSTED, "LIMIT_REACHED"},
	    {GRPC_STATUS_UNAVAILABLE, "SHUTTING_DOWN"},
	    {GRPC_STATUS_UNIMPLEMENTED, "NOT_SERVED"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].reason;
	return NULL;
}

static Google__Protobuf__Any *wrap(struct arena *arena, const char *type,
				   const ProtobufCMessage *message)
{
	Google__Protobuf__Any *any = arena_alloc(arena, sizeof(*any));
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = arena_alloc(arena, len + 1);

	if (!any || !bytes)
		return NULL;
	google__protobuf__any__init(any);
	any->type_url = (char *)(uintptr_t)type; /* not written to */
	any->value = (ProtobufCBinaryData){.len = len, .data = bytes};
	(void)protobuf_c_message_pack(message, bytes);
	return any;
}

static Google__Protobuf__Any *error_info(struct arena *arena, const char *reason)
{
	Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;

	info.reason = (char *)(uintptr_t)reason; /* not written to, as the next */
	info.domain = (char *)(uintptr_t)DOMAIN;
	return wrap(arena, TYPE("ErrorInfo"), &info.base);
}

static Google__Protobuf__Any *bad_request(struct arena *arena, const char *text, size_t field_len)
{
	Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
	Google__Rpc__BadRequest__FieldViolation violation =
	    GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
	Google__Rpc__BadRequest__FieldViolation *violations[] = {&violation};

	violation.field = arena_alloc(arena, field_len + 1);
	if (!violation.field)
		return NULL;
	memcpy(violation.field, text, field_len);
	violation.description = messages_text(arena, text + field_len + strlen(": "));
	if (!violation.description)
		return NULL;
	request.field_violations = violations;
	request.n_field_violations = 1;
	return wrap(arena, TYPE("BadRequest"), &request.base);
}

/* Bytes of the path that the text begins with; 0: it is about no field. */
static size_t field_of(grpc_status_code code, const char *text)
{
	size_t len = strspn(text, FIELD_CHARACTERS);

	return code == GRPC_STATUS_INVALID_ARGUMENT && strncmp(text + len, ": ", 2) == 0 ? len : 0;
}

grpc_slice details_make(grpc_status_code code, const char *text)
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	Google__Protobuf__Any *details[2];
	CLEANUP(arena_done) struct arena arena;
	const char *reason = reason_of(code);
	size_t field_len = field_of(code, text);
	grpc_slice slice;

	arena_init(&arena, MEMORY_MAX);
	if (!reason)
		return grpc_empty_slice();
	details[status.n_details++] = error_info(&arena, reason);
	if (field_len > 0)
		details[status.n_details++] = bad_request(&arena, text, field_len);
	status.code = (int32_t)code;
	status.message = messages_text(&arena, text);
	status.details = details;
	if (!details[0] || !details[status.n_details - 1] || !status.message)
		return grpc_empty_slice();
	slice = grpc_slice_malloc(google__rpc__status__get_packed_size(&status));
	(void)google__rpc__status__pack(&status, GRPC_SLICE_START_PTR(slice));
	return slice;
}
