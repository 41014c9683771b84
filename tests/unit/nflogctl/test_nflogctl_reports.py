# SPDX-License-Identifier: MIT
"""nflogctl list and status: tables for people, JSON for programs."""
import json
import unittest

from google.protobuf.duration_pb2 import Duration

import fake
from fake import pb, source

TIME = "2026-01-02T03:04:05.000006000Z"


class Lists(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.serve(
            ListNetns=lambda request, context: pb.ListNetnsResponse(
                netns=[pb.Netns(name="red", inode=4026532000, groups=[7, 100],
                                last_packet_time=fake.TIME)],
                next_page_token="more") if not request.page_token else pb.ListNetnsResponse(
                    netns=[pb.Netns(name="blue\x1b-\u00e4", groups=[100])]),
            ListSources=pb.ListSourcesResponse(sources=[
                source(1, "red", 100),
                source(2, "blue", 7, state=pb.SOURCE_STATE_FAILED, detail="bound by port id 4711")]))

    def test_namespaces_as_a_table(self):
        self.assertEqual(self.run_ctl("list", "netns", "--utc")[0], (
            "NETNS            INODE  LAST PACKET          GROUPS\n"
            "red         4026532000  2026-01-02 03:04:05  7,100\n"
            "blue\\x1b-\u00e4           -  -                    100\n"))

    def test_namespaces_as_json(self):
        out, _ = self.run_ctl("list", "netns", "-o", "json", "--utc")
        self.assertEqual([json.loads(line) for line in out.splitlines()], [
            {"netns": "red", "inode": 4026532000, "last_packet_time": TIME, "groups": [7, 100]},
            {"netns": "blue\x1b-\u00e4", "groups": [100]}])

    def test_sources_as_a_table(self):
        self.assertEqual(self.run_ctl("list", "sources", "--utc")[0], (
            "NETNS  GROUP  STATE      SINCE                DETAIL\n"
            "red      100  listening  2026-01-02 03:04:05  -\n"
            "blue       7  failed     2026-01-02 03:04:05  bound by port id 4711\n"))

    def test_sources_that_do_not_deliver_are_listed_with_their_reason(self):
        sources = [source(1, "red", 100, state=pb.SOURCE_STATE_GONE,
                          detail="the namespace was deleted"),
                   source(2, "blue", 7, state=pb.SOURCE_STATE_WAITING, detail="no such namespace"),
                   source(3, "\x1bx", 7, state=pb.SOURCE_STATE_FAILED, detail="\x1b[31mbusy\n")]
        self.serve(ListSources=pb.ListSourcesResponse(sources=sources),
                   GetServerInfo=pb.GetServerInfoResponse(),
                   GetStats=pb.GetStatsResponse(sources=[pb.SourceStats(source=one)
                                                         for one in sources]))
        for command in ("list", "sources"), ("status",):
            lines = self.run_ctl(*command)[0].splitlines()
            for name, state, detail in (
                    ("red", "gone", "the namespace was deleted"),
                    ("blue", "waiting", "no such namespace"),
                    ("\\x1bx", "failed", "\\x1b[31mbusy\\x0a")):
                line, = (one for one in lines if one.startswith(name + " "))
                self.assertIn(f" {state} ", line)
                self.assertTrue(line.endswith("  " + detail), line)

    def test_sources_as_json(self):
        out, _ = self.run_ctl("list", "-o", "json", "sources", "--utc")
        self.assertEqual([json.loads(line) for line in out.splitlines()], [
            {"netns": "red", "group": 100, "source_id": 1, "state": "listening", "state_time": TIME},
            {"netns": "blue", "group": 7, "source_id": 2, "state": "failed", "state_time": TIME,
             "detail": "bound by port id 4711"}])


class Status(fake.CommandTest):
    def serve_status(self, subscriptions):
        self.serve(
            GetServerInfo=pb.GetServerInfoResponse(
                version="0.1.0", server_epoch="e1", host_name="host1", start_time=fake.TIME,
                config_load_time=fake.TIME, tenant="local", principal="unix uid 0",
                limits=pb.Limits(max_subscriptions=16, max_filters=64, max_batch_packets=4096,
                                 max_batch_bytes=1048576), features=["one"]),
            GetStats=pb.GetStatsResponse(
                time=fake.TIME, subscriptions=subscriptions, sources=[
                    pb.SourceStats(source=source(1, "red", 100), packets_received=1234567,
                                   bytes_received=99, packets_lost_kernel=12, socket_overruns=1,
                                   ring_packets=100, ring_capacity_bytes=8 << 20,
                                   ring_used_bytes=1536, oldest_packet_time=fake.TIME,
                                   newest_packet_time=fake.TIME, datagrams_foreign=3),
                    pb.SourceStats(source=source(2, "a-long-name", 7,
                                                 state=pb.SOURCE_STATE_WAITING))]))

    def subscriptions(self):
        return [pb.SubscriptionStats(subscription_id="s7", client_label="me", peer="uid 0",
                                     start_time=fake.TIME, packets_sent=10, bytes_sent=2000,
                                     packets_lost=2, lag_bytes=20 << 20, max_lag_bytes=30 << 20,
                                     lag=Duration(seconds=1, nanos=500000000))]

    def test_status_as_tables(self):
        self.serve_status(self.subscriptions())
        self.assertEqual(self.run_ctl("status", "--utc")[0], (
            "SERVER  VERSION  UP SINCE             CONFIGURED           TENANT  YOU ARE\n"
            "host1   0.1.0    2026-01-02 03:04:05  2026-01-02 03:04:05  local   unix uid 0\n"
            "\n"
            "NETNS        GROUP  STATE      PACKETS  LOST  MALFORMED  OVERRUNS  HISTORY  DETAIL\n"
            "red            100  listening  1234567    12          0         1     1.5K  -\n"
            "a-long-name      7  waiting          0     0          0         0       0B  -\n"
            "\n"
            "SUBSCRIPTION  LABEL  PEER   SINCE                PACKETS  LOST  FILTERED  BEHIND\n"
            "s7            me     uid 0  2026-01-02 03:04:05       10     2         0     20M\n"))

    def test_status_without_subscriptions_has_no_table_of_them(self):
        self.serve_status([])
        self.assertNotIn("SUBSCRIPTION", self.run_ctl("status")[0])

    def test_status_as_json(self):
        self.serve_status(self.subscriptions())
        status = json.loads(self.run_ctl("status", "-o", "json", "--utc")[0])
        self.assertEqual(status["time"], TIME)
        self.assertEqual(status["server"], {
            "host_name": "host1", "version": "0.1.0", "server_epoch": "e1", "start_time": TIME,
            "config_load_time": TIME, "tenant": "local", "principal": "unix uid 0",
            "limits": {"max_subscriptions": 16, "max_filters": 64, "max_batch_packets": 4096,
                       "max_batch_bytes": 1048576, "max_lag_bytes": 0, "max_payload_bytes": 0},
            "features": ["one"]})
        self.assertEqual(status["sources"][0], {
            "netns": "red", "group": 100, "source_id": 1, "state": "listening", "state_time": TIME,
            "packets_received": 1234567, "bytes_received": 99, "packets_lost_kernel": 12,
            "packets_lost_decode": 0, "socket_overruns": 1, "datagrams_foreign": 3,
            "ring_packets": 100, "ring_capacity_bytes": 8 << 20, "ring_used_bytes": 1536,
            "oldest_packet_time": TIME, "newest_packet_time": TIME})
        self.assertEqual(status["subscriptions"], [{
            "subscription_id": "s7", "client_label": "me", "peer": "uid 0", "start_time": TIME,
            "packets_sent": 10, "bytes_sent": 2000, "packets_filtered": 0, "packets_lost": 2,
            "lag_bytes": 20 << 20, "max_lag_bytes": 30 << 20, "lag_ms": 1500}])


class Stats(fake.CommandTest):
    """The n-th answer is of second n, with 100 n packets received and 10 n sent."""

    def setUp(self):
        super().setUp()
        self.answers = 0
        self.serve(GetStats=lambda request, context: self.answer())

    def answer(self):
        n, self.answers = self.answers, self.answers + 1
        time = fake.Timestamp(seconds=fake.TIME.seconds + n)
        return pb.GetStatsResponse(
            time=time, sources=[pb.SourceStats(source=source(1, "red", 100),
                                               packets_received=100 * n)],
            subscriptions=[pb.SubscriptionStats(subscription_id="s7", start_time=fake.TIME,
                                                packets_sent=10 * n)] if n else [])

    def test_once_there_are_no_rates(self):
        self.assertEqual(self.run_ctl("stats")[0], (
            "NETNS  GROUP  STATE      PACKETS  LOST  MALFORMED  OVERRUNS  HISTORY  DETAIL\n"
            "red      100  listening        0     0          0         0       0B  -\n"))

    def test_watched_they_come_with_rates_from_the_second_time_on(self):
        out, _ = self.run_ctl("stats", "--watch", "-i", "0.01", "-c", "3", "--utc")
        first, second, third = out.split("\n\nNETNS")
        self.assertNotIn("PACKETS/S", first)
        self.assertEqual("NETNS" + second, (
            "NETNS  GROUP  STATE      PACKETS/S  PACKETS  LOST  MALFORMED  OVERRUNS  HISTORY  "
            "DETAIL\n"
            "red      100  listening      100.0      100     0          0         0       0B  -\n"
            "\n"
            "SUBSCRIPTION  LABEL  PEER  SINCE                PACKETS/S  PACKETS  LOST  FILTERED  "
            "BEHIND\n"
            "s7            -      -     2026-01-02 03:04:05        0.0       10     0         0  "
            "    0B"))
        self.assertIn("       10.0       20 ", third)

    def test_watched_in_json_they_are_an_object_a_line(self):
        out, _ = self.run_ctl("stats", "--watch", "-i", "0.01", "-c", "2", "-o", "json", "--utc")
        first, second = map(json.loads, out.splitlines())
        self.assertEqual(first["time"], "2026-01-02T03:04:05.000000000Z")
        self.assertNotIn("packets_per_second", first["sources"][0])
        self.assertEqual(second["sources"][0]["packets_per_second"], 100)

    def test_watching_ends_with_a_signal(self):
        process = self.start("stats", "--watch", "-i", "3600")
        process.stdout.readline()
        process.terminate()
        process.communicate(timeout=fake.PATIENCE_S)
        self.assertEqual(process.returncode, 130)

    def test_watching_outlives_a_server_that_is_away_for_a_while(self):
        def answer(request, context):
            if self.answers == 1:
                self.answers = 2
                context.abort(fake.grpc.StatusCode.UNAVAILABLE, "later")
            return self.answer()
        self.serve(GetStats=answer)
        out, err = self.run_ctl("stats", "--watch", "-i", "0.01", "-c", "3")
        self.assertEqual(out.count("NETNS"), 2)
        self.assertIn("UNAVAILABLE: later", err)

    def test_a_server_that_is_not_there_is_an_error_at_once(self):
        self.run_ctl("stats", "--watch", expect=6, env={"NFLOGCTL_SERVER": "/nonexistent"})

    def test_interval_and_count_are_for_watching(self):
        for option in "--interval", "--count":
            _, err = self.run_ctl("stats", option, "2", expect=2)
            self.assertIn("--interval and --count are for --watch", err)


class WhoAmI(fake.CommandTest):
    def serve_info(self, **limits):
        self.serve(GetServerInfo=pb.GetServerInfoResponse(
            version="0.1.0", host_name="host1", tenant="red\x1b", principal="unix uid 1000",
            limits=pb.Limits(**limits)))

    def test_who_and_what_limits(self):
        self.serve_info(max_subscriptions=16, max_filters=64, max_payload_bytes=128)
        self.assertEqual(self.run_ctl("whoami")[0], (
            "tenant          red\\x1b\n"
            "by              unix uid 1000\n"
            "server          host1, nflogd 0.1.0\n"
            "subscriptions   16\n"
            "filters         64\n"
            "payload bytes   128\n"
            "lag bytes       as far as the history reaches\n"))

    def test_no_limits(self):
        self.serve_info()
        out = self.run_ctl("whoami")[0]
        self.assertIn("subscriptions   no limit\n", out)
        self.assertIn("payload bytes   all\n", out)

    def test_in_json(self):
        self.serve_info(max_filters=64)
        who = json.loads(self.run_ctl("whoami", "-o", "json")[0])
        self.assertEqual((who["tenant"], who["principal"]), ("red\x1b", "unix uid 1000"))
        self.assertEqual(who["limits"]["max_filters"], 64)

    def test_nobody_is_an_error(self):
        self.serve(GetServerInfo=(fake.grpc.StatusCode.UNAUTHENTICATED, "who are you?"))
        self.run_ctl("whoami", expect=3)


if __name__ == "__main__":
    unittest.main()
