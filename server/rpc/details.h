/* SPDX-License-Identifier: MIT */
/*
 * rpc/details.h - why a call failed, for programs: google.rpc.Status in the trailer that clients know
 *
 * Threads: any.
 */
#ifndef RPC_DETAILS_H
#define RPC_DETAILS_H

#include <grpc/grpc.h>

#define DETAILS_KEY "grpc-status-details-bin"

/**
 * details_make - ErrorInfo, and BadRequest where a field is wrong
 * The same for the same code and text, and nothing that these two do not tell: who is refused learns no
 * more from it.
 * @ret: unref it; empty: there is no memory, or nothing to explain
 */
grpc_slice details_make(grpc_status_code code, const char *text);

#endif
