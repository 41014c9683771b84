/* SPDX-License-Identifier: MIT */
/*
 * kafka_mock TOPIC - librdkafka's own mock of a Kafka cluster, and a reader of one topic in it
 *
 * Prints the address of the cluster, then a line for each message: its key, its id, and its bytes in hex.
 * A line on standard input takes the broker down ("down") or up ("up"); its end ends the program.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *servers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[200];
	rd_kafka_t *client;

	if (servers) {
		(void)rd_kafka_conf_set(conf, "bootstrap.servers", servers, NULL, 0);
		(void)rd_kafka_conf_set(conf, "group.id", "test", NULL, 0);
		(void)rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", NULL, 0);
	}
	(void)rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	client = rd_kafka_new(type, conf, text, sizeof(text));
	if (!client)
		fprintf(stderr, "kafka_mock: %s\n", text);
	return client;
}

static void print_message(const rd_kafka_message_t *message)
{
	const unsigned char *bytes = message->payload;
	rd_kafka_headers_t *headers = NULL;
	const void *id = "";
	size_t len = 0;

	if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
		(void)rd_kafka_header_get_last(headers, "nflog-id", &id, &len);
	printf("%.*s %.*s ", (int)message->key_len, (const char *)message->key, (int)len,
	       (const char *)id);
	for (size_t i = 0; i < message->len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
	(void)fflush(stdout);
}

/* What was asked for; 0 at the end of standard input. */
static int take_command(rd_kafka_mock_cluster_t *cluster)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[64] = "";
	ssize_t n;

	if (poll(&input, 1, 0) == 0)
		return 1;
	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0)
		return 0;
	if (strcmp(line, "down\n") == 0)
		(void)rd_kafka_mock_broker_set_down(cluster, 1);
	else if (strcmp(line, "up\n") == 0)
		(void)rd_kafka_mock_broker_set_up(cluster, 1);
	return 1;
}

static int read_topic(rd_kafka_mock_cluster_t *cluster, const char *topic)
{
	rd_kafka_t *reader =
	    make_client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(cluster));
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

	if (!reader)
		return 1;
	(void)rd_kafka_poll_set_consumer(reader);
	for (int partition = 0; partition < 4; partition++)
		rd_kafka_topic_partition_list_add(topics, topic, partition)->offset = 0;
	(void)rd_kafka_assign(reader, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	while (take_command(cluster)) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 50);

		if (message && !message->err)
			print_message(message);
		if (message)
			rd_kafka_message_destroy(message);
	}
	(void)rd_kafka_consumer_close(reader);
	rd_kafka_destroy(reader);
	return 0;
}

int main(int argc, char **argv)
{
	rd_kafka_mock_cluster_t *cluster;
	rd_kafka_t *owner;
	int r;

	if (argc != 2) {
		fputs("Usage: kafka_mock TOPIC\n", stderr);
		return 2;
	}
	owner = make_client(RD_KAFKA_PRODUCER, NULL);
	cluster = owner ? rd_kafka_mock_cluster_new(owner, 1) : NULL;
	if (!cluster)
		return 1;
	(void)rd_kafka_mock_topic_create(cluster, argv[1], 4, 1);
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	(void)fflush(stdout);
	r = read_topic(cluster, argv[1]);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
	return r;
}
