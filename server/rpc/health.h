/* SPDX-License-Identifier: MIT */
/* rpc/health.h - grpc.health.v1.Health; each as struct method's handle */
#ifndef RPC_HEALTH_H
#define RPC_HEALTH_H

#include "call.h"

void health_check(struct call *call, const ProtobufCMessage *message, struct arena *arena);
void health_watch(struct call *call, const ProtobufCMessage *message, struct arena *arena);

#endif
