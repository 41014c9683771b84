# SPDX-License-Identifier: MIT
"""The tool against real daemons: several servers as one stream, top, watched counters, live names."""
import json
import os
import re
import signal
import subprocess
import sys
import threading

import harness
from harness import pb, wait_until

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "unit", "nflogctl"))
from terminal import Terminal  # noqa: E402

NFLOGCTL = os.path.join(harness.BIN, "nflogctl")
LOG = 'log prefix "tool: " group 100'
COUNT = 3000


class Tool(harness.RealTest):
    def one(self, name):
        """A namespace that logs what is generated in it, and a daemon of its own."""
        ns = self.netns(name)
        ns.sink(LOG)
        return ns, self.daemon_for((ns, [100], {}))

    @staticmethod
    def kill(daemon):
        """It is not asked how it ended."""
        daemon.kill()
        daemon.stop = daemon.kill

    def sent(self, daemon):
        """Packets sent to the one subscriber."""
        return sum(one.packets_sent for one in
                   self.stub(daemon).GetStats(pb.GetStatsRequest()).subscriptions)


class Servers(Tool):
    def setUp(self):
        super().setUp()
        (self.red, self.first), (self.blue, self.second) = self.one("red"), self.one("blue")
        self.servers = ["-s", self.first.address(), "-s", self.second.address()]

    def test_two_histories_are_one_in_order_of_time_with_every_packet_once(self):
        threads = [threading.Thread(target=ns.generate, args=(COUNT, 20000))
                   for ns in (self.red, self.blue)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = subprocess.run([NFLOGCTL, *self.servers, "subscribe", "--all", "--no-follow", "-o",
                               "json", "--utc"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=harness.PATIENCE_S, check=True)
        packets = [one for one in map(json.loads, done.stdout.splitlines()) if "type" not in one]
        times = [one["receive_time"] for one in packets]
        self.assertEqual(times, sorted(times))
        for ns, daemon in (self.red, self.first), (self.blue, self.second):
            of_it = [one for one in packets if one["server"] == daemon.address()]
            self.assertEqual({one["netns"] for one in of_it}, {ns.name})
            line, = re.findall(rf"-- {daemon.address()}: (\d+) packets, (\d+) lost",
                               done.stderr.decode())
            self.assertEqual(int(line[0]), len(of_it))
            self.assertEqual(int(line[0]) + int(line[1]), COUNT)
        switches = sum(a["server"] != b["server"] for a, b in zip(packets, packets[1:]))
        self.assertGreater(switches, 1)

    def test_a_daemon_that_dies_does_not_stop_the_other(self):
        process = self.start_nflogctl(self.second, "-s", self.first.address(), "subscribe", "-q")
        wait_until("both are subscribed", lambda: self._subscriptions(self.first))
        self.kill(self.first)
        self.assertEqual(self.blue.generate(COUNT, 20000), COUNT)
        wait_until("all are sent", lambda: self.sent(self.second) == COUNT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn(f"-- {self.second.address()}: {COUNT} packets, 0 lost", err.decode())
        self.assertIn(f"-- {self.first.address()}: 0 packets, 0 lost", err.decode())


class Screen(Tool):
    def test_top_counts_what_is_logged_and_outlives_the_daemon(self):
        ns, daemon = self.one("red")
        terminal = Terminal([NFLOGCTL, "-s", daemon.address(), "top", "--interval", "0.1"],
                            dict(os.environ))
        self.addCleanup(terminal.close)
        terminal.wait_text("connected, 1 of 1 sources listening")
        self.assertEqual(ns.generate(COUNT, 20000), COUNT)
        terminal.wait_text(f"total {COUNT} packets")
        terminal.wait_for("the source", lambda lines: lines[5].split()[2:] == [
            str(COUNT), "384k", "0", f"{ns.name}/100"])
        terminal.type("2")
        terminal.wait_for("the prefix", lambda lines: lines[5].endswith(" tool:"))
        self.kill(daemon)
        terminal.wait_text("connection lost, trying again")
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)
        self.assertIsNone(terminal.is_restored())

    def test_watched_counters_have_rates(self):
        ns, daemon = self.one("red")
        process = self.start_nflogctl(daemon, "subscribe", "-q")
        watch = subprocess.Popen([NFLOGCTL, "-s", daemon.address(), "stats", "--watch", "-i", "0.2",
                                  "-o", "json"], stdout=subprocess.PIPE)
        self.addCleanup(self._end_process, watch)
        self.assertEqual(json.loads(watch.stdout.readline())["sources"][0]["packets_received"], 0)
        ns.generate(COUNT, 20000)
        rates, received = [], 0
        while received < COUNT:
            stats = json.loads(watch.stdout.readline())
            received = stats["sources"][0]["packets_received"]
            rates.append(stats["sources"][0]["packets_per_second"])
        self.assertGreater(max(rates), 0)
        self.assertEqual(stats["subscriptions"][0]["client_label"][:9], "nflogctl@")
        process.kill()

    def test_names_to_complete_are_those_that_there_are_now(self):
        red = self.netns("red")
        daemon = self.daemon_for((red, [100, 7], {}))
        names = lambda option: self.nflogctl(  # noqa: E731
            daemon, "complete", "--", "-s", daemon.address(), "subscribe", option, "",
        )[0].decode().split()
        self.assertEqual(names("--netns"), [red.name])
        self.assertEqual(sorted(names("--group")), ["100", "7"])

    def test_whoami_tells_the_tenant(self):
        _, daemon = self.one("red")
        who = json.loads(self.nflogctl(daemon, "whoami", "-o", "json")[0])
        self.assertEqual(who["tenant"], "test")
        self.assertIn(str(os.getuid()), who["principal"])


if __name__ == "__main__":
    harness.main()
