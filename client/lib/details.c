/* SPDX-License-Identifier: MIT */
/* ErrorInfo and BadRequest, each the first of its kind. What is broken says nothing: the code and the text
 * are there all the same. */
#include "details.h"

#include <stdio.h>
#include <string.h>

#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <grpc/slice.h>

#define TYPE(name) "type.googleapis.com/google.rpc." name

static void read_info(const ProtobufCBinaryData *bytes, char reason[NFL_CLIENT_REASON_MAX])
{
	Google__Rpc__ErrorInfo *info =
	    google__rpc__error_info__unpack(NULL, bytes->len, bytes->data);

	if (info && !*reason)
		(void)snprintf(reason, NFL_CLIENT_REASON_MAX, "%s", info->reason);
	google__rpc__error_info__free_unpacked(info, NULL);
}

static void read_request(const ProtobufCBinaryData *bytes, char field[NFL_CLIENT_FIELD_MAX])
{
	Google__Rpc__BadRequest *request =
	    google__rpc__bad_request__unpack(NULL, bytes->len, bytes->data);

	if (request && request->n_field_violations > 0 && !*field)
		(void)snprintf(field, NFL_CLIENT_FIELD_MAX, "%s",
			       request->field_violations[0]->field);
	google__rpc__bad_request__free_unpacked(request, NULL);
}

void details_read(const grpc_metadata_array *trailers, char reason[NFL_CLIENT_REASON_MAX],
		  char field[NFL_CLIENT_FIELD_MAX])
{
	Google__Rpc__Status *status = NULL;

	reason[0] = '\0';
	field[0] = '\0';
	for (size_t i = 0; i < trailers->count && !status; i++) {
		const grpc_metadata *trailer = &trailers->metadata[i];

		if (grpc_slice_str_cmp(trailer->key, "grpc-status-details-bin") == 0)
			status =
			    google__rpc__status__unpack(NULL, GRPC_SLICE_LENGTH(trailer->value),
							GRPC_SLICE_START_PTR(trailer->value));
	}
	for (size_t i = 0; status && i < status->n_details; i++) {
		const Google__Protobuf__Any *any = status->details[i];

		if (strcmp(any->type_url, TYPE("ErrorInfo")) == 0)
			read_info(&any->value, reason);
		else if (strcmp(any->type_url, TYPE("BadRequest")) == 0)
			read_request(&any->value, field);
	}
	google__rpc__status__free_unpacked(status, NULL);
}
