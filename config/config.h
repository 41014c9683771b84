/* SPDX-License-Identifier: MIT */
/*
 * config/config.h - nflogd's YAML configuration as plain structs
 *
 * Load reports every error of a file, not only the first, each with file:line:column and what was
 * expected. Unknown and duplicate keys, and aliases, are errors. No globals, no logging, no
 * netlink. Any thread.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONFIG_FILE_MAX_BYTES ((size_t)1048576)
#define CONFIG_DEPTH_MAX      64
#define CONFIG_ERRORS_MAX     100 /* further ones are counted only */

struct config_error {
	char *path; /* owned */
	unsigned line;
	unsigned column; /* both from 1 */
	char *text;      /* owned */
};

struct config_errors {
	struct config_error *items;
	size_t count;
	size_t more; /* beyond CONFIG_ERRORS_MAX */
};

/* A place in a file, for messages about a value that is found wrong later: the value that names the
 * thing (name, netns, unix, tcp), or else where its map begins. */
struct config_mark {
	unsigned line;
	unsigned column;
};

struct config_tls {
	bool given;
	char *certificate;
	char *private_key;
	char *client_ca; /* NULL: clients need no certificate */
};

struct config_listen {
	char *unix_path; /* or NULL */
	unsigned mode;   /* 0660 when not given */
	char *group;     /* NULL: not given */
	char *tcp;       /* "address:port" as written, or NULL */
	bool tcp_loopback;
	struct config_tls tls;
	struct config_mark mark;
};

enum config_identity_kind {
	CONFIG_IDENTITY_UNIX_USER,
	CONFIG_IDENTITY_UNIX_UID,
	CONFIG_IDENTITY_UNIX_GROUP,
	CONFIG_IDENTITY_CERT_URI,
	CONFIG_IDENTITY_CERT_DNS,
	CONFIG_IDENTITY_CERT_CN,
	CONFIG_IDENTITY_TOKEN_SHA256,
	CONFIG_IDENTITY_TOKEN_SHA256_FILE,
	CONFIG_IDENTITY_LOOPBACK, /* whoever connects to a plaintext TCP endpoint */
};

struct config_identity {
	enum config_identity_kind kind;
	char *text;    /* all but UNIX_UID and LOOPBACK; of TOKEN_SHA256, CERT_DNS in lower case */
	uint32_t uid;  /* UNIX_UID */
	bool loopback; /* LOOPBACK: always true */
	struct config_mark mark;
};

enum config_netns_kind {
	CONFIG_NETNS_NAME,
	CONFIG_NETNS_GLOB,
	CONFIG_NETNS_HOST,
	CONFIG_NETNS_PATH,
	CONFIG_NETNS_PATH_GLOB, /* a glob in the last component */
	CONFIG_NETNS_PID,
};

enum config_profile {
	CONFIG_PROFILE_ADAPTIVE,
	CONFIG_PROFILE_BALANCED,
	CONFIG_PROFILE_LATENCY,
	CONFIG_PROFILE_THROUGHPUT,
};

enum config_copy {
	CONFIG_COPY_PACKET,
	CONFIG_COPY_META,
	CONFIG_COPY_NONE,
};

struct config_group_range {
	uint16_t first;
	uint16_t last;
};

struct config_source {
	enum config_netns_kind netns_kind;
	char *netns; /* name, glob or path; "host" for HOST; NULL for PID */
	int32_t pid;
	struct config_group_range *groups;
	size_t group_count; /* at least 1 */
	enum config_profile profile;
	enum config_copy copy;
	uint32_t copy_bytes; /* 0: the whole packet */
	bool conntrack;
	bool has_qthresh, has_timeout, has_nlbufsiz, has_rcvbuf;
	uint32_t qthresh;
	uint32_t timeout_ms;
	uint32_t nlbufsiz;
	uint32_t rcvbuf;
	struct config_mark mark;
};

/* The most that a tenant may see of a packet. */
enum config_view {
	CONFIG_VIEW_FULL,
	CONFIG_VIEW_BASIC, /* no payload */
};

struct config_limits {
	uint32_t subscriptions;      /* default 16 */
	uint64_t packets_per_second; /* 0: no limit */
	uint32_t payload_bytes;      /* 0: no limit */
	uint64_t history_bytes;      /* 0: no limit of its own */
	uint32_t stall_timeout_ms;   /* default 30000 */
	uint32_t filters;            /* include and exclude, of one request; default 64 */
	enum config_view view;
};

struct nfl_filter_term; /* <nfl/filter.h>, plain data */

/* What a tenant sees of its sources, whatever it asks for. */
struct config_filter {
	struct nfl_filter_term *include; /* owned, and all that they point to */
	size_t include_count;            /* 0: every packet */
	struct nfl_filter_term *exclude;
	size_t exclude_count;
	struct config_mark mark;
};

struct config_tenant {
	char *name;
	bool admin;
	struct config_identity *identities;
	size_t identity_count; /* at least 1 */
	struct config_source *sources;
	size_t source_count; /* at least 1, but of an admin */
	struct config_limits limits;
	struct config_filter filter;
	struct config_mark mark;
};

struct config_history {
	uint64_t bytes_per_source; /* default 8M */
	uint64_t bytes_total;      /* default 512M */
};

/* Of the server as a whole, whoever the peer is. */
struct config_server_limits {
	uint32_t connections;              /* default 1024 */
	uint32_t connections_per_user;     /* of one uid on the unix sockets; default 512 */
	uint32_t streams_per_connection;   /* default 100 */
	uint32_t anonymous_calls;          /* of health and reflection; default 256 */
	uint32_t request_bytes;            /* default 256K */
	uint32_t header_bytes;             /* default 8K */
	uint32_t receive_bytes_per_second; /* of a connection, beyond a burst; default 256K */
	uint32_t handshake_timeout_ms;     /* default 5000 */
	uint32_t idle_timeout_ms;          /* default 300000 */
};

struct config {
	char *path;                    /* of the file, or what stands for it in messages */
	struct config_listen *listens; /* default: the unix socket */
	size_t listen_count;
	char *metrics_listen; /* NULL: off */
	bool metrics_remote;  /* it need not be loopback */
	struct config_history history;
	struct config_server_limits limits;
	struct config_tenant *tenants;
	size_t tenant_count;
	int64_t load_time_ns; /* CLOCK_REALTIME */
};

/**
 * config_load_file - read and check one YAML file
 * @ret: owned by the caller on success, config_free() ends it; untouched on failure
 * @errors: always initialised by the call; config_errors_done() ends it
 * Returns 0, -EINVAL with at least one error, -ENOMEM without any, or the errno of reading the
 * file (also put into @errors as text, with line 0).
 */
int config_load_file(const char *path, struct config **ret, struct config_errors *errors);

/* The same for text in memory; @name stands for the path in messages. */
int config_load_text(const char *name, const char *text, size_t len, struct config **ret,
		     struct config_errors *errors);

/* What runs with no file: the unix socket, tenant `local`, which is root and @user, group 100 of the
 * host and of every named namespace (glob "*"). NULL without memory. */
struct config *config_new_default(uid_t user);

void config_free(struct config *config);
void config_errors_done(struct config_errors *errors);

/* "PATH:LINE:COLUMN: TEXT" (without a line: "PATH: TEXT"), as snprintf. */
size_t config_error_render(const struct config_error *error, char *buf, size_t cap);

#endif
