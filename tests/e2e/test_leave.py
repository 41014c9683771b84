# SPDX-License-Identifier: MIT
"""The equation where a group is let go while its receive buffer is full: a namespace is deleted, or
the daemon ends. What the kernel still holds is delivered, what it dropped is told."""
import signal

import grpc

import harness
from harness import pb

HELD = 8000  # a datagram each: less than the usual receive buffer holds
OVERRUN = 20_000  # more than a small one does


class Leave(harness.RealTest):
    def serve(self, **settings):
        """Profile latency: each packet is a datagram, so that the kernel's drop counter is exact."""
        self.red = self.netns("red")
        self.red.sink('udp dport 9 log prefix "leave" group 100')
        self.nflogd = self.daemon_for((self.red, [100], dict({"profile": "latency"}, **settings)))
        return self.subscribe(self.nflogd)

    def fill(self, count):
        """Packets that a stopped daemon cannot read yet."""
        self.nflogd.process.send_signal(signal.SIGSTOP)
        return self.red.generate(count)

    def go_on(self):
        self.nflogd.process.send_signal(signal.SIGCONT)

    def wait_gone(self, stream):
        stream.wait("GONE", lambda: any(
            r.source_event.source.state == pb.SOURCE_STATE_GONE for r in stream.events))

    def assert_deletion_is_accounted(self, **settings):
        stream = self.serve(rcvbuf=65536, **settings)
        generated = self.fill(OVERRUN)
        self.red.delete()
        self.go_on()
        self.wait_gone(stream)
        self.assertGreater(stream.lost(), 0)
        self.assertEqual(len(stream.packets) + stream.lost(), generated)

    def test_what_a_deleted_namespace_left_in_a_full_socket_is_delivered(self):
        stream = self.serve()
        generated = self.fill(HELD)
        self.red.delete()
        self.go_on()
        self.wait_gone(stream)
        self.assertEqual((len(stream.packets), stream.lost()), (generated, 0))

    def test_what_the_kernel_dropped_before_a_deletion_is_told(self):
        self.assert_deletion_is_accounted(profile="latency")

    def test_a_daemon_that_ends_delivers_what_is_left_in_a_full_socket(self):
        stream = self.serve()
        generated = self.fill(HELD)
        self.nflogd.process.send_signal(signal.SIGTERM)
        self.go_on()
        self.assertEqual(stream.wait_end(), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual((len(stream.packets), stream.lost()), (generated, 0))

    def test_a_daemon_that_ends_tells_what_the_kernel_dropped(self):
        stream = self.serve(rcvbuf=65536)
        generated = self.fill(OVERRUN)
        self.nflogd.process.send_signal(signal.SIGTERM)
        self.go_on()
        self.assertEqual(stream.wait_end(), grpc.StatusCode.UNAVAILABLE)
        self.assertGreater(stream.lost(), 0)
        self.assertEqual(len(stream.packets) + stream.lost(), generated)

    def test_the_last_batch_of_a_full_socket_settles_what_was_dropped(self):
        """Profile balanced: unbinding sends what the kernel has gathered, behind a socket read dry,
        and its numbers tell the drops of whole batches exactly."""
        self.assert_deletion_is_accounted(profile="balanced", timeout_ms=3_600_000)


if __name__ == "__main__":
    harness.main()
