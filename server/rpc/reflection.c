/* SPDX-License-Identifier: MIT */
/*
 * Server reflection: a request, its answer, the next request. The next one is read when the answer was
 * taken, so a client that asks and does not read costs one answer. One that asks nothing for as long as
 * a stalled reader may last is ended like that.
 *
 * It needs no credentials: what it tells is published with the program.
 */
#include "reflection.h"

#include <stdlib.h>

#include <grpc/reflection/v1/reflection.pb-c.h>

#include "arena.h"
#include "contract.h"
#include "server.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest request_message;
typedef Grpc__Reflection__V1__ServerReflectionResponse response_message;
typedef Grpc__Reflection__V1__ErrorResponse error_message;

struct talk {
	bool is_stopping;
};

/* --- answers: each false without memory ------------------------------------------------------ */

static bool answer_error(response_message *response, grpc_status_code code, const char *text,
			 struct arena *arena)
{
	error_message *error = arena_alloc(arena, sizeof(*error));

	if (!error)
		return false;
	grpc__reflection__v1__error_response__init(error);
	error->error_code = (int32_t)code;
	error->error_message = (char *)(uintptr_t)text; /* not written to */
	response->message_response_case =
	    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
	response->error_response = error;
	return true;
}

static ProtobufCBinaryData bytes_of(const struct contract_file *file)
{
	return (ProtobufCBinaryData){.len = file->len, .data = file->bytes};
}

/* @file: NULL: @missing is the answer. */
static bool answer_file(response_message *response, const struct contract_file *file,
			const char *missing, struct arena *arena)
{
	Grpc__Reflection__V1__FileDescriptorResponse *answer;

	if (!file)
		return answer_error(response, GRPC_STATUS_NOT_FOUND, missing, arena);
	answer = arena_alloc(arena, sizeof(*answer));
	if (!answer)
		return false;
	grpc__reflection__v1__file_descriptor_response__init(answer);
	answer->file_descriptor_proto =
	    arena_alloc(arena, (file->import_count + 1) * sizeof(ProtobufCBinaryData));
	if (!answer->file_descriptor_proto)
		return false;
	answer->file_descriptor_proto[answer->n_file_descriptor_proto++] = bytes_of(file);
	for (size_t i = 0; i < file->import_count; i++)
		answer->file_descriptor_proto[answer->n_file_descriptor_proto++] =
		    bytes_of(file->imports[i]);
	response->message_response_case =
	    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
	response->file_descriptor_response = answer;
	return true;
}

/* Nothing of the contract is extended, so every message has no extension. */
static bool answer_extensions(response_message *response, const struct contract *contract,
			      char *type, struct arena *arena)
{
	Grpc__Reflection__V1__ExtensionNumberResponse *answer;

	if (!contract_has_message(contract, type))
		return answer_error(response, GRPC_STATUS_NOT_FOUND, "no such message", arena);
	answer = arena_alloc(arena, sizeof(*answer));
	if (!answer)
		return false;
	grpc__reflection__v1__extension_number_response__init(answer);
	answer->base_type_name = type;
	response->message_response_case =
	    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
	response->all_extension_numbers_response = answer;
	return true;
}

static bool fill_services(Grpc__Reflection__V1__ListServiceResponse *list,
			  const struct contract *contract, struct arena *arena)
{
	size_t count;
	const char *const *names = contract_services(contract, &count);

	list->service = arena_alloc(arena, (count + 1) * sizeof(*list->service));
	for (size_t i = 0; list->service && i < count; i++) {
		Grpc__Reflection__V1__ServiceResponse *service =
		    arena_alloc(arena, sizeof(*service));

		if (!service)
			return false;
		grpc__reflection__v1__service_response__init(service);
		service->name = (char *)(uintptr_t)names[i]; /* not written to */
		list->service[list->n_service++] = service;
	}
	return list->service;
}

static bool answer_services(response_message *response, const struct contract *contract,
			    struct arena *arena)
{
	Grpc__Reflection__V1__ListServiceResponse *list = arena_alloc(arena, sizeof(*list));

	if (!list)
		return false;
	grpc__reflection__v1__list_service_response__init(list);
	response->message_response_case =
	    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
	response->list_services_response = list;
	return fill_services(list, contract, arena);
}

static bool answer(const struct contract *contract, const request_message *request,
		   response_message *response, struct arena *arena)
{
	switch (request->message_request_case) {
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
		return answer_file(response,
				   contract_find_file(contract, request->file_by_filename),
				   "no such file", arena);
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
		return answer_file(response,
				   contract_find_symbol(contract, request->file_containing_symbol),
				   "no such symbol", arena);
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
		return answer_file(response, NULL, "no such extension", arena);
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
		return answer_extensions(response, contract, request->all_extension_numbers_of_type,
					 arena);
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
		return answer_services(response, contract, arena);
	case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
	case _GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__CASE_IS_INT_SIZE:
		break;
	}
	return answer_error(response, GRPC_STATUS_INVALID_ARGUMENT, "message_request: not set",
			    arena);
}

/* --- the stream ------------------------------------------------------------------------------ */

static void finish(struct call *call, grpc_status_code code, const char *text)
{
	struct status status;

	status_set(&status, code, "%s", text);
	call_finish(call, &status);
}

static void sent(struct call *call)
{
	const struct talk *talk = call->state;

	if (talk->is_stopping)
		finish(call, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
	else
		call_receive(call);
}

static void stop(struct call *call)
{
	struct talk *talk = call->state;

	talk->is_stopping = true;
	if (!call->sending)
		finish(call, GRPC_STATUS_UNAVAILABLE, CALL_SHUTDOWN_TEXT);
}

/* There is never news. */
static void look(struct call *call)
{
	(void)call;
}

static void release(struct call *call)
{
	free(call->state);
}

static const struct stream stream = {.look = look, .sent = sent, .stop = stop, .free = release};

void reflection(struct call *call, const ProtobufCMessage *message, struct arena *arena)
{
	response_message response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
	request_message *request = (request_message *)(uintptr_t)message; /* not written to */

	if (!call->stream) {
		struct talk *talk = calloc(1, sizeof(*talk));

		if (!talk) {
			finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
			return;
		}
		call_start_stream(call, &stream, talk);
	}
	response.valid_host = request->host;
	response.original_request = request;
	if (answer(call->cq->rpc->contract, request, &response, arena))
		(void)call_send(call, &response.base);
	else
		finish(call, GRPC_STATUS_RESOURCE_EXHAUSTED, "out of memory");
}
