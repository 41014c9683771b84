# SPDX-License-Identifier: MIT
"""nflogctl forward and subscribe --from: a stream in a broker, exactly, whatever dies."""
import json
import os
import signal
import subprocess
import time

import harness
from broker import NFLOGCTL, BrokerTest
from harness import wait_until

LOG = 'meta l4proto udp log prefix "fwd: " group 100'
COUNT = 2000
PLACE = ("--create", "--name", "fw1", "--resume-kv", "places")


def packets_of(shown):
    return [one for one in shown if "type" not in one]


def losses_of(shown):
    return [one for one in shown if one.get("type") == "loss"]


class Forward(BrokerTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink(LOG)
        self.target = self.nats.url + "/FW"

    def serve(self, **settings):
        return self.daemon_for((self.ns, [100], settings))

    def wait_stored(self, count):
        """Until so many packets and losses are in the log."""
        def stored():
            shown = self.read(self.target)[0]
            return len(packets_of(shown)) + sum(one["count"] for one in losses_of(shown)) >= count
        wait_until(f"{count} packets are stored", stored)

    def assert_whole(self, count):
        shown, err = self.read(self.target)
        self.assertEqual([one["sequence"] for one in packets_of(shown)], list(range(1, count + 1)))
        self.assertIn(f"-- {count} packets, 0 lost", err)
        return err


class Exactness(Forward):
    def test_what_is_logged_is_stored_and_read_back_with_its_host(self):
        served = self.serve()
        forward = self.forward(served, self.target, *PLACE)
        self.assertEqual(self.ns.generate(COUNT, 20000), COUNT)
        self.wait_stored(COUNT)
        forward.stop()
        self.assert_whole(COUNT)
        shown, _ = self.read(self.target)
        self.assertEqual({(one["host"], one["netns"], one["group"]) for one in shown},
                         {("fw1", self.ns.name, 100)})

    def test_a_killed_forwarder_repeats_some_packets_and_misses_none(self):
        served = self.serve()
        repeated = False
        for at in range(1, 6):
            forward = self.forward(served, self.target, *PLACE, "--linger", "0.02", "--all")
            self.assertEqual(self.ns.generate(COUNT, 20000), COUNT)
            self.wait_stored(at * COUNT)
            forward.kill()
            repeated = "stored twice, shown once" in self.assert_whole(at * COUNT) or repeated
        self.assertTrue(repeated, "no run repeated anything: the test does not test")

    def test_a_forwarder_that_ends_goes_on_where_it_was(self):
        served = self.serve()
        place = ("--create", "--resume-file", os.path.join(self.folder, "place"))
        forward = self.forward(served, self.target, *place)
        self.assertEqual(self.ns.generate(COUNT, 20000), COUNT)
        self.wait_stored(COUNT)
        forward.stop()
        self.assertEqual(self.ns.generate(10), 10)  # while nobody forwards
        self.forward(served, self.target, *place)
        self.wait_stored(COUNT + 10)
        self.assertNotIn("stored twice", self.assert_whole(COUNT + 10))

    def test_a_broker_that_is_killed_twice_has_everything_once(self):
        served = self.serve()
        forward = self.forward(served, self.target, *PLACE)
        generator = subprocess.Popen([os.path.join(harness.BIN, "nflog_gen"), "--netns", self.ns.name,
                                      "--count", "20000", "--size", "100", "--rate", "5000"],
                                     stdout=subprocess.DEVNULL)
        for _ in range(2):
            wait_until("some more are stored", self._more_stored())
            self.nats.restart(signal.SIGKILL)
        self.assertEqual(generator.wait(harness.PATIENCE_S), 0)
        self.wait_stored(20000)
        forward.stop()
        self.assert_whole(20000)
        self.assertIn("stores again", forward.read_log())

    def _more_stored(self):
        before = len(self.read(self.target)[0])
        return lambda: len(self.read(self.target)[0]) > before

    def test_a_forwarder_that_ends_while_the_broker_takes_nothing_misses_nothing(self):
        count = 25000  # more than may be on their way: 32 MiB
        served = self.daemon(config={
            "history": {"bytes_per_source": "128M"},
            "tenants": [{"name": "test", "identities": [{"unix_uid": os.getuid()}], "sources": [
                {"netns": self.ns.name, "groups": [100]}]}]})
        options = (*PLACE[:-2], "--resume-file", os.path.join(self.folder, "place"), "--all", "--view",
                   "full")
        forward = self.forward(served, self.target, *options)
        self.assertEqual(self.ns.generate(10, 1000), 10)
        self.wait_stored(10)
        self.nats.restart(stores=False)
        self.assertEqual(self.ns.generate(count, 20000, size=1400), count)

        def is_full():
            sent = self.subscriptions(served)[0].packets_sent
            return (10 < sent < count and sent == self.sent_before) or self.look(sent)
        self.sent_before = 0
        wait_until("nothing more is read", is_full)
        forward.process.send_signal(signal.SIGTERM)
        self.assertEqual(forward.process.wait(harness.PATIENCE_S), 1)
        self.assertIn("the next run stores them", forward.read_log())
        self.nats.restart()
        self.forward(served, self.target, *options)
        self.wait_stored(count + 10)
        self.assert_whole(count + 10)

    def look(self, sent):
        """False; the next look is compared with this one."""
        self.sent_before = sent
        time.sleep(0.3)  # the pace of looking
        return False

    def test_the_place_moves_also_where_no_packet_is_wanted(self):
        place = os.path.join(self.folder, "place")
        served = self.serve()
        forward = self.forward(served, self.target, "--create", "--resume-file", place, "--port", "9999")

        def token():
            if not os.path.exists(place):
                return None
            with open(place, encoding="ascii") as f:
                return f.read()
        first = wait_until("a place is stored", token)
        self.assertEqual(self.ns.generate(100, 1000), 100)
        wait_until("it has moved", lambda: token() != first)
        forward.stop()

    def test_losses_are_stored_and_the_equation_holds(self):
        served = self.daemon(config={
            "history": {"bytes_per_source": "256K"},
            "tenants": [{"name": "test", "identities": [{"unix_uid": os.getuid()}], "sources": [
                {"netns": self.ns.name, "groups": [100], "rcvbuf": "64K"}]}]})
        forward = self.forward(served, self.target, *PLACE)
        forward.process.send_signal(signal.SIGSTOP)
        count = self.ns.generate(50000)
        forward.process.send_signal(signal.SIGCONT)
        self.ns.generate(1, 10)
        self.wait_stored(count + 1)
        forward.stop()
        shown, _ = self.read(self.target)
        losses = losses_of(shown)
        self.assertEqual(len(packets_of(shown)) + sum(one["count"] for one in losses), count + 1)
        self.assertIn("history", {one["stage"] for one in losses})

    def test_a_restarted_daemon_is_told_and_its_packets_are_new_ones(self):
        served = self.serve()
        self.forward(served, self.target, *PLACE)
        self.assertEqual(self.ns.generate(100, 1000), 100)
        self.wait_stored(100)
        served.stop()
        again = harness.Daemon(folder=served.folder, args=["--config", served.config_path])
        self.addCleanup(again.stop)
        wait_until("forwarded again", lambda: self.subscriptions(again))
        self.assertEqual(self.ns.generate(100, 1000), 100)
        self.wait_stored(200)
        shown, err = self.read(self.target)
        self.assertEqual(len(packets_of(shown)), 200)
        self.assertIn("epoch_changed", {one.get("status") for one in shown})
        self.assertIn(", at least", err)


class Reading(Forward):
    def setUp(self):
        super().setUp()
        self.served = self.serve()
        self.forward(self.served, self.target, *PLACE, "--payload", "64")
        self.ns.send_udp("10.99.0.9", 53, count=3)
        self.ns.send_udp("10.99.0.9", 99, count=4)
        self.ns.send_udp("fd99::9", 53, count=5)
        self.wait_stored(12)

    def count(self, *args):
        return len(packets_of(self.read(self.target, *args)[0]))

    def test_filters_and_expressions_read_the_log(self):
        self.assertEqual(self.count("--dport", "53"), 8)
        self.assertEqual(self.count("--dport", "53", "--ip-version", "4"), 3)
        self.assertEqual(self.count("--not", "--dport", "53"), 4)
        self.assertEqual(self.count("udp", "port", "99"), 4)
        self.assertEqual(self.count("--netns", "other"), 0)
        self.assertEqual(self.count("--netns", self.ns.name, "--group", "100"), 12)
        self.assertEqual(self.count("--group", "7"), 0)

    def test_a_subject_selects_what_is_read(self):
        name = self.ns.name
        for subject, count in (("/nflog.fw1.>", 12), (f"/nflog.*.{name}.100", 12),
                               ("/nflog.fw2.>", 0)):
            shown, _ = self.read(self.target + subject)
            self.assertEqual(len(shown), count, subject)

    def test_times_select_what_is_read(self):
        shown, _ = self.read(self.target)
        third = shown[2]["receive_time"]
        until = ["--until", third]
        self.assertEqual(len(self.read(self.target, *until)[0]),
                         sum(one["receive_time"] <= third for one in shown))
        done = subprocess.run([NFLOGCTL, "subscribe", "--from", self.target, "--since", "1h",
                               "--no-follow", "-q"], stderr=subprocess.PIPE, check=True)
        self.assertIn(b"-- 12 packets, 0 lost", done.stderr)

    def test_a_time_to_come_ends_it_while_packets_go_on(self):
        with subprocess.Popen([os.path.join(harness.BIN, "nflog_gen"), "--netns", self.ns.name, "--rate",
                               "200", "--seconds", "20"], stdout=subprocess.DEVNULL) as generator:
            done = subprocess.run([NFLOGCTL, "subscribe", "--from", self.target, "--until", "+1s", "-q"],
                                  stderr=subprocess.PIPE, timeout=15, check=False)
            self.assertIsNone(generator.poll(), "nothing was going on any more")
            generator.kill()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_files_of_it_rotate(self):
        path = os.path.join(self.folder, "log.json")
        subprocess.run([NFLOGCTL, "subscribe", "--from", self.target, "--all", "--no-follow", "-o", "json",
                        "-w", path, "--rotate", "1", "--keep", "5"], stderr=subprocess.DEVNULL,
                       check=True)
        for name in ("", ".1", ".2", ".3", ".4"):
            with open(path + name, encoding="utf-8") as f:
                self.assertLessEqual(len(f.readlines()), 1, name)
        self.assertFalse(os.path.exists(path + ".5"))

    def test_a_capture_names_the_host(self):
        path = os.path.join(self.folder, "log.pcapng")
        subprocess.run([NFLOGCTL, "subscribe", "--from", self.target, "--all", "--no-follow", "-w",
                        path], stderr=subprocess.DEVNULL, check=True)
        names = harness.run("tshark", "-r", path, "-T", "fields", "-e", "frame.interface_name")
        self.assertEqual(len(names.split()), 12)
        self.assertIn(f"fw1/{self.ns.name}", names)

    def test_what_follows_is_shown_as_it_is_stored(self):
        with subprocess.Popen([NFLOGCTL, "subscribe", "--from", self.target, "--all", "-c", "15"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
            for _ in range(12):
                reader.stdout.readline()
            self.ns.send_udp("10.99.0.9", 1000, count=3)
            rest = reader.stdout.read()
            self.assertEqual(reader.wait(harness.PATIENCE_S), 0)
        self.assertEqual(rest.count(b":1000 "), 3, rest)
        self.assertTrue(rest.startswith(b"fw1 "), rest)

    def test_messages_of_others_are_skipped_and_told(self):
        """Of the same stream, by a forwarder of JSON."""
        self.forward(self.served, self.target, "--format", "json", "--name", "other")
        self.ns.send_udp("10.99.0.9", 5, count=1)
        wait_until("a message of each", lambda: "1 messages of others skipped" in
                   self.read(self.target)[1])
        self.assertEqual(self.count(), 13)


class Outputs(Forward):
    def test_standard_output_has_a_json_line_for_each_packet(self):
        served = self.serve()
        path = os.path.join(self.folder, "lines")
        with open(path, "wb") as out:
            forward = self.forward(served, "-", "--name", "fw1", stdout=out)
            self.ns.send_udp("10.99.0.9", 53, count=3)

            def lines():
                with open(path, encoding="utf-8") as f:
                    return [json.loads(line) for line in f.read().splitlines()]
            wait_until("three packets", lambda: len(packets_of(lines())) == 3)
            forward.stop()
        self.assertEqual({one["host"] for one in lines()}, {"fw1"})
        self.assertEqual([one["sequence"] for one in packets_of(lines())], [1, 2, 3])

    def test_a_reader_of_standard_output_may_leave(self):
        served = self.serve()
        with subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as head:
            forward = self.forward(served, "-", stdout=head.stdin)
            head.stdin.close()
            self.ns.send_udp("10.99.0.9", 53)
            head.wait(harness.PATIENCE_S)
        self.ns.send_udp("10.99.0.9", 53)
        self.assertEqual(forward.process.wait(harness.PATIENCE_S), 0, forward.read_log())

    def test_subjects_are_the_pattern_s(self):
        served = self.serve()
        self.forward(served, self.target, "--create", "--subject", "fire.{group}.wall_{netns}")
        self.ns.send_udp("10.99.0.9", 53, count=3)
        self.wait_stored(3)
        shown, _ = self.read(self.target + f"/fire.100.wall_{self.ns.name}")
        self.assertEqual(len(shown), 3)


class Mistakes(Forward):
    def fails(self, code, words, *args):
        done = subprocess.run([NFLOGCTL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=harness.PATIENCE_S, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(words, done.stderr.decode())

    def test_each_has_its_words_and_its_exit_code(self):
        server = ["-s", self.serve().address()]
        self.fails(6, "there is no stream FW", *server, "forward", "--to", self.target)
        self.fails(6, "nats://127.0.0.1:1/FW", *server, "forward", "--to", "nats://127.0.0.1:1/FW")
        self.fails(1, "needs the package nflogctl-smoke", *server, "forward", "--to", "smoke://a/B")
        self.fails(2, "--to is missing", *server, "forward")
        self.fails(2, "nats://HOST[:PORT]/STREAM", *server, "forward", "--to", "nats://a")
        self.fails(2, "known in braces", *server, "forward", "--to", self.target, "--subject", "a.{b}")
        self.fails(2, "is not for --from", "subscribe", "--from", self.target, "--last", "5")
        self.fails(2, "nats:// only", "subscribe", "--from", "kafka://a/b")
        self.fails(6, "there is no stream FW", "subscribe", "--from", self.target)

    def test_a_place_that_is_none_is_refused(self):
        path = os.path.join(self.folder, "place")
        with open(path, "w", encoding="ascii") as f:
            f.write("no place\n")
        self.fails(1, "damaged", "-s", self.serve().address(), "forward", "--to", self.target,
                   "--create", "--resume-file", path)

    def test_a_subject_of_another_stream_ends_with_words(self):
        served = self.serve()
        self.forward(served, self.target, "--create").stop()
        forward = self.forward(served, self.target, "--subject", "others.{netns}")
        self.ns.send_udp("10.99.0.9", 53, count=3)
        wait_until("told", lambda: "no stream has the subject" in forward.read_log())


if __name__ == "__main__":
    harness.main()
