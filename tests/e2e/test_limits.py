# SPDX-License-Identifier: MIT
"""What a tenant's limits and a subscriber's terms do to real traffic: bounded, and counted."""
import os
import signal
import socket

import grpc

import harness
from harness import pb

COUNT = 30_000


class Limits(harness.RealTest):
    def serve(self, names=("red",), history=None, **limits):
        self.spaces = [self.netns(name) for name in names]
        for ns in self.spaces:
            ns.sink('udp dport 9 log prefix "limit" group 100')
        return self.daemon(config={
            **({"history": history} if history else {}),
            "tenants": [{"name": "test", "identities": [{"unix_uid": os.getuid()}],
                         "limits": limits,
                         "sources": [{"netns": ns.name, "groups": [100]} for ns in self.spaces]}]})

    def received(self, daemon, count):
        stub = self.stub(daemon)

        def sources():
            stats = stub.GetStats(pb.GetStatsRequest()).sources
            seen = sum(s.packets_received + s.packets_lost_kernel for s in stats)
            return stats if seen >= count else None
        return harness.wait_until(f"{count} packets are in", sources)

    def test_history_of_a_tenant_stays_within_its_bytes(self):
        daemon = self.serve(("red", "blue"), history_bytes="512K")
        for ns in self.spaces:
            ns.generate(COUNT, rate=COUNT)
        sources = self.received(daemon, 2 * COUNT)
        block = 64 * 1024  # the one that each source writes to is always kept
        self.assertLessEqual(sum(s.ring_used_bytes for s in sources),
                             512 * 1024 + len(self.spaces) * block)
        stream = self.subscribe(daemon, start=pb.StartPosition(oldest=True), follow=False)
        self.assertEqual(stream.wait_end(), grpc.StatusCode.OK)
        self.assertEqual(len(stream.packets), sum(s.ring_packets for s in sources))
        self.assert_no_gap(stream.packets)

    def test_what_comes_faster_than_allowed_is_counted(self):
        daemon = self.serve(packets_per_second=1000)
        stream = self.subscribe(daemon)
        self.spaces[0].generate(COUNT, rate=20_000)
        stream.wait_accounted(COUNT)
        self.assertEqual(len(stream.packets) + stream.lost(), COUNT)
        self.assertEqual({loss.stage for loss in stream.losses}, {pb.LOSS_STAGE_RATE_LIMIT})
        self.assertGreaterEqual(len(stream.packets), 1000)  # the burst of a second

    def test_a_client_that_takes_nothing_is_ended_and_comes_back_without_a_gap(self):
        daemon = self.serve(stall_timeout_ms=500)
        ctl = self.start_nflogctl(daemon, "subscribe", "--quiet", "--view", "full")
        stub = self.stub(daemon)
        ctl.send_signal(signal.SIGSTOP)
        generated = 0
        while stub.GetStats(pb.GetStatsRequest()).subscriptions:
            generated += self.spaces[0].generate(COUNT)
            self.assertLess(generated, 200 * COUNT, "a stopped client was never ended")
        ctl.send_signal(signal.SIGCONT)
        self.received(daemon, generated)
        generated += self.spaces[0].generate(1)  # settles a loss behind the last packet
        stats = self.received(daemon, generated)[0]
        last = stats.packets_received

        def is_back():
            subscriptions = stub.GetStats(pb.GetStatsRequest()).subscriptions
            return subscriptions and not subscriptions[0].lag_bytes
        harness.wait_until("it is back, and has read all there is", is_back)
        ctl.send_signal(signal.SIGINT)
        _, err = ctl.communicate(timeout=harness.PATIENCE_S)
        self.assertIn("stall timeout", daemon.read_log())
        packets, lost = harness.summary(err)
        self.assertEqual(packets + lost, generated)
        self.assertLessEqual(packets, last)

    def test_a_slow_client_that_wants_to_be_told_is_disconnected(self):
        daemon = self.serve(history={"bytes_per_source": "256K", "bytes_total": "1M"})
        ctl = self.start_nflogctl(daemon, "subscribe", "--view", "full", "-o", "json", "--slow",
                                  "disconnect")
        stub = self.stub(daemon)
        generated = 0
        while stub.GetStats(pb.GetStatsRequest()).subscriptions:  # nobody reads its output
            generated += self.spaces[0].generate(COUNT)
            self.assertLess(generated, 200 * COUNT, "a slow client was never disconnected")
        out, err = ctl.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(ctl.returncode, 1)
        self.assertIn(b"slow consumer", err)
        self.assertGreater(out.count(b"\n"), 0)

    def test_strict_resume_fails_where_packets_are_gone(self):
        daemon = self.serve(history={"bytes_per_source": "256K", "bytes_total": "1M"})
        place = os.path.join(self.folder, "place")
        self.spaces[0].generate(10)
        self.received(daemon, 10)
        self.nflogctl(daemon, "subscribe", "--quiet", "--all", "--count", "10",
                      "--resume-file", place)
        self.spaces[0].generate(COUNT, rate=COUNT)
        self.received(daemon, COUNT + 10)
        _, err = self.nflogctl(daemon, "subscribe", "--quiet", "--count", "1", "--strict-resume",
                               "--resume-file", place, expect=1)
        self.assertIn(b"OUT_OF_RANGE", err)
        out, err = self.nflogctl(daemon, "subscribe", "-o", "json", "--count", "1",
                                 "--resume-file", place)
        first, loss = None, 0
        for line in out.splitlines():
            item = harness.json.loads(line)
            if item.get("type") == "loss":
                loss += item["count"]
            elif "type" not in item:
                first = item["sequence"]
        self.assertEqual(first, 10 + loss + 1)
        self.assertGreater(loss, 0)


class OfTheServer(harness.RealTest):
    """The configuration's `limits` at its top, whoever the client is."""

    def serve(self, tenant=None, **limits):
        ns = self.netns("red")
        ns.sink('udp dport 9 log prefix "limit" group 100')
        self.red = ns
        return self.daemon(config={"limits": limits, "tenants": [{
            "name": "test", "identities": [{"unix_uid": os.getuid()}], "limits": tenant or {},
            "sources": [{"netns": ns.name, "groups": [100]}]}]})

    def code_of(self, daemon, request, **options):
        with self.assertRaises(grpc.RpcError) as caught:
            next(self.stub(daemon).Subscribe(request, **options))
        return caught.exception.code()

    def raw(self, daemon):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.connect(daemon.socket)
        peer.settimeout(harness.PATIENCE_S)
        return peer

    def read_to_end(self, peer):
        try:
            while peer.recv(65536):
                pass
        except ConnectionResetError:
            pass

    def test_requests_that_are_too_long_are_refused(self):
        daemon = self.serve(request_bytes="16K")
        for size, code in ((10_000, grpc.StatusCode.INVALID_ARGUMENT),  # is looked at
                           (20_000, grpc.StatusCode.RESOURCE_EXHAUSTED)):
            start = pb.StartPosition(resume_token=b"x" * size)
            self.assertEqual(self.code_of(daemon, pb.SubscribeRequest(start=start)), code)

    def test_headers_that_are_too_long_are_refused(self):
        daemon = self.serve(header_bytes="1K")
        request = pb.SubscribeRequest()
        self.assertTrue(next(self.stub(daemon).Subscribe(
            request, metadata=[("x-note", "x" * 100)])).HasField("started"))
        self.assertEqual(self.code_of(daemon, request, metadata=[("x-note", "x" * 3000)]),
                         grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_streams_of_one_connection_are_bounded(self):
        daemon = self.serve(streams_per_connection=2)
        channel = daemon.channel()
        self.addCleanup(channel.close)
        for _ in range(2):
            stream = harness.Stream(channel)
            self.addCleanup(stream.cancel)
        with self.assertRaises(grpc.RpcError) as caught:  # the client waits for its turn
            harness.rpc.NflogServiceStub(channel).GetServerInfo(pb.GetServerInfoRequest(), timeout=1)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.nflogctl(daemon, "status")  # another connection is served

    def test_connections_of_one_user_are_bounded(self):
        daemon = self.serve(connections_per_user=3)
        kept = [self.raw(daemon) for _ in range(3)]
        self.read_to_end(self.raw(daemon))  # one too many
        kept[0].close()

        def answers():
            try:
                return self.stub(daemon).GetServerInfo(pb.GetServerInfoRequest())
            except grpc.RpcError:
                return None
        harness.wait_until("one that ends makes room", answers)

    def test_a_connection_without_calls_is_closed(self):
        daemon = self.serve(idle_timeout_ms=1000)
        peer = self.raw(daemon)
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        self.read_to_end(peer)
        self.stub(daemon).GetServerInfo(pb.GetServerInfoRequest())

    def test_a_tenant_of_basic_view_gets_no_payload(self):
        daemon = self.serve(tenant={"view": "basic"})
        stream = self.subscribe(daemon, view=pb.PACKET_VIEW_FULL)
        self.assertEqual(stream.started.view, pb.PACKET_VIEW_BASIC)
        self.red.send_udp("10.99.0.7", 9)
        packet = stream.wait_packets(1)[0]
        self.assertEqual((packet.payload, packet.decoded.destination_port), (b"", 9))


if __name__ == "__main__":
    harness.main()
