/* SPDX-License-Identifier: MIT */
/* What can be called. */
#include <grpc/health/v1/health.pb-c.h>
#include <grpc/reflection/v1/reflection.pb-c.h>

#include "health.h"
#include "reflection.h"
#include "server.h"
#include "subscribe.h"
#include "unary.h"

#define CONTRACT(name, type, function)                                                             \
	{                                                                                          \
		.path = "/nflog.v1.NflogService/" name,                                            \
		.request = &nflog__v1__##type##_request__descriptor, .handle = (function)          \
	}
#define HEALTH(name, function)                                                                     \
	{                                                                                          \
		.path = "/grpc.health.v1.Health/" name,                                            \
		.request = &grpc__health__v1__health_check_request__descriptor,                    \
		.handle = (function), .is_open = true                                              \
	}
/* Two versions with the same messages. */
#define REFLECTION(version)                                                                        \
	{                                                                                          \
		.path = "/grpc.reflection." version ".ServerReflection/ServerReflectionInfo",      \
		.request = &grpc__reflection__v1__server_reflection_request__descriptor,           \
		.handle = reflection, .is_open = true, .is_repeated = true                         \
	}

const struct method rpc_methods[] = {
    CONTRACT("Subscribe", subscribe, subscribe),
    CONTRACT("ListNetns", list_netns, list_netns),
    CONTRACT("ListSources", list_sources, list_sources),
    CONTRACT("GetStats", get_stats, get_stats),
    CONTRACT("GetServerInfo", get_server_info, get_server_info),
    HEALTH("Check", health_check),
    HEALTH("Watch", health_watch),
    REFLECTION("v1"),
    REFLECTION("v1alpha"),
    {0},
};
