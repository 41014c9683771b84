# SPDX-License-Identifier: MIT
"""The stream as a Python client with generated stubs sees it, from real logged packets."""
import ipaddress
import os
import socket
import struct
import time

import grpc

import harness
from harness import pb


def address(packed):
    return str(ipaddress.ip_address(packed))


class Stream(harness.RealTest):
    def test_started_comes_first_and_names_the_sources_where_no_packet_ever_comes(self):
        red = self.netns("red")
        daemon = self.daemon_for((red, [100, "110-111"], {}))
        stream = self.subscribe(daemon)
        self.assertEqual(stream.order, ["started"])
        self.assertEqual([(s.netns, s.group) for s in stream.started.sources],
                         [(red.name, 100), (red.name, 110), (red.name, 111)])
        self.assertEqual({s.state for s in stream.started.sources}, {pb.SOURCE_STATE_LISTENING})
        self.assertTrue(stream.started.subscription_id)
        self.assertTrue(stream.started.server_epoch)
        self.assertEqual(stream.started.view, pb.PACKET_VIEW_BASIC)

    def test_ipv4_and_ipv6_packets_arrive_decoded(self):
        red = self.netns("red")
        red.sink('udp dport 5001 log prefix "v4 and v6" group 100')
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon, view=pb.PACKET_VIEW_FULL)
        before = time.time()
        red.send_udp("10.99.0.7", 5001, b"hello")
        red.send_udp("fd99::7", 5001, b"hello")
        four, six = stream.wait_packets(2)
        self.assertEqual((four.sequence, six.sequence), (1, 2))
        self.assertEqual((four.family, six.family), (pb.FAMILY_IPV4, pb.FAMILY_IPV6))
        self.assertEqual(address(four.decoded.destination_address), "10.99.0.7")
        self.assertEqual(address(six.decoded.destination_address), "fd99::7")
        for packet in four, six:
            self.assertEqual(packet.prefix, "v4 and v6")
            self.assertEqual(packet.hook, pb.HOOK_OUTPUT)
            self.assertEqual(packet.decoded.protocol, socket.IPPROTO_UDP)
            self.assertEqual(packet.decoded.destination_port, 5001)
            self.assertTrue(packet.payload.endswith(b"hello"))
            self.assertEqual(packet.output.name, "lo")
            self.assertFalse(packet.HasField("packet_time"), "the kernel gives none on OUTPUT")
            received = packet.receive_time.seconds + packet.receive_time.nanos / 1e9
            self.assertLessEqual(abs(received - before), 60)
            self.assertEqual((packet.uid, packet.gid), (0, 0))
            self.assertTrue(packet.HasField("uid"))
            self.assertEqual(packet.original_length, len(packet.payload))

    def test_basic_view_has_no_payload_and_raw_view_decodes_nothing(self):
        red = self.netns("red")
        red.sink('udp dport 5001 log prefix "x" group 100')
        daemon = self.daemon_for((red, [100], {}))
        basic = self.subscribe(daemon)
        full = self.subscribe(daemon, view=pb.PACKET_VIEW_FULL, payload_limit=20)
        raw = self.subscribe(daemon, view=pb.PACKET_VIEW_RAW)
        red.send_udp("10.99.0.7", 5001, b"hello")
        packet = basic.wait_packets(1)[0]
        self.assertEqual(packet.payload, b"")
        self.assertEqual(packet.decoded.destination_port, 5001)
        self.assertEqual(packet.original_length, 33)
        packet = full.wait_packets(1)[0]
        self.assertEqual(len(packet.payload), 20)
        self.assertEqual(packet.original_length, 33)
        packet = raw.wait_packets(1)[0]
        self.assertFalse(packet.HasField("decoded"))
        self.assertEqual(len(packet.payload), 33)

    def test_uid_and_gid_of_the_sender_arrive(self):
        red = self.netns("red")
        red.sink('udp dport 5001 log group 100')
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon)
        red.python("import os, socket\n"
                   "os.setgid(12345)\nos.setuid(54321)\n"
                   "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('10.99.0.7', 5001))\n")
        packet = stream.wait_packets(1)[0]
        self.assertEqual((packet.uid, packet.gid), (54321, 12345))

    def test_mark_arrives_and_its_absence_is_zero(self):
        red = self.netns("red")
        red.sink('udp dport 5001 meta mark set 0xcafe0001\nudp dport 5001-5002 log group 100')
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon)
        red.send_udp("10.99.0.7", 5001)
        red.send_udp("10.99.0.7", 5002)
        self.assertEqual([p.mark for p in stream.wait_packets(2)], [0xcafe0001, 0])

    def test_hostile_prefix_arrives_repaired_with_its_own_bytes_and_harmless_on_a_terminal(self):
        red = self.netns("red")
        prefix = b"a\x01\x1b[31m\xff\x80%s%n\tb"
        red.sink("")
        red.nft(b'table ip hostile { chain out { type filter hook output priority 0;\n'
                b'udp dport 5001 log prefix "' + prefix + b'" group 100\n}\n}\n')
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon)
        ctl = self.start_nflogctl(daemon, "subscribe", "--count", "1")
        red.send_udp("10.99.0.7", 5001)
        packet = stream.wait_packets(1)[0]
        self.assertEqual(packet.prefix, "a\x01\x1b[31m\ufffd\ufffd%s%n\tb")
        self.assertEqual(packet.prefix_raw, prefix)
        out, _ = ctl.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(ctl.returncode, 0)
        self.assertTrue(out.decode().rstrip("\n").isprintable(), out)
        self.assertIn(b"%s%n", out)

    def test_filters_by_netns_and_group(self):
        red, blue = self.netns("red"), self.netns("blue")
        for ns in red, blue:
            ns.sink('udp dport 5001 log prefix "one" group 1\nudp dport 5002 log prefix "two" group 2')
        daemon = self.daemon_for((red, [1, 2], {}), (blue, [1, 2], {}))
        everything = self.subscribe(daemon)
        only_red = self.subscribe(daemon, netns=[red.name])
        only_two = self.subscribe(daemon, groups=[2])
        blue_one = self.subscribe(daemon, netns=[blue.name], groups=[1])
        for ns in red, blue:
            ns.send_udp("10.99.0.7", 5001)
            ns.send_udp("10.99.0.7", 5002)

        def seen(stream, count):
            return sorted((stream.sources[p.source_id].netns, p.prefix)
                          for p in stream.wait_packets(count))
        self.assertEqual(seen(everything, 4), sorted((ns.name, p) for ns in (red, blue)
                                                     for p in ("one", "two")))
        self.assertEqual(seen(only_red, 2), [(red.name, "one"), (red.name, "two")])
        self.assertEqual(seen(only_two, 2), sorted([(red.name, "two"), (blue.name, "two")]))
        self.assertEqual(seen(blue_one, 1), [(blue.name, "one")])

    def test_copy_modes_bound_the_payload(self):
        for copy, settings, length in (("packet", {}, 128), ("packet", {"copy_bytes": 40}, 40),
                                       ("meta", {"copy": "meta"}, 0), ("none", {"copy": "none"}, 0)):
            with self.subTest(mode=copy, length=length):
                red = self.netns(f"red{length}{copy}")
                red.sink('udp dport 5001 log group 100')
                daemon = self.daemon_for((red, [100], settings))
                stream = self.subscribe(daemon, view=pb.PACKET_VIEW_FULL)
                red.send_udp("10.99.0.7", 5001, b"x" * 100)
                packet = stream.wait_packets(1)[0]
                self.assertEqual(len(packet.payload), length)

    def test_heartbeat_comes_on_a_silent_stream(self):
        red = self.netns("red")
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon, heartbeat_interval={"nanos": 200_000_000})
        stream.wait("two heartbeats", lambda: stream.order.count("heartbeat") >= 2)
        self.assertEqual(stream.events[0].heartbeat.packets_sent, 0)

    def test_max_packets_ends_the_stream_with_ok(self):
        red = self.netns("red")
        red.sink('udp dport 9 log group 100')
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon, max_packets=7)
        red.generate(20)
        self.assertEqual(stream.wait_end(), grpc.StatusCode.OK)
        self.assertEqual(len(stream.packets), 7)
        self.assert_no_gap(stream.packets)

    def test_what_is_not_granted_is_denied(self):
        red = self.netns("red")
        daemon = self.daemon_for((red, [100], {}))
        for request in ({"netns": ["nosuch"]}, {"groups": [7]}):
            self.assertEqual(self._code_of(daemon, **request), grpc.StatusCode.PERMISSION_DENIED)

    def test_a_program_that_must_not_run_is_refused_by_name(self):
        red = self.netns("red")
        daemon = self.daemon_for((red, [100], {}))
        for field, value in (("include", [pb.PacketFilter(bpf=bytes(8))]),
                             ("exclude", [pb.PacketFilter(bpf=bytes(8))])):
            with self.subTest(field=field):
                with self.assertRaises(grpc.RpcError) as caught:
                    self._first(daemon, follow=True, **{field: value})
                self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
                self.assertIn(f"{field}[0].bpf: instruction 0: expected", caught.exception.details())

    def test_group_taken_by_another_socket_is_failed_and_says_by_whom(self):
        red = self.netns("red")
        first = self.daemon_for((red, [100], {}))
        second = self.daemon_for((red, [100, 101], {}))
        sources = {s.group: s for s in self.stub(second).ListSources(pb.ListSourcesRequest()).sources}
        self.assertEqual(sources[101].state, pb.SOURCE_STATE_LISTENING)
        self.assertEqual(sources[100].state, pb.SOURCE_STATE_FAILED)
        self.assertRegex(sources[100].detail, r"100.*port id \d+")
        self.assertEqual(self._code_of(second, groups=[100]), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertTrue(self.subscribe(first).started)

    def test_namespace_that_does_not_exist_is_waiting_and_the_others_go_on(self):
        red = self.netns("red")
        red.sink('udp dport 5001 log group 100')
        daemon = self.daemon(config={"tenants": [{
            "name": "t", "identities": [{"unix_uid": 0}],
            "sources": [{"netns": "nfl-nosuch", "groups": [100]},
                        {"netns": red.name, "groups": [100]}]}]})
        states = {s.netns: s.state
                  for s in self.stub(daemon).ListSources(pb.ListSourcesRequest()).sources}
        self.assertEqual(states, {"nfl-nosuch": pb.SOURCE_STATE_WAITING,
                                  red.name: pb.SOURCE_STATE_LISTENING})
        stream = self.subscribe(daemon)
        red.send_udp("10.99.0.7", 5001)
        stream.wait_packets(1)

    def test_adhoc_configuration_by_netns_and_group(self):
        red = self.netns("red")
        red.sink('udp dport 5001 log group 7')
        daemon = self.daemon(args=["--netns", red.name, "--group", "7"])
        stream = self.subscribe(daemon)
        red.send_udp("10.99.0.7", 5001)
        stream.wait_packets(1)

    def test_loopback_tcp_serves_the_same(self):
        red = self.netns("red")
        red.sink('udp dport 5001 log group 100')
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.daemon(args=["--netns", red.name, "--listen", f"127.0.0.1:{port}"])
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.addCleanup(channel.close)
        stream = harness.Stream(channel, netns=[red.name])
        self.addCleanup(stream.cancel)
        red.send_udp("10.99.0.7", 5001)
        stream.wait_packets(1)
        out = harness.run(os.path.join(harness.BIN, "nflogctl"), "--server", f"127.0.0.1:{port}",
                          "list", "netns")
        self.assertIn(red.name, out)

    def test_vlan_tag_and_link_layer_header_arrive(self):
        left, right = self.netns("left"), self.netns("right")
        harness.veth(left, "l0", ["10.71.1.1/24"], right, "r0", ["10.71.1.2/24"])
        right.nft('table netdev n { chain c { type filter hook ingress device "r0" priority 0;\n'
                  'vlan id 123 log prefix "vlan" group 100\n}\n}')
        daemon = self.daemon_for((right, [100], {}))
        stream = self.subscribe(daemon, view=pb.PACKET_VIEW_FULL)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20, 1, 0, 64, 59, 0,
                         socket.inet_aton("10.71.1.1"), socket.inet_aton("10.71.1.2"))
        frame = bytes.fromhex("ffffffffffff" "020000000001" "8100" "607b" "0800") + ip
        left.python("import socket, sys\n"
                    "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                    "s.bind(('l0', 0))\n"
                    f"s.send({frame!r})\n")
        packet = stream.wait_packets(1)[0]
        self.assertEqual(packet.family, pb.FAMILY_NETDEV)
        self.assertEqual(packet.hook, pb.HOOK_INGRESS)
        self.assertEqual((packet.vlan.protocol, packet.vlan.tci), (0x8100, 0x607b))
        self.assertEqual(packet.l2_header, bytes.fromhex("ffffffffffff0200000000010800"))
        self.assertEqual(packet.input.name, "r0")
        self.assertEqual(packet.decoded.protocol, 59)

    def _first(self, daemon, **request):
        channel = daemon.channel()
        self.addCleanup(channel.close)
        call = harness.rpc.NflogServiceStub(channel).Subscribe(pb.SubscribeRequest(**request))
        return next(iter(call))

    def _code_of(self, daemon, **request):
        with self.assertRaises(grpc.RpcError) as caught:
            self._first(daemon, follow=True, **request)
        for name in request.get("netns", []):
            self.assertNotIn(name, caught.exception.details())
        return caught.exception.code()


class Questions(harness.RealTest):
    def test_lists_statistics_and_server_info_agree_with_the_stream(self):
        red = self.netns("red")
        red.sink('udp dport 9 log group 100')
        daemon = self.daemon_for((red, [100], {}))
        stream = self.subscribe(daemon, client_label="e2e")
        stub = self.stub(daemon)
        red.generate(50)
        stream.wait_packets(50)
        stats = stub.GetStats(pb.GetStatsRequest())
        self.assertEqual([s.packets_received for s in stats.sources], [50])
        self.assertEqual(stats.sources[0].packets_lost_kernel, 0)
        self.assertGreater(stats.sources[0].ring_used_bytes, 0)
        mine = [s for s in stats.subscriptions if s.client_label == "e2e"]
        self.assertEqual([s.packets_sent for s in mine], [50])
        self.assertEqual(mine[0].subscription_id, stream.started.subscription_id)
        spaces = stub.ListNetns(pb.ListNetnsRequest()).netns
        self.assertEqual([(n.name, list(n.groups)) for n in spaces], [(red.name, [100])])
        self.assertEqual(spaces[0].inode, os.stat(f"/run/netns/{red.name}").st_ino)
        info = stub.GetServerInfo(pb.GetServerInfoRequest())
        self.assertEqual(info.server_epoch, stream.started.server_epoch)
        self.assertTrue(info.version)
        self.assertIn("uid", info.principal)


if __name__ == "__main__":
    harness.main()
