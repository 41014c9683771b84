/* SPDX-License-Identifier: MIT */
/*
 * wire/fields.h - numbers and wire types of nflog/v1/nflog.proto and log.proto, for the messages that are written
 * or read by hand
 *
 * Each X(MESSAGE, FIELD, number, TYPE) becomes the constant MESSAGE_FIELD: the field's tag, as it
 * stands on the wire. tests/unit/wire/test_fields.c compares the lists with what protobuf-c made
 * of the published file: every field of these messages is here, under its own name.
 *
 * Internal to the room and its tests.
 */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

/* Wire types of protobuf. I64 and I32 are only skipped; groups are refused. */
#define WIRE_VARINT 0U
#define WIRE_I64    1U
#define WIRE_LEN    2U
#define WIRE_I32    5U

#define PACKET_FIELDS(X)                                                                           \
	X(PACKET, SEQUENCE, 1, VARINT)                                                             \
	X(PACKET, SOURCE_ID, 2, VARINT)                                                            \
	X(PACKET, RECEIVE_TIME, 3, LEN)                                                            \
	X(PACKET, PACKET_TIME, 4, LEN)                                                             \
	X(PACKET, FAMILY, 5, VARINT)                                                               \
	X(PACKET, HOOK, 6, VARINT)                                                                 \
	X(PACKET, HW_PROTOCOL, 7, VARINT)                                                          \
	X(PACKET, PREFIX, 8, LEN)                                                                  \
	X(PACKET, INPUT, 9, LEN)                                                                   \
	X(PACKET, OUTPUT, 10, LEN)                                                                 \
	X(PACKET, MARK, 11, VARINT)                                                                \
	X(PACKET, PAYLOAD, 12, LEN)                                                                \
	X(PACKET, ORIGINAL_LENGTH, 13, VARINT)                                                     \
	X(PACKET, DECODED, 14, LEN)                                                                \
	X(PACKET, CONNTRACK, 15, LEN)                                                              \
	X(PACKET, PHYSICAL_INPUT, 16, LEN)                                                         \
	X(PACKET, PHYSICAL_OUTPUT, 17, LEN)                                                        \
	X(PACKET, HW_ADDRESS, 18, LEN)                                                             \
	X(PACKET, HW_TYPE, 19, VARINT)                                                             \
	X(PACKET, HW_HEADER, 20, LEN)                                                              \
	X(PACKET, HW_HEADER_LENGTH, 21, VARINT)                                                    \
	X(PACKET, UID, 22, VARINT)                                                                 \
	X(PACKET, GID, 23, VARINT)                                                                 \
	X(PACKET, KERNEL_SEQUENCE, 24, VARINT)                                                     \
	X(PACKET, KERNEL_GLOBAL_SEQUENCE, 25, VARINT)                                              \
	X(PACKET, VLAN, 26, LEN)                                                                   \
	X(PACKET, L2_HEADER, 27, LEN)                                                              \
	X(PACKET, HOOK_NUMBER, 28, VARINT)                                                         \
	X(PACKET, PREFIX_RAW, 29, LEN)                                                             \
	X(PACKET, UNKNOWN_ATTRIBUTES, 30, LEN)

#define DECODED_FIELDS(X)                                                                          \
	X(DECODED, IP_VERSION, 1, VARINT)                                                          \
	X(DECODED, SOURCE_ADDRESS, 2, LEN)                                                         \
	X(DECODED, DESTINATION_ADDRESS, 3, LEN)                                                    \
	X(DECODED, PROTOCOL, 4, VARINT)                                                            \
	X(DECODED, SOURCE_PORT, 5, VARINT)                                                         \
	X(DECODED, DESTINATION_PORT, 6, VARINT)                                                    \
	X(DECODED, TCP_FLAGS, 7, VARINT)                                                           \
	X(DECODED, ICMP_TYPE, 8, VARINT)                                                           \
	X(DECODED, ICMP_CODE, 9, VARINT)                                                           \
	X(DECODED, TOTAL_LENGTH, 10, VARINT)                                                       \
	X(DECODED, TTL, 11, VARINT)                                                                \
	X(DECODED, TRAFFIC_CLASS, 12, VARINT)                                                      \
	X(DECODED, TCP_SEQUENCE, 13, VARINT)                                                       \
	X(DECODED, TCP_ACK, 14, VARINT)                                                            \
	X(DECODED, TCP_WINDOW, 15, VARINT)                                                         \
	X(DECODED, IDENTIFICATION, 16, VARINT)                                                     \
	X(DECODED, FRAGMENT_OFFSET, 17, VARINT)                                                    \
	X(DECODED, MORE_FRAGMENTS, 18, VARINT)                                                     \
	X(DECODED, FLOW_LABEL, 19, VARINT)                                                         \
	X(DECODED, ARP_OPERATION, 20, VARINT)                                                      \
	X(DECODED, TRUNCATED, 21, VARINT)                                                          \
	X(DECODED, SPI, 22, VARINT)                                                                \
	X(DECODED, GRE_PROTOCOL, 23, VARINT)                                                       \
	X(DECODED, UDP_LENGTH, 24, VARINT)                                                         \
	X(DECODED, INNER_VLAN_TCI, 25, VARINT)

#define CONNTRACK_FIELDS(X)                                                                        \
	X(CONNTRACK, INFO, 1, VARINT)                                                              \
	X(CONNTRACK, ATTRIBUTES, 2, LEN)                                                           \
	X(CONNTRACK, ID, 3, VARINT)                                                                \
	X(CONNTRACK, STATUS, 4, VARINT)                                                            \
	X(CONNTRACK, MARK, 5, VARINT)                                                              \
	X(CONNTRACK, ZONE, 6, VARINT)                                                              \
	X(CONNTRACK, ORIGINAL, 7, LEN)                                                             \
	X(CONNTRACK, REPLY, 8, LEN)

#define TUPLE_FIELDS(X)                                                                            \
	X(TUPLE, SOURCE_ADDRESS, 1, LEN)                                                           \
	X(TUPLE, DESTINATION_ADDRESS, 2, LEN)                                                      \
	X(TUPLE, PROTOCOL, 3, VARINT)                                                              \
	X(TUPLE, SOURCE_PORT, 4, VARINT)                                                           \
	X(TUPLE, DESTINATION_PORT, 5, VARINT)

#define DEVICE_FIELDS(X)                                                                           \
	X(DEVICE, INDEX, 1, VARINT)                                                                \
	X(DEVICE, NAME, 2, LEN)

#define VLAN_FIELDS(X)                                                                             \
	X(VLAN, PROTOCOL, 1, VARINT)                                                               \
	X(VLAN, TCI, 2, VARINT)

/* google.protobuf.Timestamp */
#define TIMESTAMP_FIELDS(X)                                                                        \
	X(TIMESTAMP, SECONDS, 1, VARINT)                                                           \
	X(TIMESTAMP, NANOS, 2, VARINT)

#define BATCH_FIELDS(X) X(BATCH, PACKETS, 1, LEN)

/* SubscribeResponse; all but resume_token are its events. */
#define RESPONSE_FIELDS(X)                                                                         \
	X(RESPONSE, STARTED, 1, LEN)                                                               \
	X(RESPONSE, BATCH, 2, LEN)                                                                 \
	X(RESPONSE, LOSS, 3, LEN)                                                                  \
	X(RESPONSE, HEARTBEAT, 4, LEN)                                                             \
	X(RESPONSE, SOURCE_EVENT, 5, LEN)                                                          \
	X(RESPONSE, CAUGHT_UP, 6, LEN)                                                             \
	X(RESPONSE, RESUME_TOKEN, 15, LEN)

#define STARTED_FIELDS(X)                                                                          \
	X(STARTED, SUBSCRIPTION_ID, 1, LEN)                                                        \
	X(STARTED, SERVER_EPOCH, 2, LEN)                                                           \
	X(STARTED, RESUME_STATUS, 3, VARINT)                                                       \
	X(STARTED, BATCH, 4, LEN)                                                                  \
	X(STARTED, SLOW_CONSUMER_POLICY, 5, VARINT)                                                \
	X(STARTED, MAX_LAG_BYTES, 6, VARINT)                                                       \
	X(STARTED, VIEW, 7, VARINT)                                                                \
	X(STARTED, PAYLOAD_LIMIT, 8, VARINT)                                                       \
	X(STARTED, HEARTBEAT_INTERVAL, 9, LEN)                                                     \
	X(STARTED, SOURCES, 10, LEN)

#define LOSS_FIELDS(X)                                                                             \
	X(LOSS, STAGE, 1, VARINT)                                                                  \
	X(LOSS, SOURCE_ID, 2, VARINT)                                                              \
	X(LOSS, COUNT, 3, VARINT)                                                                  \
	X(LOSS, LOWER_BOUND, 4, VARINT)                                                            \
	X(LOSS, FIRST_TIME, 5, LEN)                                                                \
	X(LOSS, LAST_TIME, 6, LEN)                                                                 \
	X(LOSS, CUMULATIVE_COUNT, 7, VARINT)

#define SOURCE_FIELDS(X)                                                                           \
	X(SOURCE, SOURCE_ID, 1, VARINT)                                                            \
	X(SOURCE, NETNS, 2, LEN)                                                                   \
	X(SOURCE, GROUP, 3, VARINT)                                                                \
	X(SOURCE, STATE, 4, VARINT)                                                                \
	X(SOURCE, DETAIL, 5, LEN)                                                                  \
	X(SOURCE, STATE_TIME, 6, LEN)

/* LogSegment and LogSpan of nflog/v1/log.proto */
#define SEGMENT_FIELDS(X)                                                                          \
	X(SEGMENT, HOST, 1, LEN)                                                                   \
	X(SEGMENT, STREAM_ID, 2, LEN)                                                              \
	X(SEGMENT, SERVER_EPOCH, 3, LEN)                                                           \
	X(SEGMENT, SOURCES, 4, LEN)                                                                \
	X(SEGMENT, SPANS, 5, LEN)                                                                  \
	X(SEGMENT, RESPONSES, 6, LEN)

#define SPAN_FIELDS(X)                                                                             \
	X(SPAN, SOURCE_ID, 1, VARINT)                                                              \
	X(SPAN, AFTER, 2, VARINT)                                                                  \
	X(SPAN, LAST, 3, VARINT)

#define WIRE_TAG(message, field, number, type) message##_##field = (number) << 3 | WIRE_##type,

enum packet_tag {
	PACKET_FIELDS(WIRE_TAG)
};
enum decoded_tag {
	DECODED_FIELDS(WIRE_TAG)
};
enum conntrack_tag {
	CONNTRACK_FIELDS(WIRE_TAG)
};
enum tuple_tag {
	TUPLE_FIELDS(WIRE_TAG)
};
enum device_tag {
	DEVICE_FIELDS(WIRE_TAG)
};
enum vlan_tag {
	VLAN_FIELDS(WIRE_TAG)
};
enum timestamp_tag {
	TIMESTAMP_FIELDS(WIRE_TAG)
};
enum batch_tag {
	BATCH_FIELDS(WIRE_TAG)
};
enum response_tag {
	RESPONSE_FIELDS(WIRE_TAG)
};
enum started_tag {
	STARTED_FIELDS(WIRE_TAG)
};
enum loss_tag {
	LOSS_FIELDS(WIRE_TAG)
};
enum source_tag {
	SOURCE_FIELDS(WIRE_TAG)
};
enum segment_tag {
	SEGMENT_FIELDS(WIRE_TAG)
};
enum span_tag {
	SPAN_FIELDS(WIRE_TAG)
};

#endif
