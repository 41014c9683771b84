# SPDX-License-Identifier: MIT
"""SIGHUP: what changed takes effect, what did not change is not disturbed, a bad file changes nothing."""
import hashlib
import json
import os
import threading

import grpc

import harness
from harness import pb

RED, BLUE, NEW = "token-of-red-0123456789", "token-of-blue-0123456789", "token-of-new-0123456789"


def sha256(token):
    return hashlib.sha256(token.encode()).hexdigest()


class Reload(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.spaces = {name: self.netns(name) for name in ("red", "blue", "more")}
        for name, ns in self.spaces.items():
            ns.sink(f'udp dport 9 log prefix "{name}" group 100\nudp dport 10 log group 200')
        self.tokens = os.path.join(self.folder, "tokens")
        self.write_tokens(BLUE)
        self.config = {"tenants": [
            {"name": "red", "identities": [{"token_sha256": sha256(RED)}],
             "sources": [self.source("red"), self.source("more")]},
            {"name": "blue", "identities": [{"token_sha256_file": self.tokens}],
             "sources": [self.source("blue")]},
            {"name": "operators", "admin": True, "identities": [{"unix_uid": 0}]},
        ]}

    def source(self, name, groups=(100,), **settings):
        return dict({"netns": self.spaces[name].name, "groups": list(groups)}, **settings)

    def write_tokens(self, *tokens):
        with open(self.tokens, "w") as f:
            f.write("# tenant blue\n" + "".join(sha256(token) + "\n" for token in tokens))
        os.chmod(self.tokens, 0o644)

    def send(self, name, count=1, port=9):
        self.spaces[name].send_udp("10.99.0.7", port, count=count)

    def test_a_bad_file_changes_nothing(self):
        daemon = self.daemon(config=self.config)
        stream = self.subscribe(daemon, token=RED)
        bad = json.loads(json.dumps(self.config))
        bad["tenants"][0]["colour"] = "red"
        log = daemon.reload(bad)
        self.assertIn("config.kept", log)
        self.assertRegex(log, r"nflogd\.yaml:\d+:\d+: .*colour")
        self.send("red", 3)
        stream.wait_packets(3)
        self.assertEqual(stream.events, [])

    def test_the_same_file_again_is_not_noticed(self):
        daemon = self.daemon(config=self.config)
        streams = [self.subscribe(daemon, token=token) for token in (RED, BLUE, None)]
        before = self.stub(daemon).GetServerInfo(pb.GetServerInfoRequest()).config_load_time
        for _ in range(3):
            self.assertIn("config.reloaded", daemon.reload())
        self.send("red", 5)
        self.send("blue", 5)
        for stream, count in zip(streams, (5, 5, 10)):
            stream.wait_packets(count)
            self.assertEqual((stream.events, stream.lost()), ([], 0))
        after = self.stub(daemon).GetServerInfo(pb.GetServerInfoRequest()).config_load_time
        self.assertGreater(after.ToNanoseconds(), before.ToNanoseconds())

    def test_a_grant_that_is_added_reaches_streams_that_want_all(self):
        daemon = self.daemon(config=self.config)
        everything = self.subscribe(daemon, token=BLUE)
        named = self.subscribe(daemon, token=BLUE, netns=[self.spaces["blue"].name])
        self.config["tenants"][1]["sources"].append(self.source("red", copy_bytes=20))
        self.assertIn("config.reloaded", daemon.reload(self.config))
        everything.wait("the source is announced", lambda: any(
            event.source_event.source.netns == self.spaces["red"].name
            for event in everything.events))
        self.send("red", 4)
        self.send("blue", 2)
        everything.wait_packets(6)
        named.wait_packets(2)
        self.assertEqual([p.prefix for p in named.packets], ["blue"] * 2)
        self.assertEqual(named.events, [])

    def test_a_revoked_source_ends_at_once_with_all_that_is_queued(self):
        count = 50_000
        daemon = self.daemon(config=self.config)
        channel = daemon.channel()
        self.addCleanup(channel.close)
        call = harness.rpc.NflogServiceStub(channel).Subscribe(
            pb.SubscribeRequest(netns=[self.spaces["more"].name], follow=True, view=pb.PACKET_VIEW_FULL,
                                batch=pb.BatchPolicy(max_packets=16)), metadata=harness.bearer(RED))
        self.addCleanup(call.cancel)
        self.assertTrue(next(call).HasField("started"))  # and reads no more: what comes queues up
        other = self.subscribe(daemon, token=BLUE)
        self.spaces["more"].generate(count, size=1000)
        self.send("blue", 3)
        other.wait_packets(3)
        del self.config["tenants"][0]["sources"][1]
        self.assertIn("config.reloaded", daemon.reload(self.config))
        received = 0
        with self.assertRaises(grpc.RpcError) as ended:
            for response in call:
                received += len(response.batch.packets)
        self.assertEqual(ended.exception.code(), grpc.StatusCode.PERMISSION_DENIED)
        # What was in flight before may arrive (flow control: some MiB); what was queued does not.
        self.assertLess(received, count // 2)
        self.send("blue", 3)
        other.wait_packets(6)
        self.assertEqual(other.events, [])

    def test_a_source_leaves_a_stream_that_wants_all(self):
        daemon = self.daemon(config=self.config)
        stream = self.subscribe(daemon, token=RED)
        admin = self.subscribe(daemon)
        self.config["tenants"][0]["sources"][1] = self.source("red", groups=(200,))
        self.config["tenants"][2]["sources"] = [self.source("more")]  # is still read
        self.assertIn("config.reloaded", daemon.reload(self.config))
        self.send("more", 3)
        admin.wait_packets(3)
        self.send("red", 2)
        stream.wait_packets(2)
        stream.wait("the new group joins", lambda: any(
            event.source_event.source.group == 200
            and event.source_event.source.state == pb.SOURCE_STATE_LISTENING
            for event in stream.events if event.WhichOneof("event") == "source_event"))
        self.send("red", 1, port=10)
        stream.wait_packets(3)
        self.assertEqual({p.prefix for p in stream.packets[:2]}, {"red"})

    def test_tokens_are_read_again(self):
        daemon = self.daemon(config=self.config)
        stub = self.stub(daemon)

        def tenant(token):
            try:
                return stub.GetServerInfo(pb.GetServerInfoRequest(),
                                          metadata=harness.bearer(token)).tenant
            except grpc.RpcError as error:
                return error.code()
        old = self.subscribe(daemon, token=BLUE)
        self.assertEqual(tenant(NEW), grpc.StatusCode.UNAUTHENTICATED)
        self.write_tokens(BLUE, NEW)
        daemon.reload()
        self.assertEqual((tenant(BLUE), tenant(NEW)), ("blue", "blue"))
        self.send("blue")
        old.wait_packets(1)
        self.write_tokens(NEW)
        daemon.reload()
        self.assertEqual(tenant(BLUE), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(old.wait_end(), grpc.StatusCode.PERMISSION_DENIED)

    def test_settings_of_a_group_change_without_a_loss(self):
        count = 20_000
        daemon = self.daemon(config=self.config)
        stream = self.subscribe(daemon, token=BLUE, view=pb.PACKET_VIEW_FULL)
        self.send("blue")
        stream.wait_packets(1)
        sender = threading.Thread(target=self.spaces["blue"].generate, args=(count,),
                                  kwargs={"rate": 5000, "size": 100})
        sender.start()
        for size, seen in ((40, 40), (60, 60), (0, 128), (30, 30)):
            self.config["tenants"][1]["sources"] = [self.source("blue", copy_bytes=size)]
            self.assertIn("config.reloaded", daemon.reload(self.config))
            stream.wait(f"packets of {seen} bytes",
                        lambda seen=seen: len(stream.packets[-1].payload) == seen)
        sender.join()
        stream.wait_packets(count + 1)
        self.assertEqual((len(stream.packets), stream.lost()), (count + 1, 0))
        self.assert_no_gap(stream.packets)
        self.send("blue")
        stream.wait_packets(count + 2)
        self.assertEqual(len(stream.packets[-1].payload), 30)

    def test_the_filter_of_a_tenant_changes_under_a_running_stream(self):
        daemon = self.daemon(config=self.config)
        self.config["tenants"][1]["sources"] = [self.source("blue", groups=(100, 200))]
        self.assertIn("config.reloaded", daemon.reload(self.config))
        stream = self.subscribe(daemon, token=BLUE, heartbeat_interval={"nanos": 100_000_000})
        self.send("blue", 2, port=10)
        stream.wait_packets(2)
        self.config["tenants"][1]["filter"] = {"exclude": [{"destination_port": 10}]}
        self.assertIn("config.reloaded", daemon.reload(self.config))
        self.send("blue", 3, port=10)
        self.send("blue", 1)
        stream.wait_packets(3)
        self.assertEqual([p.decoded.destination_port for p in stream.packets], [10, 10, 9])
        stream.wait("what was held back is counted", lambda: any(
            event.heartbeat.packets_filtered == 3 for event in stream.events
            if event.WhichOneof("event") == "heartbeat"))
        del self.config["tenants"][1]["filter"]
        self.assertIn("config.reloaded", daemon.reload(self.config))
        self.send("blue", 1, port=10)
        stream.wait_packets(4)
        self.assertEqual(stream.lost(), 0)

    def test_a_new_tenant_and_a_namespace_that_was_not_read_before(self):
        del self.config["tenants"][0]["sources"][1]
        daemon = self.daemon(config=self.config)
        blue = self.subscribe(daemon, token=BLUE)
        self.config["tenants"].append({
            "name": "new", "identities": [{"token_sha256": sha256(NEW)}],
            "sources": [self.source("more")]})
        self.assertIn("config.reloaded", daemon.reload(self.config))

        def listens():
            sources = self.stub(daemon).ListSources(pb.ListSourcesRequest(),
                                                    metadata=harness.bearer(NEW)).sources
            return [s.state for s in sources] == [pb.SOURCE_STATE_LISTENING]
        harness.wait_until("the new namespace is read", listens)
        new = self.subscribe(daemon, token=NEW)
        self.send("more", 3)
        new.wait_packets(3)
        self.send("blue", 1)
        blue.wait_packets(1)
        self.assertEqual(blue.events, [])

    def test_limits_that_need_a_restart_are_said(self):
        daemon = self.daemon(config=self.config)
        self.config["history"] = {"bytes_per_source": "4M"}
        log = daemon.reload(self.config)
        self.assertIn("config.reloaded", log)
        self.assertRegex(log, r"config\.later .*key=history")


if __name__ == "__main__":
    harness.main()
