# SPDX-License-Identifier: MIT
"""The daemon's clock is set, forward and back, while packets flow: none is lost or repeated, streams and
their pace go on, and a time still names a place in the history."""
import mmap
import os
import struct
import time

import harness
from harness import pb

GROUP = 100
PACKETS = 3000  # of some slabs of the history
HOUR_S = 3600


class Clock(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink(f'udp dport 9 log prefix "clock" group {GROUP}')
        path = os.path.join(self.folder, "offset")
        with open(path, "w+b") as file:
            file.write(bytes(8))
            file.flush()
            self.offset = mmap.mmap(file.fileno(), 8)
        self.addCleanup(self.offset.close)
        self.under_test = self.daemon(
            config={"history": {"bytes_per_source": "8M", "bytes_total": "16M"},
                    "tenants": [{"name": "t", "identities": [{"unix_uid": os.getuid()}],
                                 "sources": [{"netns": self.ns.name, "groups": [GROUP]}]}]},
            environment={"LD_PRELOAD": os.path.join(harness.BIN, "clock_shim.so"),
                         "ASAN_OPTIONS": "verify_asan_link_order=0", "NFL_CLOCK_OFFSET": path})
        self.stream = self.subscribe(self.under_test, heartbeat_interval={"seconds": 1})

    def set_clock(self, ahead_s):
        self.offset[:] = struct.pack("=q", ahead_s * 10**9)

    def generate(self):
        """Packets that the stream gets; returns the sequence of the first of them."""
        before = len(self.stream.packets)
        self.ns.generate(PACKETS, rate=20000)
        self.stream.wait_packets(before + PACKETS)
        return self.stream.packets[before].sequence

    def history(self, **start):
        """Sequences of what is replayed from there."""
        stream = self.subscribe(self.under_test, start=pb.StartPosition(**start), follow=False)
        self.assertEqual(stream.wait_end(), harness.grpc.StatusCode.OK)
        self.assertEqual(stream.lost(), 0)
        return [packet.sequence for packet in stream.packets]

    def test_packets_and_the_history_survive_a_clock_that_is_set(self):
        first = []
        for ahead_s in 0, HOUR_S, -HOUR_S, 24 * HOUR_S, -24 * HOUR_S:
            self.set_clock(ahead_s)
            first.append(self.generate())
        packets = self.stream.packets
        self.assertEqual([p.sequence for p in packets], list(range(1, 5 * PACKETS + 1)))
        self.assertEqual(self.stream.lost(), 0)
        ahead = packets[first[1] - 1].receive_time.seconds - packets[0].receive_time.seconds
        self.assertAlmostEqual(ahead, HOUR_S, delta=60)
        # From the first packet of that time or later: nothing that was asked for is missing.
        everything = [p.sequence for p in packets]
        for number, expected in enumerate((first[0], first[1], first[0], first[3], first[0])):
            since = packets[first[number] - 1].receive_time
            self.assertEqual(self.history(since=since), everything[expected - 1:], number)
        self.assertEqual(self.history(since_ago={"seconds": 60}), everything)
        self.assertEqual(self.history(last=10), everything[-10:])

    def test_streams_keep_their_pace_and_their_end(self):
        def heartbeats():
            return sum(r.WhichOneof("event") == "heartbeat" for r in self.stream.events)
        for ahead_s in HOUR_S, -HOUR_S:
            self.set_clock(ahead_s)
            before = heartbeats()
            self.stream.wait("heartbeats go on", lambda: heartbeats() >= before + 2)
            stats = self.stub(self.under_test).GetStats(pb.GetStatsRequest())
            self.assertAlmostEqual(stats.time.seconds - time.time(), ahead_s, delta=60)
        self.set_clock(0)
        until = int(time.time()) + HOUR_S
        ends = self.subscribe(self.under_test, until={"seconds": until})
        self.ns.generate(10)
        ends.wait_packets(10)
        self.set_clock(2 * HOUR_S)
        self.ns.generate(1)  # later than that
        self.assertEqual(ends.wait_end(), harness.grpc.StatusCode.OK)
        self.assertEqual(len(ends.packets), 10)


if __name__ == "__main__":
    harness.main()
