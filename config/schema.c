/* SPDX-License-Identifier: MIT */
/*
 * The tables: every key of a configuration, where it goes, what it takes and its default.
 * nflogd.yaml.5.scd and nflogd.yaml tell the same to people.
 */
#include "schema.h"

#include <nfl/filter.h>

#include "accept.h"
#include "filter_keys.h"
#include "rules.h"

/* Bounds of <nfl/listener.h>, repeated because config sees no netlink: NFL_COPY_RANGE_MAX,
 * NFL_NLBUFSIZ_MIN, NFL_NLBUFSIZ_MAX, NFL_TIMEOUT_MAX_MS. A test compares them. */
#define COPY_BYTES_MAX 65531
#define NLBUFSIZ_MIN   3776
#define NLBUFSIZ_MAX   131072
#define TIMEOUT_MAX_MS 3600000
#define QTHRESH_MAX    UINT32_MAX

/* The kernel doubles SO_RCVBUFFORCE into an int, and has a floor of its own (SOCK_MIN_RCVBUF). */
#define RCVBUF_MIN 4096
#define RCVBUF_MAX 1073741823

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

/* Two slabs of the history, the least that a log can work with (server/history). */
#define HISTORY_SOURCE_MIN_BYTES (128 * KIB)

#define SUN_PATH_MAX_BYTES 107 /* sun_path without its NUL, unix(7) */
#define ACCOUNT_MAX_BYTES  32  /* useradd(8) */
#define NAME_MAX_BYTES     255 /* of a file, so of a name in /run/netns */
#define TENANT_MAX_BYTES   64
#define PID_MAX            4194304              /* PID_MAX_LIMIT, proc(5) */
#define UID_MAX            UINT32_C(4294967294) /* the next one means "none" */

/* --- listen --- */

static const struct schema_key tls_keys[] = {
    {.name = "certificate",
     VALUE(config_tls, certificate),
     .read = read_text,
     .accept = accept_path,
     .required = true},
    {.name = "private_key",
     VALUE(config_tls, private_key),
     .read = read_text,
     .accept = accept_path,
     .required = true},
    {.name = "client_ca", VALUE(config_tls, client_ca), .read = read_text, .accept = accept_path},
};

static const struct schema schema_tls = {SCHEMA(tls_keys)};

static const struct schema_key listen_keys[] = {
    {.name = "unix",
     VALUE(config_listen, unix_path),
     .read = read_text,
     .accept = accept_path,
     .max = SUN_PATH_MAX_BYTES,
     .marks = true},
    {.name = "mode", VALUE(config_listen, mode), .read = read_mode, .max = 0777, .initial = 0660},
    {.name = "group",
     VALUE(config_listen, group),
     .read = read_text,
     .accept = accept_account,
     .max = ACCOUNT_MAX_BYTES},
    {.name = "tcp",
     VALUE(config_listen, tcp),
     .read = read_text,
     .accept = accept_endpoint,
     .marks = true},
    {.name = "tls",
     VALUE(config_listen, tls),
     .read = read_map,
     .map = &schema_tls,
     .given = offsetof(struct config_listen, tls.given)},
};

static const struct schema schema_listen = {
    SCHEMA(listen_keys),
    .mark_offset = offsetof(struct config_listen, mark),
    .check = rule_listen,
};

static const struct schema_key listen_item = {
    .name = "listen", .read = read_map, .map = &schema_listen};

/* --- metrics, history --- */

static const struct schema_key metrics_keys[] = {
    {.name = "listen",
     VALUE(config, metrics_listen),
     .read = read_text,
     .accept = accept_endpoint,
     .required = true},
    {.name = "remote", VALUE(config, metrics_remote), .read = read_bool},
};

static const struct schema schema_metrics = {SCHEMA(metrics_keys), .check = rule_metrics};

static const struct schema_key history_keys[] = {
    {.name = "bytes_per_source",
     VALUE(config_history, bytes_per_source),
     .read = read_size,
     .min = HISTORY_SOURCE_MIN_BYTES,
     .max = TIB,
     .initial = 8 * MIB},
    {.name = "bytes_total",
     VALUE(config_history, bytes_total),
     .read = read_size,
     .min = HISTORY_SOURCE_MIN_BYTES,
     .max = TIB,
     .initial = 512 * MIB},
};

static const struct schema schema_history = {SCHEMA(history_keys), .check = rule_history};

/* --- tenants: identities --- */

/* In the order of enum config_identity_kind. */
static const struct schema_key identity_keys[] = {
    {.name = "unix_user",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_account,
     .max = ACCOUNT_MAX_BYTES},
    {.name = "unix_uid",
     VALUE(config_identity, uid),
     .read = read_number,
     .max = UID_MAX,
     .initial = UID_MAX + 1},
    {.name = "unix_group",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_account,
     .max = ACCOUNT_MAX_BYTES},
    {.name = "cert_uri",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_cert_uri},
    {.name = "cert_dns",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_cert_dns,
     .max = NAME_MAX_BYTES},
    {.name = "cert_cn",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_cert_cn,
     .max = NAME_MAX_BYTES},
    {.name = "token_sha256",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_sha256},
    {.name = "token_sha256_file",
     VALUE(config_identity, text),
     .read = read_text,
     .accept = accept_path},
    {.name = "loopback", VALUE(config_identity, loopback), .read = read_true},
};

static const struct schema schema_identity = {
    SCHEMA(identity_keys),
    .mark_offset = offsetof(struct config_identity, mark),
    .check = rule_identity,
};

static const struct schema_key identity_item = {
    .name = "identities", .read = read_map, .map = &schema_identity};

/* --- tenants: sources --- */

static const struct schema_key netns_keys[] = {
    {.name = "path", VALUE(config_source, netns), .read = read_text, .accept = accept_netns_path},
    {.name = "pid", VALUE(config_source, pid), .read = read_number, .min = 1, .max = PID_MAX},
};

static const struct schema schema_netns = {SCHEMA(netns_keys), .check = rule_netns};

static const struct schema_key group_item = {
    .name = "groups", .read = read_range, .max = UINT16_MAX};

/* In the order of enum config_profile and enum config_copy. */
static const char *const profiles[] = {"adaptive", "balanced", "latency", "throughput", NULL};
static const char *const copies[] = {"packet", "meta", "none", NULL};

static const struct schema_key source_keys[] = {
    {.name = "netns",
     VALUE(config_source, netns),
     .read = read_netns,
     .accept = accept_netns,
     .map = &schema_netns,
     .max = NAME_MAX_BYTES,
     .required = true,
     .marks = true},
    {.name = "groups",
     LIST_OF(config_source, groups, group_count),
     .read = read_groups,
     .item = &group_item,
     .min = 1,
     .required = true},
    {.name = "profile", VALUE(config_source, profile), .read = read_choice, .choices = profiles},
    {.name = "copy", VALUE(config_source, copy), .read = read_choice, .choices = copies},
    {.name = "copy_bytes",
     VALUE(config_source, copy_bytes),
     .read = read_number,
     .max = COPY_BYTES_MAX},
    {.name = "conntrack", VALUE(config_source, conntrack), .read = read_bool},
    {.name = "qthresh",
     VALUE(config_source, qthresh),
     .read = read_number,
     .max = QTHRESH_MAX,
     .given = offsetof(struct config_source, has_qthresh)},
    {.name = "timeout_ms",
     VALUE(config_source, timeout_ms),
     .read = read_number,
     .max = TIMEOUT_MAX_MS,
     .given = offsetof(struct config_source, has_timeout)},
    {.name = "nlbufsiz",
     VALUE(config_source, nlbufsiz),
     .read = read_size,
     .min = NLBUFSIZ_MIN,
     .max = NLBUFSIZ_MAX,
     .given = offsetof(struct config_source, has_nlbufsiz)},
    {.name = "rcvbuf",
     VALUE(config_source, rcvbuf),
     .read = read_size,
     .min = RCVBUF_MIN,
     .max = RCVBUF_MAX,
     .given = offsetof(struct config_source, has_rcvbuf)},
};

static const struct schema schema_source = {
    SCHEMA(source_keys),
    .mark_offset = offsetof(struct config_source, mark),
    .check = rule_source,
};

static const struct schema_key source_item = {
    .name = "sources", .read = read_map, .map = &schema_source};

/* --- tenants --- */

/* In the order of enum config_view. */
static const char *const views[] = {"full", "basic", NULL};

static const struct schema_key limits_keys[] = {
    {.name = "subscriptions",
     VALUE(config_limits, subscriptions),
     .read = read_number,
     .min = 1,
     .max = 65535,
     .initial = 16},
    {.name = "packets_per_second",
     VALUE(config_limits, packets_per_second),
     .read = read_number,
     .max = 1000000000},
    {.name = "payload_bytes",
     VALUE(config_limits, payload_bytes),
     .read = read_number,
     .max = COPY_BYTES_MAX},
    {.name = "history_bytes",
     VALUE(config_limits, history_bytes),
     .read = read_size_or_none,
     .min = HISTORY_SOURCE_MIN_BYTES,
     .max = TIB},
    {.name = "stall_timeout_ms",
     VALUE(config_limits, stall_timeout_ms),
     .read = read_number,
     .min = 100,
     .max = 3600000,
     .initial = 30000},
    {.name = "filters",
     VALUE(config_limits, filters),
     .read = read_number,
     .max = NFL_FILTER_TERMS_MAX,
     .initial = 64},
    {.name = "view", VALUE(config_limits, view), .read = read_choice, .choices = views},
};

static const struct schema schema_limits = {SCHEMA(limits_keys)};

static const struct schema_key tenant_keys[] = {
    {.name = "name",
     VALUE(config_tenant, name),
     .read = read_text,
     .accept = accept_tenant,
     .max = TENANT_MAX_BYTES,
     .required = true,
     .marks = true},
    {.name = "admin", VALUE(config_tenant, admin), .read = read_bool},
    {.name = "identities",
     LIST_OF(config_tenant, identities, identity_count),
     .read = read_list,
     .item = &identity_item,
     .min = 1,
     .required = true},
    {.name = "sources",
     LIST_OF(config_tenant, sources, source_count),
     .read = read_list,
     .item = &source_item,
     .min = 1},
    {.name = "limits", VALUE(config_tenant, limits), .read = read_map, .map = &schema_limits},
    {.name = "filter", VALUE(config_tenant, filter), .read = read_map, .map = &schema_filter},
};

static const struct schema schema_tenant = {
    SCHEMA(tenant_keys),
    .mark_offset = offsetof(struct config_tenant, mark),
    .check = rule_tenant,
};

static const struct schema_key tenant_item = {
    .name = "tenants", .read = read_map, .map = &schema_tenant};

/* --- limits of the server --- */

static const struct schema_key server_limits_keys[] = {
    {.name = "connections",
     VALUE(config_server_limits, connections),
     .read = read_number,
     .min = 1,
     .max = 65535,
     .initial = 1024},
    {.name = "connections_per_user",
     VALUE(config_server_limits, connections_per_user),
     .read = read_number,
     .min = 1,
     .max = 65535,
     .initial = 512},
    {.name = "streams_per_connection",
     VALUE(config_server_limits, streams_per_connection),
     .read = read_number,
     .min = 1,
     .max = 10000,
     .initial = 100},
    {.name = "anonymous_calls",
     VALUE(config_server_limits, anonymous_calls),
     .read = read_number,
     .min = 1,
     .max = 65535,
     .initial = 256},
    {.name = "request_bytes",
     VALUE(config_server_limits, request_bytes),
     .read = read_size,
     .min = 16 * KIB,
     .max = 4 * MIB,
     .initial = 256 * KIB},
    {.name = "header_bytes",
     VALUE(config_server_limits, header_bytes),
     .read = read_size,
     .min = KIB,
     .max = 64 * KIB,
     .initial = 8 * KIB},
    {.name = "receive_bytes_per_second",
     VALUE(config_server_limits, receive_bytes_per_second),
     .read = read_size,
     .min = 16 * KIB,
     .max = GIB,
     .initial = 256 * KIB},
    {.name = "handshake_timeout_ms",
     VALUE(config_server_limits, handshake_timeout_ms),
     .read = read_number,
     .min = 100,
     .max = 600000,
     .initial = 5000},
    {.name = "idle_timeout_ms",
     VALUE(config_server_limits, idle_timeout_ms),
     .read = read_number,
     .min = 1000,
     .max = 86400000,
     .initial = 300000},
};

static const struct schema schema_server_limits = {SCHEMA(server_limits_keys)};

/* --- the whole file --- */

static const struct schema_key root_keys[] = {
    {.name = "listen",
     LIST_OF(config, listens, listen_count),
     .read = read_list,
     .item = &listen_item,
     .min = 1},
    {.name = "metrics", .read = read_map, .map = &schema_metrics},
    {.name = "history", VALUE(config, history), .read = read_map, .map = &schema_history},
    {.name = "limits", VALUE(config, limits), .read = read_map, .map = &schema_server_limits},
    {.name = "tenants",
     LIST_OF(config, tenants, tenant_count),
     .read = read_list,
     .item = &tenant_item,
     .min = 1,
     .required = true},
};

const struct schema schema_root = {SCHEMA(root_keys), .check = rule_root};
