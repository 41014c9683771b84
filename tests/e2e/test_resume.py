# SPDX-License-Identifier: MIT
"""Connections that break, daemons that die, readers that are ended: no packet twice, none missing
without a report, and every restart announced.

A short run is part of the gate. The long one, 60 broken connections and 40 dead daemons:

    NFL_SOAK=1 ./dev test -R e2e.resume
"""
import json
import os
import random
import signal
import socket
import subprocess
import threading

import harness
from harness import pb

SOAK = os.environ.get("NFL_SOAK") == "1"
CUTS = 60 if SOAK else 12
KILLS = 40 if SOAK else 5
READERS = 20 if SOAK else 4
CHUNK = 1500
RATE = 5000


class Proxy:
    """Between clients and a daemon's unix socket; cuts each connection after some bytes."""

    def __init__(self, path, target):
        self.path, self.target = path, target
        self.chance = random.Random(7)
        self.cuts = 0
        self.cutting = True
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.cutting = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(self.target)
                threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
                limit = self.chance.randrange(2_000, 60_000) if self.cutting else None
                self._pump(server, client, limit)
            except OSError:
                return

    def _pump(self, source, sink, limit=None):
        passed = 0
        try:
            while limit is None or passed < limit:
                data = source.recv(4096)
                if not data:
                    break
                sink.sendall(data)
                passed += len(data)
            else:
                self.cuts += 1
            for end in (source, sink):
                end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other direction has ended both


class Record:
    """What a reader has written, checked as it is read: epochs, packets and losses in order."""

    def __init__(self, lines):
        self.packets = self.lost = 0
        self.statuses = []
        self.seen = {}  # source id: the highest sequence, of this epoch
        self.owed = {}  # source id: losses of the history that no jump has shown yet
        for line in lines:
            self._take(json.loads(line))

    def _take(self, item):
        kind = item.get("type")
        if kind is None:
            self._take_packet(item)
        elif kind == "loss":
            self.lost += item["count"]
            if item["stage"] == "history":
                source = item["source_id"]
                self.owed[source] = self.owed.get(source, 0) + item["count"]
        elif kind == "resumed":
            self.statuses.append(item["status"])
            if item["status"] == "epoch_changed":
                self.seen, self.owed = {}, {}

    def _take_packet(self, packet):
        source, sequence = packet["source_id"], packet["sequence"]
        jump = sequence - self.seen.get(source, 0) - 1
        if jump != self.owed.get(source, 0):
            raise AssertionError(f"source {source}: {sequence} after {self.seen.get(source, 0)}, "
                                 f"with {self.owed.get(source, 0)} reported lost")
        self.owed[source] = 0
        self.seen[source] = sequence
        self.packets += 1


class Resume(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.red = self.netns("red")
        self.red.sink('udp dport 9 log prefix "resume" group 100')
        self.served = os.path.join(self.folder, "daemon")
        os.mkdir(self.served)
        self.output_path = os.path.join(self.folder, "output")
        self.start_daemon()
        self.addCleanup(lambda: self._end_daemon(self.running))  # the last one

    def start_daemon(self):
        self.running = harness.Daemon({"tenants": [{
            "name": "test", "identities": [{"unix_uid": os.getuid()}],
            "sources": [{"netns": self.red.name, "groups": [100], "profile": "latency"}]}]},
            folder=self.served)

    def reader(self, address, *args):
        """nflogctl that writes JSON to the end of a file."""
        with open(self.output_path, "ab") as output:
            process = subprocess.Popen(
                [os.path.join(harness.BIN, "nflogctl"), "--server", address, "subscribe", "--all",
                 "-o", "json", *args], stdout=output, stderr=subprocess.PIPE)
        self.addCleanup(self._end_process, process)
        return process

    def lines(self):
        with open(self.output_path, "rb") as f:
            return [line for line in f if line.endswith(b"\n")]

    def wait_read(self, what, condition):
        return harness.wait_until(what, lambda: condition(Record(self.lines())))

    def end_reader(self, process, with_signal=signal.SIGINT):
        process.send_signal(with_signal)
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 130, err.decode(errors="replace"))

    def test_a_connection_that_breaks_again_and_again_costs_nothing(self):
        proxy = Proxy(os.path.join(self.folder, "proxy.sock"), self.running.socket)
        self.addCleanup(proxy.close)
        process = self.reader(f"unix:{proxy.path}")
        generated = 0
        while proxy.cuts < CUTS:
            generated += self.red.generate(CHUNK, rate=RATE)
            self.assertLess(generated, 100 * CUTS * CHUNK, "the reader gave up")
        proxy.cutting = False
        record = self.wait_read("everything", lambda r: r.packets + r.lost >= generated and r)
        self.assertEqual(record.packets + record.lost, generated)
        self.assertGreaterEqual(len(record.statuses), CUTS - 1)
        self.assertLessEqual(set(record.statuses), {"continued", "gap"})
        self.end_reader(process)
        print(f"resume: {proxy.cuts} connections cut, {generated} generated, "
              f"{record.packets} delivered once, {record.lost} reported lost")

    def kill_daemon(self, with_term):
        if with_term:
            self.running.stop()
        else:
            self.running.kill()

    def test_a_daemon_that_dies_again_and_again_is_announced_each_time(self):
        process = self.reader(self.running.address())
        for kill in range(KILLS):
            before = len(self.lines())
            traffic = threading.Thread(target=self.red.generate, args=(CHUNK,),
                                       kwargs={"rate": RATE})
            traffic.start()
            harness.wait_until("packets flow", lambda: len(self.lines()) > before + CHUNK // 10)
            self.kill_daemon(with_term=kill % 2)
            traffic.join()
            self.start_daemon()
            self.wait_read("the reader is back", lambda r: len(r.statuses) > kill)
        self.red.generate(CHUNK, rate=RATE)
        record = self.wait_read("the last epoch", lambda r: sum(r.seen.values()) >= CHUNK and r)
        self.assertEqual(record.statuses, ["epoch_changed"] * KILLS)
        self.assertEqual(sum(record.seen.values()), CHUNK)
        self.end_reader(process)
        print(f"resume: {KILLS} daemons killed, {record.packets} packets, none twice, "
              f"{record.lost} reported lost")

    def test_readers_that_are_ended_go_on_where_the_last_one_was(self):
        place = os.path.join(self.folder, "place")
        for reader in range(READERS):
            process = self.reader(self.running.address(), "--resume-file", place)
            before = len(self.lines())
            traffic = threading.Thread(target=self.red.generate, args=(CHUNK,),
                                       kwargs={"rate": RATE})
            traffic.start()
            harness.wait_until("packets flow", lambda: len(self.lines()) > before + CHUNK // 10)
            self.end_reader(process, signal.SIGTERM if reader % 2 else signal.SIGINT)
            traffic.join()
        process = self.reader(self.running.address(), "--resume-file", place)
        record = self.wait_read("everything", lambda r: r.packets + r.lost >= READERS * CHUNK and r)
        self.assertEqual((record.packets, record.lost), (READERS * CHUNK, 0))
        self.end_reader(process)
        stats = self.stub(self.running).GetStats(pb.GetStatsRequest())
        self.assertEqual(stats.sources[0].packets_received, READERS * CHUNK)

    def test_a_reader_killed_before_its_stream_begins_is_gone_on_with_in_its_new_file(self):
        """The file of the place was moved away, the new one has something in it and no place yet."""
        place, written = (os.path.join(self.folder, name) for name in ("place", "written"))
        command = [os.path.join(harness.BIN, "nflogctl"), "--server", self.running.address(),
                   "subscribe", "--all", "--no-follow", "-o", "json", "--write", written,
                   "--resume-file", place]
        self.red.generate(100, rate=RATE)
        harness.run(*command)
        os.rename(written, written + ".old")
        killed = subprocess.run(
            ["strace", "-o", os.path.join(self.folder, "trace"), "-e", "trace=fdatasync",
             "-e", "inject=fdatasync:signal=KILL:when=1", *command], stderr=subprocess.PIPE)
        self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stderr)
        self.assertGreater(os.path.getsize(written), 0)
        self.red.generate(100, rate=RATE)
        harness.run(*command)
        with open(written, "rb") as f:
            packets = [item for item in map(json.loads, f) if "sequence" in item]
        self.assertEqual([p["sequence"] for p in packets], list(range(101, 201)))


if __name__ == "__main__":
    harness.main()
