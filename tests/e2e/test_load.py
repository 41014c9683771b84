# SPDX-License-Identifier: MIT
"""generated = delivered + reported lost, under load and for subscribers that behave badly."""
import signal
import threading
import time

import grpc

import harness
from harness import pb

COUNT = 200_000


class Load(harness.RealTest):
    def two_namespaces(self, **settings):
        spaces = [self.netns("red"), self.netns("blue")]
        for ns in spaces:
            ns.sink('udp dport 9 log prefix "load" group 100')
        return spaces, self.daemon_for(*((ns, [100], settings) for ns in spaces))

    @staticmethod
    def generate_in_all(spaces, count, **options):
        threads = [threading.Thread(target=ns.generate, args=(count,), kwargs=options)
                   for ns in spaces]
        for thread in threads:
            thread.start()
        return threads

    def summary(self, process):
        """(packets, lost) from nflogctl's last line."""
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        return harness.summary(err)

    def test_everything_generated_is_delivered_or_reported_lost(self):
        spaces, daemon = self.two_namespaces()
        ctl = self.start_nflogctl(daemon, "subscribe", "--quiet")
        for thread in self.generate_in_all(spaces, COUNT):
            thread.join()
        self.settle(spaces, daemon, 2 * COUNT)
        ctl.send_signal(signal.SIGINT)
        packets, lost = self.summary(ctl)
        self.assertEqual(packets + lost, 2 * COUNT + self.probes)

    def settle(self, spaces, daemon, generated):
        """Log one more packet in each namespace, which settles a loss at the tail, and wait until
        every subscription has everything."""
        self.probes = len(spaces)
        for ns in spaces:
            ns.generate(1)
        stub = self.stub(daemon)

        def all_accounted():
            stats = stub.GetStats(pb.GetStatsRequest())
            seen = sum(s.packets_received + s.packets_lost_kernel + s.packets_lost_decode
                       for s in stats.sources)
            return seen == generated + self.probes and all(
                s.packets_sent + s.packets_lost == seen for s in stats.subscriptions)
        harness.wait_until("every packet is accounted for", all_accounted)

    def test_small_receive_buffer_loses_in_the_kernel_and_says_exactly_how_many(self):
        spaces, daemon = self.two_namespaces(rcvbuf=65536, profile="latency")
        stream = self.subscribe(daemon)
        daemon.process.send_signal(signal.SIGSTOP)
        for thread in self.generate_in_all(spaces, 20_000):
            thread.join()
        daemon.process.send_signal(signal.SIGCONT)
        self.settle(spaces, daemon, 40_000)
        stream.wait_accounted(40_000 + self.probes)
        self.assertGreater(stream.lost(), 0)
        self.assertEqual(len(stream.packets) + stream.lost(), 40_000 + self.probes)
        self.assertEqual({loss.stage for loss in stream.losses}, {pb.LOSS_STAGE_KERNEL_SOCKET})
        last = {}
        for loss in stream.losses:
            last[loss.source_id] = loss.cumulative_count
        self.assertEqual(sum(last.values()), stream.lost())

    def test_a_loss_behind_the_last_packet_is_told_without_another_and_settled_by_the_next(self):
        red = self.netns("red")
        red.sink('udp dport 9 log prefix "tail" group 100')
        daemon = self.daemon_for((red, [100], {"rcvbuf": 65536, "profile": "latency"}))
        stream = self.subscribe(daemon)
        daemon.process.send_signal(signal.SIGSTOP)
        red.generate(5000)  # a message each: the buffer fills once, all that follows is lost
        daemon.process.send_signal(signal.SIGCONT)
        stream.wait("a lower bound", lambda: any(loss.lower_bound for loss in stream.losses))
        self.assertLessEqual(len(stream.packets) + stream.lost(), 5000)
        bound = stream.lost()
        self.assertGreater(bound, 0)
        red.generate(1)
        stream.wait_accounted(5001)
        self.assertEqual(len(stream.packets) + stream.lost(), 5001)
        stats = self.stub(daemon).GetStats(pb.GetStatsRequest()).sources[0]
        self.assertEqual(stats.packets_received + stats.packets_lost_kernel, 5001)

    def test_stopped_subscriber_loses_from_the_history_and_is_told_how_many(self):
        red = self.netns("red")
        red.sink('udp dport 9 log prefix "load" group 100')
        daemon = self.daemon(config={
            "history": {"bytes_per_source": "1M", "bytes_total": "4M"},
            "tenants": [{"name": "t", "identities": [{"unix_uid": 0}],
                         "sources": [{"netns": red.name, "groups": [100]}]}]})
        ctl = self.start_nflogctl(daemon, "subscribe", "--quiet", "--view", "full")
        ctl.send_signal(signal.SIGSTOP)
        generated = 0
        stub = self.stub(daemon)

        def overtaken():
            stats = stub.GetStats(pb.GetStatsRequest()).subscriptions
            return stats[0].lag_bytes >= 900_000
        while not overtaken():
            generated += red.generate(COUNT)
            self.assertLess(generated, 20 * COUNT, "the history never overtook a stopped subscriber")
        generated += red.generate(COUNT)
        ctl.send_signal(signal.SIGCONT)
        self.settle([red], daemon, generated)
        ctl.send_signal(signal.SIGINT)
        packets, lost = self.summary(ctl)
        self.assertEqual(packets + lost, generated + 1)
        self.assertGreater(lost, 0)

    def test_subscriber_that_goes_away_leaves_the_others_whole(self):
        spaces, daemon = self.two_namespaces()
        staying = self.start_nflogctl(daemon, "subscribe", "--quiet")
        leaving = [self.start_nflogctl(daemon, "subscribe", "--quiet") for _ in range(4)]
        threads = self.generate_in_all(spaces, COUNT)
        for process in leaving:
            process.kill()
            process.wait()
        for thread in threads:
            thread.join()
        stub = self.stub(daemon)
        harness.wait_until("the dead subscriptions are gone", lambda: len(
            stub.GetStats(pb.GetStatsRequest()).subscriptions) == 1)
        self.settle(spaces, daemon, 2 * COUNT)
        staying.send_signal(signal.SIGINT)
        packets, lost = self.summary(staying)
        self.assertEqual(packets + lost, 2 * COUNT + self.probes)

    def test_daemon_stopped_under_load_ends_streams_with_unavailable_within_five_seconds(self):
        spaces, daemon = self.two_namespaces()
        stream = self.subscribe(daemon)
        ctl = self.start_nflogctl(daemon, "subscribe", "--quiet", "--no-reconnect")
        threads = self.generate_in_all(spaces, COUNT, rate=50_000)
        stream.wait_packets(1000)
        before = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - before, 5)
        self.assertEqual(stream.wait_end(), grpc.StatusCode.UNAVAILABLE)
        ctl.wait(harness.PATIENCE_S)
        self.assertEqual(ctl.returncode, 6)
        for thread in threads:
            thread.join()

    def test_one_encode_serves_many_subscribers_of_all_views(self):
        red = self.netns("red")
        red.sink('udp dport 9 log prefix "many" group 100')
        daemon = self.daemon_for((red, [100], {}), subscriptions=64)
        streams = [self.subscribe(daemon, view=1 + i % 3) for i in range(12)]
        red.generate(3000, rate=20_000)
        for stream in streams:
            stream.wait_accounted(3000)
            self.assertEqual(len(stream.packets), 3000)
            self.assert_no_gap(stream.packets)


if __name__ == "__main__":
    harness.main()
