# SPDX-License-Identifier: MIT
"""nflogctl forward --to kafka://, against the mock cluster that librdkafka itself is tested with."""
import os
import subprocess
import threading

import harness
from broker import NFLOGCTL, Forwarder
from harness import pb, wait_until
from nflog.v1 import log_pb2

MOCK = os.path.join(harness.BIN, "kafka_mock")
LOG = 'meta l4proto udp log prefix "fwd: " group 100'
COUNT = 2000


class Cluster:
    def __init__(self, topic):
        self.process = subprocess.Popen([MOCK, topic], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.servers = self.process.stdout.readline().strip()
        self.messages = []  # (key, id, bytes)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            key, one_id, data = line.split(" ")
            self.messages.append((key, one_id, bytes.fromhex(data)))

    def command(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def segments(self):
        """Each id once: what is repeated is the same."""
        once = {one_id: data for _, one_id, data in list(self.messages)}
        return [log_pb2.LogSegment.FromString(data) for data in once.values()]

    def packets(self):
        return [packet for segment in self.segments() for response in segment.responses
                for packet in response.batch.packets]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(harness.PATIENCE_S)
        self._thread.join(harness.PATIENCE_S)
        self.process.stdout.close()


class Kafka(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink(LOG)
        self.served = self.daemon_for((self.ns, [100], {}))
        self.cluster = Cluster("fw")
        self.addCleanup(self.cluster.stop)
        self.place = os.path.join(self.folder, "place")

    def forward(self, *args):
        forward = Forwarder(self.folder, self.served, f"kafka://{self.cluster.servers}/fw", "--name",
                            "fw1", "--resume-file", self.place, *args)
        self.addCleanup(forward.kill)
        wait_until("the forwarder is subscribed", lambda: forward.process.poll() is not None or
                   self.stub(self.served).GetStats(pb.GetStatsRequest()).subscriptions)
        self.assertIsNone(forward.process.poll(), forward.read_log())
        return forward

    def test_packets_are_stored_under_the_key_of_their_source(self):
        forward = self.forward()
        self.assertEqual(self.ns.generate(COUNT, 20000), COUNT)
        wait_until("all are stored", lambda: len(self.cluster.packets()) >= COUNT)
        forward.stop()
        packets = self.cluster.packets()
        self.assertEqual(sorted(packet.sequence for packet in packets), list(range(1, COUNT + 1)))
        keys = {key for key, _, _ in self.cluster.messages}
        self.assertEqual(keys, {"nflog.fw1._._", f"nflog.fw1.{self.ns.name}.100"})
        self.assertEqual({s.netns for one in self.cluster.segments() for s in one.sources},
                         {self.ns.name})
        self.assertFalse([r for one in self.cluster.segments() for r in one.responses
                          if r.resume_token])

    def test_a_cluster_that_is_away_for_a_while_gets_everything(self):
        forward = self.forward()
        self.assertEqual(self.ns.generate(10, 1000), 10)
        wait_until("the first are stored", lambda: len(self.cluster.packets()) >= 10)
        self.cluster.command("down")
        self.assertEqual(self.ns.generate(COUNT, 20000), COUNT)
        wait_until("trouble is told", lambda: "trying again" in forward.read_log())
        self.cluster.command("up")
        wait_until("all are stored", lambda: len(self.cluster.packets()) >= COUNT + 10)
        forward.stop()
        self.assertEqual(sorted({packet.sequence for packet in self.cluster.packets()}),
                         list(range(1, COUNT + 11)))

    def test_a_killed_forwarder_misses_nothing(self):
        for _ in range(3):
            forward = self.forward("--all")
            self.assertEqual(self.ns.generate(COUNT, 20000), COUNT)
            forward.kill()
            wait_until("the server noticed", lambda: not self.stub(self.served).GetStats(
                pb.GetStatsRequest()).subscriptions)
        forward = self.forward("--all")
        wait_until("all are stored", lambda: {packet.sequence for packet in self.cluster.packets()} >=
                   set(range(1, 3 * COUNT + 1)))
        forward.stop()

    def test_mistakes_have_words(self):
        def fails(words, *args):
            done = subprocess.run([NFLOGCTL, "-s", self.served.address(), "forward", *args],
                                  stderr=subprocess.PIPE, timeout=harness.PATIENCE_S, check=False)
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertIn(words, done.stderr.decode())
        fails("No such configuration property", "--to", f"kafka://{self.cluster.servers}/fw",
              "--broker-option", "no.such=1")
        fails("topic fw", "--to", "kafka://127.0.0.1:1/fw")


if __name__ == "__main__":
    harness.main()
