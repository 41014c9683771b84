/* SPDX-License-Identifier: MIT */
/* details.h - what a server says of an error to programs: google.rpc.Status in the trailers */
#ifndef CLIENT_DETAILS_H
#define CLIENT_DETAILS_H

#include <grpc/grpc.h>

#include <nfl/client.h>

/* Both empty where there is none, or it cannot be read. Longer ones are cut. */
void details_read(const grpc_metadata_array *trailers, char reason[NFL_CLIENT_REASON_MAX],
		  char field[NFL_CLIENT_FIELD_MAX]);

#endif
