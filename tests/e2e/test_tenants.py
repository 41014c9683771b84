# SPDX-License-Identifier: MIT
"""Tenants see what is granted to them and nothing else, in every call, whoever they prove to be.

Clients are told apart by bearer tokens over the unix socket, and by users and groups with setpriv.
"""
import hashlib
import os
import subprocess

import grpc

import harness
from harness import pb

TOKENS = {name: f"token-of-{name}-0123456789" for name in ("red", "blue", "nobody")}
OK, DENIED, MISSING, UNKNOWN = (grpc.StatusCode.OK, grpc.StatusCode.PERMISSION_DENIED,
                                grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAUTHENTICATED)


def token_identity(name):
    return {"token_sha256": hashlib.sha256(TOKENS[name].encode()).hexdigest()}


class Tenants(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.spaces = {name: self.netns(name) for name in ("red", "blue", "shared")}
        for name, ns in self.spaces.items():
            ns.sink(f'udp dport 9 log prefix "{name}" group 100\nudp dport 10 log group 200')
        self.config = {"tenants": [
            {"name": "red", "identities": [token_identity("red")], "limits": {"subscriptions": 2},
             "sources": [{"netns": self.spaces["red"].name, "groups": [100]},
                         {"netns": self.spaces["red"].name + "-*", "groups": [100]},
                         {"netns": self.spaces["shared"].name, "groups": [100], "copy_bytes": 20}]},
            {"name": "blue", "identities": [token_identity("blue")],
             "sources": [{"netns": self.spaces["blue"].name, "groups": [100, 200]},
                         {"netns": self.spaces["shared"].name, "groups": [100]}]},
            {"name": "operators", "admin": True, "identities": [{"unix_uid": 0}]},
        ]}

    def start(self):
        self.serving = self.daemon(config=self.config)
        self.calls = self.stub(self.serving)

    def code_and_text(self, call, *args, **kwargs):
        try:
            answer = call(*args, **kwargs)
            if hasattr(answer, "cancel"):  # a stream: the first event tells
                next(answer)
                answer.cancel()
            return OK, ""
        except grpc.RpcError as error:
            return error.code(), error.details()

    def answers(self, tenant, netns, groups=()):
        """Of each RPC that takes a namespace."""
        metadata = harness.bearer(TOKENS.get(tenant))
        calls = [(self.calls.Subscribe, pb.SubscribeRequest(netns=[netns], groups=groups))]
        if not groups:
            calls += [(self.calls.ListSources, pb.ListSourcesRequest(netns=[netns])),
                      (self.calls.GetStats, pb.GetStatsRequest(netns=[netns]))]
        return [self.code_and_text(call, request, metadata=metadata) for call, request in calls]

    def test_matrix_of_tenant_call_and_source(self):
        self.start()
        name = {key: ns.name for key, ns in self.spaces.items()}
        inside, outside = name["red"] + "-later", "no-such-netns"
        expected = {
            ("red", name["red"]): OK, ("red", name["shared"]): OK, ("red", name["blue"]): DENIED,
            ("red", outside): DENIED, ("red", inside): MISSING,
            ("blue", name["red"]): DENIED, ("blue", name["shared"]): OK, ("blue", name["blue"]): OK,
            ("blue", outside): DENIED, ("blue", inside): DENIED,
            ("operators", name["red"]): OK, ("operators", name["blue"]): OK,
            ("operators", outside): MISSING,
            ("nobody", name["red"]): UNKNOWN, ("nobody", outside): UNKNOWN,
        }
        for (tenant, netns), code in expected.items():
            for answer in self.answers(tenant, netns):
                self.assertEqual(answer[0], code, (tenant, netns, answer))

    def test_what_is_not_granted_looks_like_what_does_not_exist(self):
        self.start()
        foreign = self.answers("red", self.spaces["blue"].name)
        absent = self.answers("red", "no-such-netns")
        self.assertEqual(foreign, absent)
        self.assertNotIn(self.spaces["blue"].name, foreign[0][1])
        # A group of one's own namespace that only another tenant reads, and one that nobody does.
        self.assertEqual(self.answers("red", self.spaces["red"].name, groups=[200]),
                         self.answers("red", self.spaces["red"].name, groups=[201]))

    def test_denial_comes_before_validation(self):
        self.start()
        bad = pb.SubscribeRequest(netns=[self.spaces["blue"].name], client_label="x" * 1000)
        code, _ = self.code_and_text(self.calls.Subscribe, bad, metadata=harness.bearer(TOKENS["red"]))
        self.assertEqual(code, DENIED)
        bad.netns[:] = [self.spaces["red"].name]
        code, text = self.code_and_text(self.calls.Subscribe, bad,
                                        metadata=harness.bearer(TOKENS["red"]))
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("client_label", text)

    def test_lists_have_what_is_granted(self):
        self.start()
        for tenant, keys in (("red", ["red", "shared"]), ("blue", ["blue", "shared"]),
                             (None, ["blue", "red", "shared"])):
            metadata = harness.bearer(TOKENS.get(tenant))
            names = sorted(self.spaces[key].name for key in keys)
            listed = self.calls.ListNetns(pb.ListNetnsRequest(), metadata=metadata).netns
            self.assertEqual([netns.name for netns in listed], names)
            sources = self.calls.ListSources(pb.ListSourcesRequest(), metadata=metadata).sources
            self.assertEqual(sorted({source.netns for source in sources}), names)
            stats = self.calls.GetStats(pb.GetStatsRequest(), metadata=metadata).sources
            self.assertEqual(sorted({stat.source.netns for stat in stats}), names)

    def test_server_info_tells_who_one_is(self):
        self.start()
        for token, tenant in (("red", "red"), ("blue", "blue"), (None, "operators")):
            info = self.calls.GetServerInfo(pb.GetServerInfoRequest(),
                                            metadata=harness.bearer(TOKENS.get(token)))
            self.assertEqual(info.tenant, tenant)
            self.assertNotIn(TOKENS.get(token, "?"), info.principal)
        self.assertEqual(self.calls.GetServerInfo(
            pb.GetServerInfoRequest(), metadata=harness.bearer(TOKENS["red"])
        ).limits.max_subscriptions, 2)

    def test_streams_carry_only_what_is_granted_and_as_much_of_it(self):
        self.start()
        red = self.subscribe(self.serving, token=TOKENS["red"], view=pb.PACKET_VIEW_FULL)
        blue = self.subscribe(self.serving, token=TOKENS["blue"], view=pb.PACKET_VIEW_FULL)
        for ns in self.spaces.values():
            ns.send_udp("10.99.0.7", 9, count=3)
        red.wait_packets(6)
        blue.wait_packets(6)
        self.assertEqual({red.sources[p.source_id].netns for p in red.packets},
                         {self.spaces["red"].name, self.spaces["shared"].name})
        self.assertEqual({blue.sources[p.source_id].netns for p in blue.packets},
                         {self.spaces["blue"].name, self.spaces["shared"].name})
        capped = [p for p in red.packets if p.prefix == "shared"]
        whole = [p for p in blue.packets if p.prefix == "shared"]
        # 20 bytes are the IP header: what lies behind it is not known to red, as with a group of its own.
        for packet in capped:
            self.assertEqual(len(packet.payload), 20)
            self.assertFalse(packet.decoded.HasField("destination_port"))
            self.assertEqual(packet.decoded.protocol, 17)
        for packet in whole:
            self.assertEqual(len(packet.payload), 20 + 8 + 5)
            self.assertEqual(packet.decoded.destination_port, 9)

    def test_subscriptions_are_counted_for_each_tenant_and_shown_to_it(self):
        self.start()
        mine = [self.subscribe(self.serving, token=TOKENS["red"]) for _ in range(2)]
        self.subscribe(self.serving, token=TOKENS["blue"], client_label="blue's")
        code, _ = self.code_and_text(self.calls.Subscribe, pb.SubscribeRequest(),
                                     metadata=harness.bearer(TOKENS["red"]))
        self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED)
        stats = self.calls.GetStats(pb.GetStatsRequest(), metadata=harness.bearer(TOKENS["red"]))
        self.assertEqual({s.subscription_id for s in stats.subscriptions},
                         {stream.started.subscription_id for stream in mine})
        self.assertEqual(len(self.calls.GetStats(pb.GetStatsRequest()).subscriptions), 3)

    def test_users_and_groups_of_the_unix_socket(self):
        self.config["listen"] = [{"unix": os.path.join(self.folder, "socket"), "mode": "0666"}]
        self.config["tenants"][0]["identities"] = [{"unix_user": "daemon"}, {"unix_uid": 54321}]
        self.config["tenants"][1]["identities"] = [{"unix_group": "games"}]
        self.start()
        games = "60"  # of Debian's base-passwd, as `daemon` is
        for options, tenant in ((["--reuid", "daemon", "--regid", "daemon", "--clear-groups"], "red"),
                                (["--reuid", "54321", "--regid", "54321", "--clear-groups"], "red"),
                                (["--reuid", "54322", "--regid", games, "--clear-groups"], "blue"),
                                (["--reuid", "54322", "--regid", "54322", "--groups", games], "blue"),
                                (["--reuid", "54322", "--regid", "54322", "--clear-groups"], None)):
            done = subprocess.run(["setpriv", *options, os.path.join(harness.BIN, "nflogctl"),
                                   "--server", f"unix:{self.config['listen'][0]['unix']}", "status"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=harness.PATIENCE_S)
            if tenant:
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(tenant.encode(), done.stdout)
            else:
                self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_flood_in_one_namespace_loses_nothing_of_another(self):
        count = 10_000
        self.start()
        red = self.subscribe(self.serving, token=TOKENS["red"], netns=[self.spaces["red"].name])
        flood = subprocess.Popen([os.path.join(harness.BIN, "nflog_gen"), "--netns",
                                  self.spaces["blue"].name, "--count", "1000000", "--size", "100"],
                                 stdout=subprocess.PIPE)
        self.addCleanup(self._end_process, flood)
        self.spaces["red"].generate(count, rate=2000)
        red.wait_packets(count)
        self.assertEqual((len(red.packets), red.lost()), (count, 0))
        self.assert_no_gap(red.packets)

    def test_what_a_tenant_sends_to_the_listener_is_dropped_and_counted(self):
        """A process with rights inside the namespace knows the port id that reads the group."""
        forged = 50
        self.start()
        red = self.subscribe(self.serving, token=TOKENS["red"], netns=[self.spaces["red"].name])
        sent = self.spaces["red"].python(
            "import socket, struct\n"
            "line = next(l.split() for l in open('/proc/net/netfilter/nfnetlink_log')\n"
            "            if l.split()[0] == '100')\n"
            "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)\n"
            "prefix = struct.pack('HH', 4 + 7, 10) + b'forged\\0\\0'\n"
            "body = struct.pack('!BBH', 2, 0, 100) + prefix\n"
            "packet = struct.pack('IHHII', 16 + len(body), 0x400, 0, 0, 0) + body\n"
            f"for i in range({forged}):\n"
            "    s.sendto(packet if i % 2 else b'x' * 100, (int(line[1]), 0))\n"
            "print(line[1])\n")
        self.assertGreater(int(sent), 0)
        self.spaces["red"].send_udp("10.99.0.7", 9, count=5)
        red.wait_packets(5)
        self.assertEqual([p.prefix for p in red.packets], ["red"] * 5)
        self.assertEqual(red.lost(), 0)

        def foreign():
            return sum(s.datagrams_foreign for s in self.calls.GetStats(pb.GetStatsRequest()).sources)
        harness.wait_until("the forged datagrams are counted", lambda: foreign() == forged)


if __name__ == "__main__":
    harness.main()
