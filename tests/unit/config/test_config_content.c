/* SPDX-License-Identifier: MIT */
/* What a file says is what the structs hold: every key, every default. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nfl/listener.h>

#include "bytes.h"
#include "config.h"

/* The least that loads; a test adds its keys before and after. */
#define TENANT(source)                                                                             \
	"tenants: [{name: t, identities: [{unix_uid: 0}], sources: [{netns: n, groups: "           \
	"[1]" source "}]}]\n"

static struct config *load(const char *text)
{
	struct config_errors errors;
	struct config *config = NULL;
	char line[512];

	(void)config_load_text("test", text, strlen(text), &config, &errors);
	for (size_t i = 0; i < errors.count; i++) {
		(void)config_error_render(&errors.items[i], line, sizeof(line));
		print_error("%s\n", line);
	}
	config_errors_done(&errors);
	assert_non_null(config);
	return config;
}

static struct config *load_design(void)
{
	struct config_errors errors;
	struct config *config = NULL;

	assert_int_equal(config_load_file(TEST_DATA "/config/good/design.yaml", &config, &errors),
			 0);
	config_errors_done(&errors);
	return config;
}

static void the_design_example_fills_listen_metrics_and_history(void **state)
{
	struct config *config = load_design();
	const struct config_listen *unix_one = &config->listens[0], *tcp = &config->listens[1];

	(void)state;
	assert_int_equal(config->listen_count, 2);
	assert_string_equal(unix_one->unix_path, "/run/nflogd/nflogd.sock");
	assert_int_equal(unix_one->mode, 0660);
	assert_string_equal(unix_one->group, "nflog");
	assert_null(unix_one->tcp);
	assert_false(unix_one->tls.given);
	assert_null(tcp->unix_path);
	assert_string_equal(tcp->tcp, "0.0.0.0:7443");
	assert_false(tcp->tcp_loopback);
	assert_true(tcp->tls.given);
	assert_string_equal(tcp->tls.certificate, "/etc/nflogd/server.crt");
	assert_string_equal(tcp->tls.private_key, "/etc/nflogd/server.key");
	assert_string_equal(tcp->tls.client_ca, "/etc/nflogd/clients.crt");
	assert_string_equal(config->metrics_listen, "127.0.0.1:9477");
	assert_int_equal(config->history.bytes_per_source, 8388608);
	assert_int_equal(config->history.bytes_total, 536870912);
	assert_true(config->load_time_ns > 0);
	config_free(config);
}

static void the_design_example_fills_the_tenant(void **state)
{
	struct config *config = load_design();
	const struct config_tenant *red = &config->tenants[0];
	const struct config_source *source = &red->sources[0];

	(void)state;
	assert_int_equal(config->tenant_count, 1);
	assert_string_equal(red->name, "red");
	assert_false(red->admin);
	assert_int_equal(red->identity_count, 3);
	assert_int_equal(red->identities[0].kind, CONFIG_IDENTITY_UNIX_USER);
	assert_string_equal(red->identities[0].text, "alice");
	assert_int_equal(red->identities[1].kind, CONFIG_IDENTITY_CERT_URI);
	assert_string_equal(red->identities[1].text, "spiffe://corp/red/*");
	assert_int_equal(red->identities[2].kind, CONFIG_IDENTITY_TOKEN_SHA256);
	/* in one form, so that two can be compared */
	assert_memory_equal(red->identities[2].text, "9f86d081884c", 12);
	assert_int_equal(red->source_count, 1);
	assert_int_equal(source->netns_kind, CONFIG_NETNS_NAME);
	assert_string_equal(source->netns, "red");
	assert_int_equal(source->group_count, 2);
	assert_int_equal(source->groups[0].first, 100);
	assert_int_equal(source->groups[0].last, 100);
	assert_int_equal(source->groups[1].first, 110);
	assert_int_equal(source->groups[1].last, 119);
	assert_int_equal(source->profile, CONFIG_PROFILE_BALANCED);
	assert_int_equal(source->copy, CONFIG_COPY_PACKET);
	assert_int_equal(source->copy_bytes, 128);
	assert_int_equal(source->mark.line, 20);
	assert_int_equal(source->mark.column, 16);
	config_free(config);
}

static void absent_keys_have_their_defaults(void **state)
{
	struct config *config = load(TENANT(""));
	const struct config_source *source = &config->tenants[0].sources[0];

	(void)state;
	assert_int_equal(config->listen_count, 1);
	assert_string_equal(config->listens[0].unix_path, "/run/nflogd/nflogd.sock");
	assert_int_equal(config->listens[0].mode, 0660);
	assert_null(config->listens[0].group);
	assert_null(config->metrics_listen);
	assert_false(config->metrics_remote);
	assert_int_equal(config->history.bytes_per_source, 8388608);
	assert_int_equal(config->history.bytes_total, 536870912);
	assert_int_equal(config->tenants[0].limits.subscriptions, 16);
	assert_int_equal(config->tenants[0].limits.packets_per_second, 0);
	assert_int_equal(config->tenants[0].limits.payload_bytes, 0);
	assert_int_equal(config->tenants[0].limits.history_bytes, 0);
	assert_int_equal(config->tenants[0].limits.stall_timeout_ms, 30000);
	assert_int_equal(config->tenants[0].limits.filters, 64);
	assert_int_equal(config->tenants[0].limits.view, CONFIG_VIEW_FULL);
	assert_int_equal(config->limits.connections, 1024);
	assert_int_equal(config->limits.connections_per_user, 512);
	assert_int_equal(config->limits.streams_per_connection, 100);
	assert_int_equal(config->limits.anonymous_calls, 256);
	assert_int_equal(config->limits.request_bytes, 262144);
	assert_int_equal(config->limits.header_bytes, 8192);
	assert_int_equal(config->limits.receive_bytes_per_second, 262144);
	assert_int_equal(config->limits.handshake_timeout_ms, 5000);
	assert_int_equal(config->limits.idle_timeout_ms, 300000);
	assert_string_equal(config->path, "test");
	assert_int_equal(source->profile, CONFIG_PROFILE_ADAPTIVE);
	assert_int_equal(source->copy, CONFIG_COPY_PACKET);
	assert_int_equal(source->copy_bytes, 0);
	assert_false(source->conntrack);
	assert_false(source->has_qthresh || source->has_timeout || source->has_nlbufsiz ||
		     source->has_rcvbuf);
	config_free(config);
}

static void a_map_that_gives_one_key_keeps_the_defaults_of_the_others(void **state)
{
	struct config *config = load("history: {bytes_total: 16M}\n" TENANT(""));

	(void)state;
	assert_int_equal(config->history.bytes_per_source, 8388608);
	assert_int_equal(config->history.bytes_total, 16777216);
	config_free(config);
}

static void every_key_of_a_source_reaches_its_field(void **state)
{
	struct config *config = load(
	    TENANT(", profile: throughput, copy: meta, conntrack: true, qthresh: 0, timeout_ms: 20,"
		   " nlbufsiz: 64k, rcvbuf: 16M"));
	const struct config_source *source = &config->tenants[0].sources[0];

	(void)state;
	assert_int_equal(source->profile, CONFIG_PROFILE_THROUGHPUT);
	assert_int_equal(source->copy, CONFIG_COPY_META);
	assert_true(source->conntrack);
	assert_true(source->has_qthresh);
	assert_int_equal(source->qthresh, 0);
	assert_true(source->has_timeout);
	assert_int_equal(source->timeout_ms, 20);
	assert_true(source->has_nlbufsiz);
	assert_int_equal(source->nlbufsiz, 65536);
	assert_true(source->has_rcvbuf);
	assert_int_equal(source->rcvbuf, 16777216);
	config_free(config);
}

static void every_limit_reaches_its_field_and_zero_bytes_are_none(void **state)
{
	struct config *config =
	    load("tenants: [{name: t, identities: [{unix_uid: 0}], sources: [{netns: n, groups: "
		 "[1]}], limits: {subscriptions: 3, packets_per_second: 4, payload_bytes: 5, "
		 "history_bytes: 64M, stall_timeout_ms: 100, filters: 0, view: basic}},\n"
		 "{name: u, identities: [{unix_uid: 1}], sources: [{netns: n, groups: [1]}], "
		 "limits: {history_bytes: 0}}]\n");
	const struct config_limits *limits = &config->tenants[0].limits;

	(void)state;
	assert_int_equal(limits->subscriptions, 3);
	assert_int_equal(limits->packets_per_second, 4);
	assert_int_equal(limits->payload_bytes, 5);
	assert_int_equal(limits->history_bytes, 67108864);
	assert_int_equal(limits->stall_timeout_ms, 100);
	assert_int_equal(limits->filters, 0);
	assert_int_equal(limits->view, CONFIG_VIEW_BASIC);
	assert_int_equal(config->tenants[1].limits.history_bytes, 0);
	config_free(config);
}

static void every_limit_of_the_server_reaches_its_field(void **state)
{
	struct config *config = load(
	    "limits: {connections: 1, connections_per_user: 2, streams_per_connection: 3,\n"
	    "  request_bytes: 16K, header_bytes: 1K, receive_bytes_per_second: 1G,\n"
	    "  handshake_timeout_ms: 100, idle_timeout_ms: 1000, anonymous_calls: 4}\n" TENANT(""));
	const struct config_server_limits *limits = &config->limits;

	(void)state;
	assert_int_equal(limits->connections, 1);
	assert_int_equal(limits->connections_per_user, 2);
	assert_int_equal(limits->streams_per_connection, 3);
	assert_int_equal(limits->anonymous_calls, 4);
	assert_int_equal(limits->request_bytes, 16384);
	assert_int_equal(limits->header_bytes, 1024);
	assert_int_equal(limits->receive_bytes_per_second, 1 << 30);
	assert_int_equal(limits->handshake_timeout_ms, 100);
	assert_int_equal(limits->idle_timeout_ms, 1000);
	config_free(config);
}

static void metrics_beyond_loopback_are_asked_for(void **state)
{
	struct config *config = load("metrics: {listen: \"[::]:9477\", remote: true}\n" TENANT(""));

	(void)state;
	assert_string_equal(config->metrics_listen, "[::]:9477");
	assert_true(config->metrics_remote);
	config_free(config);
}

static void admin_needs_no_sources(void **state)
{
	struct config *config =
	    load("tenants: [{name: t, admin: true, identities: [{unix_uid: 0}]}]\n");

	(void)state;
	assert_true(config->tenants[0].admin);
	assert_int_equal(config->tenants[0].source_count, 0);
	config_free(config);
}

static void identities_of_certificates_and_of_loopback_are_read(void **state)
{
	static const char *const texts[] = {"spiffe://corp/*", "spiffe://corp/red/*/x*",
					    "urn:red:1",       "*.red.example",
					    "red.example",     "Red Collector"};
	struct config *config = load(
	    "tenants: [{name: t, admin: true, identities: [{cert_uri: 'spiffe://corp/*'},\n"
	    "  {cert_uri: 'spiffe://corp/red/*/x*'}, {cert_uri: 'urn:red:1'},\n"
	    "  {cert_dns: '*.Red.Example'}, {cert_dns: red.example}, {cert_cn: Red Collector},\n"
	    "  {loopback: true}]}]\n");
	const struct config_tenant *tenant = &config->tenants[0];

	(void)state;
	assert_int_equal(tenant->identity_count, ARRAY_SIZE(texts) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_string_equal(tenant->identities[i].text, texts[i]);
	assert_int_equal(tenant->identities[6].kind, CONFIG_IDENTITY_LOOPBACK);
	assert_int_equal(tenant->identities[6].mark.line, 4);
	config_free(config);
}

static bool loads_source_with(const char *key, uint64_t value)
{
	struct config_errors errors;
	struct config *config = NULL;
	char text[512];
	int len = snprintf(text, sizeof(text), TENANT(", %s: %" PRIu64), key, value);
	bool loads = config_load_text("test", text, (size_t)len, &config, &errors) == 0;

	config_errors_done(&errors);
	config_free(config);
	return loads;
}

static void bounds_are_those_of_the_listener(void **state)
{
	(void)state;
	assert_true(loads_source_with("copy_bytes", NFL_COPY_RANGE_MAX));
	assert_false(loads_source_with("copy_bytes", NFL_COPY_RANGE_MAX + 1));
	assert_true(loads_source_with("timeout_ms", NFL_TIMEOUT_MAX_MS));
	assert_false(loads_source_with("timeout_ms", NFL_TIMEOUT_MAX_MS + 1));
	assert_true(loads_source_with("nlbufsiz", NFL_NLBUFSIZ_MIN));
	assert_false(loads_source_with("nlbufsiz", NFL_NLBUFSIZ_MIN - 1));
	assert_true(loads_source_with("nlbufsiz", NFL_NLBUFSIZ_MAX));
	assert_false(loads_source_with("nlbufsiz", NFL_NLBUFSIZ_MAX + 1));
	assert_true(loads_source_with("qthresh", UINT32_MAX));
	assert_false(loads_source_with("qthresh", UINT64_C(1) << 32));
}

static void every_form_of_netns_has_its_kind(void **state)
{
	struct config *config =
	    load("tenants:\n"
		 "  - name: t\n"
		 "    admin: true\n"
		 "    identities: [{unix_uid: 7}, {unix_group: g}, {cert_dns: d}, {cert_cn: c},\n"
		 "                 {token_sha256_file: /t}]\n"
		 "    sources:\n"
		 "      - {netns: host, groups: [1]}\n"
		 "      - {netns: 'cni-*', groups: [1]}\n"
		 "      - {netns: {path: /proc/1/ns/net}, groups: [1]}\n"
		 "      - {netns: {pid: 4242}, groups: [1]}\n"
		 "      - {netns: 100, groups: [1]}\n"
		 "      - {netns: {path: '/run/docker/netns/*'}, groups: [1]}\n");
	const struct config_tenant *tenant = &config->tenants[0];
	const struct config_source *sources = tenant->sources;

	(void)state;
	assert_true(tenant->admin);
	assert_int_equal(tenant->identities[0].kind, CONFIG_IDENTITY_UNIX_UID);
	assert_int_equal(tenant->identities[0].uid, 7);
	assert_int_equal(tenant->identities[1].kind, CONFIG_IDENTITY_UNIX_GROUP);
	assert_int_equal(tenant->identities[2].kind, CONFIG_IDENTITY_CERT_DNS);
	assert_int_equal(tenant->identities[3].kind, CONFIG_IDENTITY_CERT_CN);
	assert_int_equal(tenant->identities[4].kind, CONFIG_IDENTITY_TOKEN_SHA256_FILE);
	assert_int_equal(sources[0].netns_kind, CONFIG_NETNS_HOST);
	assert_string_equal(sources[0].netns, "host");
	assert_int_equal(sources[1].netns_kind, CONFIG_NETNS_GLOB);
	assert_string_equal(sources[1].netns, "cni-*");
	assert_int_equal(sources[2].netns_kind, CONFIG_NETNS_PATH);
	assert_string_equal(sources[2].netns, "/proc/1/ns/net");
	assert_int_equal(sources[3].netns_kind, CONFIG_NETNS_PID);
	assert_null(sources[3].netns);
	assert_int_equal(sources[3].pid, 4242);
	assert_int_equal(sources[4].netns_kind, CONFIG_NETNS_NAME);
	assert_string_equal(sources[4].netns, "100");
	assert_int_equal(sources[5].netns_kind, CONFIG_NETNS_PATH_GLOB);
	assert_string_equal(sources[5].netns, "/run/docker/netns/*");
	config_free(config);
}

static void loopback_needs_no_tls(void **state)
{
	struct config *config = load("listen: [{tcp: '127.0.0.1:1'}, {tcp: '[::1]:65535'},\n"
				     "         {tcp: '[::ffff:127.0.0.1]:9'}]\n" TENANT(""));

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(config->listens[i].tcp_loopback);
	config_free(config);
}

static void a_mode_is_octal_with_and_without_quotes(void **state)
{
	struct config *config = load("listen: [{unix: /a, mode: 0600}, {unix: /b, mode: '0600'},\n"
				     "         {unix: /c, mode: 600}]\n" TENANT(""));

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(config->listens[i].mode, 0600);
	config_free(config);
}

static void two_tenants_may_name_the_same_group(void **state)
{
	struct config *config = load(
	    "tenants:\n"
	    "  - {name: a, identities: [{unix_uid: 1}], sources: [{netns: n, groups: [1]}]}\n"
	    "  - {name: b, identities: [{unix_uid: 2}], sources: [{netns: n, groups: [1]}]}\n");

	(void)state;
	assert_int_equal(config->tenant_count, 2);
	config_free(config);
}

static void json_is_yaml(void **state)
{
	struct config *config =
	    load("{\"tenants\": [{\"name\": \"t\", \"identities\": [{\"unix_uid\": 0}],"
		 " \"sources\": [{\"netns\": \"n\", \"groups\": [1, \"2-3\"],"
		 " \"conntrack\": true}]}]}");

	(void)state;
	assert_int_equal(config->tenants[0].sources[0].group_count, 2);
	assert_true(config->tenants[0].sources[0].conntrack);
	config_free(config);
}

static void the_built_in_default_is_group_100_of_all_for_root_and_the_user(void **state)
{
	struct config *config = config_new_default(1000);
	const struct config_tenant *tenant;

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->listen_count, 1);
	assert_string_equal(config->listens[0].unix_path, "/run/nflogd/nflogd.sock");
	assert_int_equal(config->tenant_count, 1);
	tenant = &config->tenants[0];
	assert_string_equal(tenant->name, "local");
	assert_int_equal(tenant->identity_count, 2);
	assert_int_equal(tenant->identities[0].kind, CONFIG_IDENTITY_UNIX_UID);
	assert_int_equal(tenant->identities[0].uid, 0);
	assert_int_equal(tenant->identities[1].uid, 1000);
	assert_int_equal(tenant->source_count, 2);
	assert_int_equal(tenant->sources[0].netns_kind, CONFIG_NETNS_HOST);
	assert_int_equal(tenant->sources[1].netns_kind, CONFIG_NETNS_GLOB);
	assert_string_equal(tenant->sources[1].netns, "*");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(tenant->sources[i].group_count, 1);
		assert_int_equal(tenant->sources[i].groups[0].first, 100);
		assert_int_equal(tenant->sources[i].groups[0].last, 100);
	}
	config_free(config);
	config = config_new_default(0);
	assert_int_equal(config->tenants[0].identity_count, 1);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_design_example_fills_listen_metrics_and_history),
	    cmocka_unit_test(the_design_example_fills_the_tenant),
	    cmocka_unit_test(absent_keys_have_their_defaults),
	    cmocka_unit_test(a_map_that_gives_one_key_keeps_the_defaults_of_the_others),
	    cmocka_unit_test(every_key_of_a_source_reaches_its_field),
	    cmocka_unit_test(every_limit_reaches_its_field_and_zero_bytes_are_none),
	    cmocka_unit_test(every_limit_of_the_server_reaches_its_field),
	    cmocka_unit_test(metrics_beyond_loopback_are_asked_for),
	    cmocka_unit_test(admin_needs_no_sources),
	    cmocka_unit_test(identities_of_certificates_and_of_loopback_are_read),
	    cmocka_unit_test(bounds_are_those_of_the_listener),
	    cmocka_unit_test(every_form_of_netns_has_its_kind),
	    cmocka_unit_test(loopback_needs_no_tls),
	    cmocka_unit_test(a_mode_is_octal_with_and_without_quotes),
	    cmocka_unit_test(two_tenants_may_name_the_same_group),
	    cmocka_unit_test(json_is_yaml),
	    cmocka_unit_test(the_built_in_default_is_group_100_of_all_for_root_and_the_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
