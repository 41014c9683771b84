/* SPDX-License-Identifier: MIT */
/* rpc/reflection.h - grpc.reflection.v1 and v1alpha; as struct method's handle */
#ifndef RPC_REFLECTION_H
#define RPC_REFLECTION_H

#include "call.h"

void reflection(struct call *call, const ProtobufCMessage *message, struct arena *arena);

#endif
