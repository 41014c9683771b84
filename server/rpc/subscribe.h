/* SPDX-License-Identifier: MIT */
/* rpc/subscribe.h - the method Subscribe */
#ifndef RPC_SUBSCRIBE_H
#define RPC_SUBSCRIBE_H

#include "call.h"

/* As struct method's handle. */
void subscribe(struct call *call, const ProtobufCMessage *message, struct arena *arena);

#endif
