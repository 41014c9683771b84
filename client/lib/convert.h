/* SPDX-License-Identifier: MIT */
/* convert.h - parts of protobuf messages as the structs of nfl/client.h; texts stay borrowed */
#ifndef CLIENT_CONVERT_H
#define CLIENT_CONVERT_H

#include <stdint.h>

#include <nfl/client.h>
#include <nflog/v1/nflog.pb-c.h>

/* ns since the epoch, kept within an int64_t; 0 when absent. */
int64_t time_from_proto(const Google__Protobuf__Timestamp *time);

/* ms, kept within a uint32_t; 0 when absent or negative. */
uint32_t ms_from_proto(const Google__Protobuf__Duration *duration);

/* Returns 0, or -EBADMSG when absent or with a group that is none. */
int source_from_proto(const Nflog__V1__Source *source, struct nfl_client_source *ret);

#endif
