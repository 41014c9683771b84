# SPDX-License-Identifier: MIT
"""A fleet: eight daemons, one broker, forwarders that are killed at random, a broker that is killed twice.

Every packet that was generated is in the durable log once, or in a loss that it counts. NFL_SEED repeats
a run; NFL_SOAK=1 is the long form.
"""
import collections
import os
import random
import signal
import subprocess
import threading
import time

import harness
from broker import BrokerTest, Forwarder
from harness import wait_until

HOSTS = 8
SOAK = os.environ.get("NFL_SOAK") == "1"
COUNT = 60000 if SOAK else 10000  # of each host
RATE = 1500
LOG = 'meta l4proto udp log prefix "fleet: " group 100'


class Host:
    """A namespace, its daemon, and a forwarder that dies again and again."""

    def __init__(self, test, number, seed):
        self.test, self.name = test, f"fw{number}"
        self.random = random.Random(seed * HOSTS + number)
        self.ns = test.netns(self.name)
        self.ns.sink(LOG)
        # Half of the hosts keep so little that what a stopped forwarder misses is gone.
        self.served = test.daemon(config={
            "history": {"bytes_per_source": "128K" if number % 2 else "8M"},
            "tenants": [{"name": "test", "identities": [{"unix_uid": os.getuid()}], "sources": [
                {"netns": self.ns.name, "groups": [100]}]}]})
        self.kills = self.stops = 0
        self.error = None
        self.done = threading.Event()
        self.forward = None
        self.start()
        wait_until("subscribed", lambda: test.subscriptions(self.served))
        self.thread = threading.Thread(target=self._disturb)
        self.generator = None

    def start(self):
        self.forward = Forwarder(self.test.folder, self.served, self.test.target, "--create",
                                 "--name", self.name, "--resume-kv", "places", "--all", "--linger",
                                 "0.05")
        self.test.addCleanup(self.forward.kill)

    def supervise(self):
        """As systemd does: one that ended, because the broker was away when it began, is started again."""
        if self.forward.process.poll() is not None:
            self.start()

    def begin(self):
        self.generator = subprocess.Popen(
            [os.path.join(harness.BIN, "nflog_gen"), "--netns", self.ns.name, "--count", str(COUNT),
             "--size", "100", "--rate", str(RATE)], stdout=subprocess.DEVNULL)
        self.thread.start()

    def _disturb(self):
        try:
            while not self.done.wait(self.random.uniform(0.3, 1.2)):
                if self.random.random() < 0.3:
                    self.forward.process.send_signal(signal.SIGSTOP)
                    self.stops += 1
                    self.done.wait(self.random.uniform(0.5, 1.5))
                    self.forward.process.send_signal(signal.SIGCONT)
                else:
                    self.forward.kill()
                    self.kills += 1
                self.supervise()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        if self.generator.wait(10 * harness.PATIENCE_S) != 0:
            raise AssertionError("the generator failed")
        self.done.set()
        self.thread.join()
        if self.error:
            raise self.error


class Fleet(BrokerTest):
    def setUp(self):
        super().setUp()
        self.target = self.nats.url + "/FLEET"
        self.seed = int(os.environ.get("NFL_SEED", time.time_ns() % 1000000))

    def accounted(self):
        """host -> (packets, lost), and what was said at the end."""
        shown, err = self.read(self.target)
        packets = collections.defaultdict(list)
        lost = collections.Counter()
        for one in shown:
            if "type" not in one:
                packets[one["host"]].append(one["sequence"])
            elif one["type"] == "loss":
                lost[one["host"]] += one["count"]
        return packets, lost, err

    def test_every_packet_of_eight_hosts_is_stored_once_or_counted_as_lost(self):
        hosts = [Host(self, number, self.seed) for number in range(HOSTS)]
        for host in hosts:
            host.begin()
        chance = random.Random(self.seed)
        for _ in range(2):
            time.sleep(chance.uniform(1, 3))  # a random moment, not a time to hope for
            self.nats.restart(signal.SIGKILL)
        for host in hosts:
            host.end()

        found = {}

        def all_there():
            for host in hosts:
                host.supervise()
            packets, lost, _ = self.accounted()
            found.update({host.name: (len(packets[host.name]), lost[host.name]) for host in hosts})
            return all(sum(one) >= COUNT for one in found.values())
        try:
            wait_until("everything is stored", all_there, 2 * harness.PATIENCE_S)
        except AssertionError as error:
            logs = "".join(host.forward.read_log() for host in hosts if sum(found[host.name]) < COUNT)
            raise AssertionError(f"NFL_SEED={self.seed}: packets and losses {found}\n{logs}") from error
        packets, lost, err = self.accounted()
        for host in hosts:
            sequences = packets[host.name]
            self.assertEqual(len(sequences), len(set(sequences)), f"NFL_SEED={self.seed}")
            self.assertEqual(len(sequences) + lost[host.name], COUNT,
                             f"{host.name}: {lost[host.name]} lost, NFL_SEED={self.seed}")
        print(f"fleet: seed {self.seed}, {HOSTS} hosts, {HOSTS * COUNT} packets, "
              f"{sum(lost.values())} counted as lost, {sum(h.kills for h in hosts)} forwarders "
              f"killed, {sum(h.stops for h in hosts)} stopped; {' '.join(err.split())}")


if __name__ == "__main__":
    harness.main()
