# SPDX-License-Identifier: MIT
"""generated = delivered + reported lost + filtered: a fast, a slow and a stopped subscriber at once,
at full generator speed, where every place that can lose packets does."""
import os
import signal
import threading

import harness
from harness import pb

ROUND = 100_000
ROUNDS_MAX = 40
NAMES = ("red", "blue")
SLOW_S = 0.02  # that a slow reader takes for each response


class SlowStream(harness.Stream):
    """Reads a response at a time, with a pause after each, until it is let go."""

    def __init__(self, *args, **kwargs):
        self.hurry = threading.Event()
        super().__init__(*args, **kwargs)

    def _take(self, response):
        super()._take(response)
        if response.WhichOneof("event") == "batch":
            self._changed.release()
            self.hurry.wait(SLOW_S)
            self._changed.acquire()


class Equation(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.spaces = [self.netns(name) for name in NAMES]
        for ns in self.spaces:
            ns.sink('udp dport 9 log prefix "equation" group 100')
        self.under_test = self.daemon(config={
            "history": {"bytes_per_source": "512K", "bytes_total": "2M"},
            "tenants": [{"name": "t", "identities": [{"unix_uid": os.getuid()}],
                         "sources": [{"netns": ns.name, "groups": [100], "rcvbuf": 32768}
                                     for ns in self.spaces]}]})

    def slow_stream(self):
        channel = self.under_test.channel()
        self.addCleanup(channel.close)
        stream = SlowStream(channel, view=pb.PACKET_VIEW_FULL)
        self.addCleanup(stream.cancel)
        self.addCleanup(stream.hurry.set)  # before the cancel joins it
        return stream

    def generate_round(self):
        threads = [threading.Thread(target=ns.generate, args=(ROUND,)) for ns in self.spaces]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ROUND * len(self.spaces)

    def generate_until_all_have_lost(self, stub):
        """Full speed until the kernel has dropped, and the slow and the stopped are overtaken."""
        generated = 0
        for _ in range(ROUNDS_MAX):
            generated += self.generate_round()
            stats = stub.GetStats(pb.GetStatsRequest())
            dropped = sum(s.packets_lost_kernel for s in stats.sources)
            written = sum(s.packets_received for s in stats.sources)
            held = sum(s.ring_packets for s in stats.sources)
            waiting = [s for s in stats.subscriptions if written - s.packets_sent > 2 * held]
            if dropped and len(waiting) >= 2:
                return generated
        self.fail("the slow and the stopped subscriber were never overtaken")

    def assert_stats_agree(self, stream, stub):
        stats = {s.source.source_id: s for s in stub.GetStats(pb.GetStatsRequest()).sources}
        kernel = {}
        for loss in stream.losses:
            if loss.stage == pb.LOSS_STAGE_KERNEL_SOCKET:
                kernel[loss.source_id] = kernel.get(loss.source_id, 0) + loss.count
        for source_id, source in stats.items():
            self.assertEqual(kernel.get(source_id, 0), source.packets_lost_kernel)

    def test_holds_for_a_fast_a_slow_and_a_stopped_subscriber(self):
        fast = self.subscribe(self.under_test, netns=[ns.name for ns in self.spaces])
        slow = self.slow_stream()
        stopped = self.start_nflogctl(self.under_test, "subscribe", "--quiet", "--view", "full")
        stopped.send_signal(signal.SIGSTOP)
        stub = self.stub(self.under_test)
        generated = self.generate_until_all_have_lost(stub)
        stopped.send_signal(signal.SIGCONT)
        slow.hurry.set()
        for ns in self.spaces:
            generated += ns.generate(1)  # settles what was lost behind the last packet
        for stream in (fast, slow):
            stream.wait_accounted(generated)
            self.assertEqual(len(stream.packets) + stream.lost(), generated)
            self.assert_stats_agree(stream, stub)
        harness.wait_until("the stopped one has all that is left", lambda: all(
            s.packets_sent + s.packets_lost == generated
            for s in stub.GetStats(pb.GetStatsRequest()).subscriptions))
        stopped.send_signal(signal.SIGINT)
        _, err = stopped.communicate(timeout=harness.PATIENCE_S)
        packets, lost = harness.summary(err)
        self.assertEqual(packets + lost, generated)
        self.assertGreater(lost, 0)
        stages = {loss.stage for loss in slow.losses}
        self.assertEqual(stages, {pb.LOSS_STAGE_KERNEL_SOCKET, pb.LOSS_STAGE_HISTORY})
        print(f"equation: {generated} generated; fast {len(fast.packets)} + {fast.lost()} lost, "
              f"slow {len(slow.packets)} + {slow.lost()}, stopped {packets} + {lost}")


if __name__ == "__main__":
    harness.main()
