/* SPDX-License-Identifier: MIT */
/*
 * nfl/client.h - libnfl-client: subscribe to an nflogd from C
 *
 *	#include <stdio.h>
 *	#include <nfl/client.h>
 *	#include <nfl/nfl.h>
 *
 *	int main(void)
 *	{
 *		const char *netns[] = { "red" };
 *		struct nfl_client_subscribe_options options = {
 *			.size = sizeof(options),
 *			.netns = netns,
 *			.netns_count = 1,
 *			.view = NFL_CLIENT_VIEW_FULL,
 *		};
 *		struct nfl_client *client;
 *		struct nfl_client_stream *stream;
 *		struct nfl_client_event event;
 *
 *		if (nfl_client_new(NULL, &client) < 0)
 *			return 1;
 *		if (nfl_client_subscribe(client, &options, &stream) < 0)
 *			return 1;
 *		while (nfl_client_next(stream, -1, &event) == 1) {
 *			if (event.type == NFL_CLIENT_PACKET) {
 *				char line[NFL_RENDER_MAX];
 *
 *				nfl_render_compact(line, sizeof(line), event.packet,
 *						   &event.render_source, 0);
 *				puts(line);
 *			} else if (event.type == NFL_CLIENT_LOSS) {
 *				fprintf(stderr, "lost %llu\n", (unsigned long long)event.loss->count);
 *			}
 *		}
 *		fprintf(stderr, "%s\n", nfl_client_status(stream)->message);
 *		nfl_client_stream_free(stream);
 *		nfl_client_free(client);
 *		return 0;
 *	}
 *
 * Threads: a client may be shared by threads; a stream belongs to one thread at a time, only
 * nfl_client_cancel() is for any thread. The library starts gRPC's threads and blocks no signal.
 */
#ifndef NFL_CLIENT_H
#define NFL_CLIENT_H

#include <nfl/filter.h>
#include <nfl/record.h>
#include <nfl/render.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NFL_CLIENT_DEFAULT_SERVER "unix:/run/nflogd/nflogd.sock"

struct nfl_client;
struct nfl_client_stream;

/* gRPC status codes that nflogd uses; the numbers are gRPC's. */
enum nfl_client_code {
	NFL_CLIENT_OK = 0,
	NFL_CLIENT_CANCELLED = 1,
	NFL_CLIENT_UNKNOWN = 2,
	NFL_CLIENT_INVALID_ARGUMENT = 3,
	NFL_CLIENT_DEADLINE_EXCEEDED = 4,
	NFL_CLIENT_NOT_FOUND = 5,
	NFL_CLIENT_PERMISSION_DENIED = 7,
	NFL_CLIENT_RESOURCE_EXHAUSTED = 8,
	NFL_CLIENT_FAILED_PRECONDITION = 9,
	NFL_CLIENT_ABORTED = 10,
	NFL_CLIENT_OUT_OF_RANGE = 11,
	NFL_CLIENT_UNIMPLEMENTED = 12,
	NFL_CLIENT_INTERNAL = 13,
	NFL_CLIENT_UNAVAILABLE = 14,
	NFL_CLIENT_UNAUTHENTICATED = 16,
};

/* "PERMISSION_DENIED" and so on, for every gRPC code; "UNKNOWN" for a number that is none. Any
 * thread; static text. */
NFL_API const char *nfl_client_code_name(int code);

#define NFL_CLIENT_REASON_MAX 64
#define NFL_CLIENT_FIELD_MAX  128

/* How a call ended. The message is the server's or gRPC's text: of outside origin, escape it. */
struct nfl_client_status {
	int code; /* enum nfl_client_code, or another gRPC code */
	const char *message;
	/* For programs, as "NO_GRANT"; empty: the server did not say. Of outside origin, too. */
	char reason[NFL_CLIENT_REASON_MAX];
	char field[NFL_CLIENT_FIELD_MAX]; /* path of what is wrong in the request, or empty */
};

/* Bit of nfl_client_options.flags. */
#define NFL_CLIENT_TLS UINT32_C(1) /* also without tls_ca: the system's roots are trusted then */

/* Why a function failed. The message may be of outside origin: escape it. */
struct nfl_client_error {
	int code; /* as in nfl_client_status, as the last two */
	char message[512];
	char reason[NFL_CLIENT_REASON_MAX];
	char field[NFL_CLIENT_FIELD_MAX];
};

/**
 * struct nfl_client_options - zero-initialise and set size
 * @server: "unix:/path", "unix:///path", "/path", "host:port" or "[ipv6]:port"; NULL:
 *     NFL_CLIENT_DEFAULT_SERVER
 * @connect_timeout_ms: how long a call waits for a connection and the first sign of an answer
 *     before it ends with UNAVAILABLE; 0: 5000
 * @tls_ca: file (PEM) of the CAs that the server's certificate must be signed by; given: TLS
 * @tls_cert, @tls_key: files (PEM) of the client's certificate and its key, where the server wants one
 * @tls_name: the name that the server's certificate must be for; NULL: that of the address
 * @token: who the client is, where that is not the certificate or the user; 16 to 4096 printable bytes
 * @token_file: the same in the first line of a file; one of both. A token goes over TLS and the unix
 *     socket only
 * @err: what is wrong when nfl_client_new() fails; NULL: not wanted
 *
 * Texts are copied. Files are read at once, and those that are regular files again: for each
 * connection that a stream makes when it begins again, and the token for each call.
 */
struct nfl_client_options {
	size_t size;
	uint32_t flags; /* NFL_CLIENT_TLS */
	const char *server;
	uint32_t connect_timeout_ms;
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
	const char *tls_name;
	const char *token;
	const char *token_file;
	struct nfl_client_error *err;
};

/* @options: NULL for defaults. 0; -EINVAL: unknown flag, malformed server, options that contradict each
 * other, a token for plaintext TCP; -EBADMSG: a file does not hold what it should; -ENOMEM; or -errno
 * of reading a file. Does not connect yet. */
NFL_API int nfl_client_new(const struct nfl_client_options *options, struct nfl_client **ret);
/* After its streams; NULL is allowed. */
NFL_API void nfl_client_free(struct nfl_client *client);

/* --- streams ----------------------------------------------------------------------------- */

enum nfl_client_view {
	NFL_CLIENT_VIEW_DEFAULT = 0,
	NFL_CLIENT_VIEW_BASIC = 1, /* metadata and decoded headers, no payload */
	NFL_CLIENT_VIEW_FULL = 2,
	NFL_CLIENT_VIEW_RAW = 3, /* attributes only, nothing decoded by the server */
};

enum nfl_client_slow_policy {
	NFL_CLIENT_SLOW_DEFAULT = 0,
	NFL_CLIENT_SLOW_DROP_OLDEST = 1,
	NFL_CLIENT_SLOW_DISCONNECT = 2,
};

/* Bits of nfl_client_subscribe_options.flags. */
#define NFL_CLIENT_NO_RECONNECT   UINT32_C(1) /* end when the connection is lost */
#define NFL_CLIENT_NO_FOLLOW      UINT32_C(2) /* with a start: end after the history */
#define NFL_CLIENT_STRICT_RESUME  UINT32_C(4) /* OUT_OF_RANGE rather than a gap in a resume */
#define NFL_CLIENT_WAIT_FOR_NETNS UINT32_C(8) /* accept names that do not exist yet */

/* Where a stream begins. */
enum nfl_client_start {
	NFL_CLIENT_START_LIVE = 0,
	NFL_CLIENT_START_LAST = 1,      /* start_last packets before now */
	NFL_CLIENT_START_OLDEST = 2,    /* all that the server still has */
	NFL_CLIENT_START_SINCE = 3,     /* start_time_ns, CLOCK_REALTIME of the server */
	NFL_CLIENT_START_SINCE_AGO = 4, /* start_ago_ns before now, by the server's clock */
	NFL_CLIENT_START_RESUME = 5,    /* after the response that carried resume_token */
};

/**
 * struct nfl_client_subscribe_options - zero-initialise and set size; borrowed for the call
 * @netns, @groups: empty: everything the caller may read
 * @slow_policy: with NFL_CLIENT_SLOW_DISCONNECT RESOURCE_EXHAUSTED is the end; otherwise the stream
 *     is begun again
 * @max_packets: end after this many, over all connections; 0: no limit
 * @payload_limit: bytes of payload at most; 0: the server's maximum
 * @heartbeat_ms: 0: the server's default
 * @batch_max_packets, @batch_max_bytes: 0: 1024 and 262144, more than the server's default, for a
 *     message costs both ends what some hundred packets cost. @batch_max_delay_ms: 0: the server's
 *     default
 * @label: shown in the server's statistics, at most 64 bytes; may be NULL
 * @start: and the field that it names; the others are not looked at
 * @until_ns: CLOCK_REALTIME: the first packet received later ends the stream; 0: none; a stream
 *     with a start needs NFL_CLIENT_NO_FOLLOW with it
 * @include, @exclude: terms of <nfl/filter.h>: packets are sent that match any of the first, or there is
 *     none, and none of the second. The server evaluates them; a term that it finds wrong ends the
 *     stream with NFL_CLIENT_INVALID_ARGUMENT and its name
 * @max_lag_bytes: how far behind it may fall, in bytes of the server's history; 0: as far as that
 *     reaches
 *
 * A stream that had started and whose connection is lost, or whose server stops, is begun again
 * where it was: after 0.1 s, then after pauses that double up to 10 s, each with a random share of
 * up to a half taken off, as often as it takes. Nothing is repeated, and what the server no longer
 * has comes as a loss. NFL_CLIENT_RECONNECTING tells of each try, NFL_CLIENT_STARTED (its
 * resume_status) of success. All of it happens while nfl_client_next() waits, for no longer than
 * its caller allows.
 */
struct nfl_client_subscribe_options {
	size_t size;
	uint32_t flags; /* NFL_CLIENT_* */
	const char *const *netns;
	size_t netns_count;
	const uint16_t *groups;
	size_t group_count;
	enum nfl_client_view view;
	enum nfl_client_slow_policy slow_policy;
	uint64_t max_packets;
	uint32_t payload_limit;
	uint32_t heartbeat_ms;
	uint32_t batch_max_packets;
	uint32_t batch_max_bytes;
	uint32_t batch_max_delay_ms;
	const char *label;
	enum nfl_client_start start;
	uint64_t start_last;
	int64_t start_time_ns;
	int64_t start_ago_ns;
	const void *resume_token;
	size_t resume_token_len;
	int64_t until_ns;
	uint64_t max_lag_bytes;
	const struct nfl_filter_term *include;
	size_t include_count;
	const struct nfl_filter_term *exclude;
	size_t exclude_count;
};

/**
 * nfl_client_request - what nfl_client_subscribe() would ask a server for
 * @ret: the bytes of a nflog.v1.SubscribeRequest; the caller's, free() ends it
 * 0, -EINVAL or -ENOMEM, as nfl_client_subscribe().
 */
NFL_API int nfl_client_request(const struct nfl_client_subscribe_options *options, void **ret,
			       size_t *ret_len);

enum nfl_client_event_type {
	NFL_CLIENT_STARTED = 1,
	NFL_CLIENT_PACKET = 2,
	NFL_CLIENT_LOSS = 3,
	NFL_CLIENT_HEARTBEAT = 4,
	NFL_CLIENT_SOURCE = 5,
	NFL_CLIENT_CAUGHT_UP = 6,
	NFL_CLIENT_RECONNECTING = 7,
};

/* Values of nflog.v1.SourceState. */
enum nfl_client_source_state {
	NFL_CLIENT_SOURCE_LISTENING = 1,
	NFL_CLIENT_SOURCE_WAITING = 2,
	NFL_CLIENT_SOURCE_FAILED = 3,
	NFL_CLIENT_SOURCE_GONE = 4,
};

struct nfl_client_source {
	uint32_t id;
	uint16_t group;
	enum nfl_client_source_state state;
	const char *netns;
	const char *detail;
	int64_t state_time_ns;
};

/* Values of nflog.v1.ResumeStatus. */
enum nfl_client_resume_status {
	NFL_CLIENT_RESUME_NONE = 0,          /* no token was given */
	NFL_CLIENT_RESUME_CONTINUED = 1,     /* no gap */
	NFL_CLIENT_RESUME_GAP = 2,           /* losses that follow count what is missing */
	NFL_CLIENT_RESUME_EPOCH_CHANGED = 3, /* the server was restarted: nobody can count */
};

struct nfl_client_started {
	const char *subscription_id;
	const char *server_epoch;
	enum nfl_client_view view;
	uint32_t payload_limit;
	uint32_t heartbeat_ms;
	const struct nfl_client_source *sources;
	size_t source_count;
	enum nfl_client_resume_status resume_status;
	uint64_t max_lag_bytes;
};

/* The connection is lost; the stream is begun again after a pause. */
struct nfl_client_reconnecting {
	struct nfl_client_status why;
	unsigned try_number; /* from 1, since the stream last started */
	uint32_t pause_ms;   /* until the try */
};

/* Values of nflog.v1.LossStage. */
enum nfl_client_loss_stage {
	NFL_CLIENT_LOSS_KERNEL_SOCKET = 1,
	NFL_CLIENT_LOSS_DECODE = 2,
	NFL_CLIENT_LOSS_HISTORY = 3,
	NFL_CLIENT_LOSS_RATE_LIMIT = 4,
};

/* Packets that were logged and did not come, before the next packet of that source. */
struct nfl_client_loss {
	enum nfl_client_loss_stage stage;
	uint32_t source_id; /* 0: the whole subscription */
	uint64_t count;
	uint64_t cumulative_count;
	bool lower_bound; /* at least so many */
	int64_t first_time_ns;
	int64_t last_time_ns;
};

struct nfl_client_heartbeat {
	int64_t time_ns;
	uint64_t packets_sent;
	uint64_t packets_lost;
	uint64_t packets_filtered;
	uint64_t lag_bytes;
};

/**
 * struct nfl_client_event - what came next
 *
 * The pointer that belongs to the type is set, borrowed, valid until the next call on the stream.
 * @source, @render_source: for PACKET and SOURCE the source; for LOSS when it is of one source.
 *     A packet of a source that the server never named has a NULL source and the netns "?".
 * @source_time_ns: for SOURCE: when
 * @packets_replayed: for CAUGHT_UP
 * @message: as the server sent it: for PACKET an nflog.v1.Packet, else an nflog.v1.SubscribeResponse;
 *     empty for RECONNECTING
 * @ends_response: nfl_client_resume_token() is the place behind this event; false where more packets
 *     of the same response follow
 */
struct nfl_client_event {
	enum nfl_client_event_type type;
	const struct nfl_packet *packet;
	const struct nfl_client_started *started;
	const struct nfl_client_loss *loss;
	const struct nfl_client_heartbeat *heartbeat;
	const struct nfl_client_source *source;
	struct nfl_render_source render_source;
	uint64_t packets_replayed;
	const struct nfl_client_reconnecting *reconnecting;
	int64_t source_time_ns;
	struct nfl_bytes message;
	bool ends_response;
};

/* Begins a stream; does not wait for the server. 0, -EINVAL, -ENOMEM. @ret is owned. */
NFL_API int nfl_client_subscribe(struct nfl_client *client,
				 const struct nfl_client_subscribe_options *options,
				 struct nfl_client_stream **ret);

/**
 * nfl_client_next - the next event, in stream order
 * @timeout_ms: -1 waits without limit, 0 does not wait
 *
 * Returns 1 with @ret filled; 0 when the stream has ended with OK; -ETIMEDOUT (the stream goes on);
 * -ECANCELED after nfl_client_cancel(); -EREMOTEIO when it ended otherwise, see
 * nfl_client_status(); -EBADMSG when the server sent what is no SubscribeResponse; -ENOMEM, and the
 * stream is over: nfl_client_resume_token() is where another one goes on.
 */
NFL_API int nfl_client_next(struct nfl_client_stream *stream, int timeout_ms,
			    struct nfl_client_event *ret);

/**
 * nfl_client_resume_token - the place after the last event that next() returned
 * @ret_token: borrowed, valid until the next call on the stream; NULL where there is none yet
 * Returns its length. Packets of one response share a place: between two of them it is still that
 * before the response, so a program that stores it sees some packets again after a crash, and never
 * misses one.
 */
NFL_API size_t nfl_client_resume_token(const struct nfl_client_stream *stream,
				       const void **ret_token);

/* Non-zero ends the loop. */
typedef int (*nfl_client_event_fn)(const struct nfl_client_event *event, void *data);

/* Calls fn for every event until it returns non-zero (returned) or next() ends (its result). */
NFL_API int nfl_client_run(struct nfl_client_stream *stream, nfl_client_event_fn fn, void *data);

/* Ends the stream at once, also a waiting next(). Any thread; not from a signal handler. */
NFL_API void nfl_client_cancel(struct nfl_client_stream *stream);

/* How the stream ended; code OK and an empty text while it goes on. Valid until it is freed. */
NFL_API const struct nfl_client_status *nfl_client_status(const struct nfl_client_stream *stream);

NFL_API void nfl_client_stream_free(struct nfl_client_stream *stream);

/* --- a durable log ----------------------------------------------------------------------- */

/* What nflogctl forward stores in a broker: messages of nflog.v1.LogSegment (nflog/v1/log.proto), which
 * come from any number of hosts. A reader takes one after the other and returns its events. */
struct nfl_client_log;

/* 0, -EINVAL or -ENOMEM. @ret is owned. Threads: a log belongs to one at a time. */
NFL_API int nfl_client_log_new(struct nfl_client_log **ret);
NFL_API void nfl_client_log_free(struct nfl_client_log *log); /* NULL is allowed */

/**
 * nfl_client_log_take - begin with the next message
 * @bytes: borrowed until the next one is taken; from a broker, so that nothing is believed
 * Returns 0, -EINVAL, -ENOMEM; -EBADMSG for what is no LogSegment: the one before is gone then, too.
 */
NFL_API int nfl_client_log_take(struct nfl_client_log *log, const void *bytes, size_t len);

/**
 * nfl_client_log_next - the next event of the message
 * @ret: as of nfl_client_next(), valid until the next call on the log: STARTED (epoch and resume_status
 *     alone), PACKET, LOSS, SOURCE and whatever else was stored. Ids of sources are given by the
 *     reader, one for each source of each host and epoch
 *
 * A forwarder that was killed stores some packets and losses again. They are skipped, where the reader
 * has taken the message that had them first: it remembers what each source's messages covered, of 262144
 * sources at most, those of the streams that it saw last.
 * Returns 1, 0 when the message has no more, -EBADMSG, -ENOMEM.
 */
NFL_API int nfl_client_log_next(struct nfl_client_log *log, struct nfl_client_event *ret);

/* Of the message that was taken: the host that logged its packets, of outside origin. Valid as it is. */
NFL_API const char *nfl_client_log_host(const struct nfl_client_log *log);

/* Packets skipped so far because they were there already. */
NFL_API uint64_t nfl_client_log_repeated(const struct nfl_client_log *log);

/* --- messages as JSON -------------------------------------------------------------------- */

struct nfl_client_json;

/* Bits of flags. */
#define NFL_CLIENT_JSON_PACKET  UINT32_C(1) /* the message is a Packet */
#define NFL_CLIENT_JSON_NUMERIC UINT32_C(2) /* enums as numbers */
#define NFL_CLIENT_JSON_REQUEST UINT32_C(4) /* the message is a SubscribeRequest */

/* What renders messages, one at a time. 0, -EINVAL, -ENOMEM. @ret is owned. */
NFL_API int nfl_client_json_new(struct nfl_client_json **ret);
NFL_API void nfl_client_json_free(struct nfl_client_json *json);

/**
 * nfl_client_json_render - a message of the contract in the canonical JSON of proto3, on one line
 * @message: nfl_client_event.message: a SubscribeResponse, or a Packet, which becomes a
 *     SubscribeResponse with a batch of one; or what nfl_client_request() has made
 * @ret_text: with the newline and a NUL, valid until the next call
 * @ret_len: without the NUL
 * Always valid UTF-8, what nfl_escape_json() escapes is escaped. Returns 0, -EINVAL, -ENOMEM; -EBADMSG
 * for what is no such message.
 */
NFL_API int nfl_client_json_render(struct nfl_client_json *json, struct nfl_bytes message,
				   uint32_t flags, const char **ret_text, size_t *ret_len);

/* --- questions --------------------------------------------------------------------------- */

/* Each call waits at most timeout_ms (-1: the connect timeout only). The result is owned and freed
 * by its _free. On -EREMOTEIO @err tells the server's status; err may be NULL. */

struct nfl_client_netns {
	const char *name;
	uint64_t inode;
	const uint16_t *groups;
	size_t group_count;
	int64_t last_packet_time_ns; /* 0: none yet */
};

struct nfl_client_netns_list {
	const struct nfl_client_netns *items;
	size_t count;
};

NFL_API int nfl_client_list_netns(struct nfl_client *client, int timeout_ms,
				  struct nfl_client_netns_list **ret, struct nfl_client_error *err);
NFL_API void nfl_client_netns_list_free(struct nfl_client_netns_list *list);

struct nfl_client_source_list {
	const struct nfl_client_source *items;
	size_t count;
};

NFL_API int nfl_client_list_sources(struct nfl_client *client, int timeout_ms,
				    struct nfl_client_source_list **ret,
				    struct nfl_client_error *err);
NFL_API void nfl_client_source_list_free(struct nfl_client_source_list *list);

struct nfl_client_source_stats {
	struct nfl_client_source source;
	uint64_t packets_received;
	uint64_t bytes_received;
	uint64_t packets_lost_kernel;
	uint64_t socket_overruns;
	uint64_t packets_lost_decode;
	uint64_t ring_packets;
	uint64_t ring_capacity_bytes;
	uint64_t ring_used_bytes;
	int64_t oldest_packet_time_ns; /* of the history; 0: it is empty */
	int64_t newest_packet_time_ns; /* 0: none yet */
	uint64_t datagrams_foreign;    /* not by the kernel, and dropped */
};

struct nfl_client_subscription_stats {
	const char *subscription_id;
	const char *client_label;
	const char *peer;
	int64_t start_time_ns;
	uint64_t packets_sent;
	uint64_t bytes_sent;
	uint64_t packets_filtered;
	uint64_t packets_lost;
	uint64_t lag_bytes;
	uint64_t max_lag_bytes; /* 0: as far as the history reaches */
	uint32_t lag_ms;        /* age of the oldest packet that waits; 0: none does */
};

struct nfl_client_stats {
	int64_t time_ns;
	const struct nfl_client_source_stats *sources;
	size_t source_count;
	const struct nfl_client_subscription_stats *subscriptions;
	size_t subscription_count;
};

NFL_API int nfl_client_get_stats(struct nfl_client *client, int timeout_ms,
				 struct nfl_client_stats **ret, struct nfl_client_error *err);
NFL_API void nfl_client_stats_free(struct nfl_client_stats *stats);

struct nfl_client_server_info {
	const char *version;
	const char *server_epoch;
	const char *host_name;
	int64_t start_time_ns;
	int64_t config_load_time_ns;
	const char *tenant;
	const char *principal;
	const char *const *features;
	size_t feature_count;
	uint32_t max_subscriptions;
	uint32_t max_batch_packets;
	uint32_t max_batch_bytes;
	uint64_t max_lag_bytes;
	uint32_t max_payload_bytes;
	uint32_t max_filters;
};

NFL_API int nfl_client_get_server_info(struct nfl_client *client, int timeout_ms,
				       struct nfl_client_server_info **ret,
				       struct nfl_client_error *err);
NFL_API void nfl_client_server_info_free(struct nfl_client_server_info *info);

#ifdef __cplusplus
}
#endif
#endif
