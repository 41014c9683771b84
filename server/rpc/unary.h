/* SPDX-License-Identifier: MIT */
/* rpc/unary.h - the methods that answer once; each as struct method's handle */
#ifndef RPC_UNARY_H
#define RPC_UNARY_H

#include "call.h"

void list_netns(struct call *call, const ProtobufCMessage *message, struct arena *arena);
void list_sources(struct call *call, const ProtobufCMessage *message, struct arena *arena);
void get_stats(struct call *call, const ProtobufCMessage *message, struct arena *arena);
void get_server_info(struct call *call, const ProtobufCMessage *message, struct arena *arena);

#endif
