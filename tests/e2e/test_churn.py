# SPDX-License-Identifier: MIT
"""Namespaces made and deleted at random under traffic: nothing unaccounted for, nothing held on to.

A short run is part of the gate. The long one, 200 namespaces for 60 s:

    NFL_SOAK=1 ./dev test -R e2e.churn
"""
import os
import random
import threading
import time

import harness
from harness import pb

SOAK = os.environ.get("NFL_SOAK") == "1"
SLOTS = 200 if SOAK else 24
SECONDS = 60 if SOAK else 8
WORKERS = 4
PACKETS_MAX = 2000
SETTINGS = {"groups": [100], "copy_bytes": 128}


class Life:
    """One namespace from its making to its end."""

    def __init__(self, name):
        self.name = name
        self.source_id = None
        self.generated = 0
        self.free_s = None  # from the deletion to the end of its devices


class Churn(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.outside = self.netns("outside")  # the other ends of the cables
        self.lives, self.errors = [], []
        self.lock = threading.Lock()

    def daemon_for_glob(self):
        return self.daemon(config={
            "history": {"bytes_per_source": "1M", "bytes_total": "64M"},
            "tenants": [{
                "name": "test", "identities": [{"unix_uid": os.getuid()}],
                "sources": [dict(SETTINGS, netns=f"nfl{os.getpid()}-c*")]}]})

    @staticmethod
    def descriptors(daemon):
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

    @staticmethod
    def resident_mib(daemon):
        with open(f"/proc/{daemon.process.pid}/status") as f:
            return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS"))

    def listening(self, stream, name, begin):
        """The source that this stream was told of since then."""
        for response in stream.events[begin:]:
            source = response.source_event.source
            if source.netns == name and source.state == pb.SOURCE_STATE_LISTENING:
                return source.source_id
        return None

    def links_outside(self):
        return self.outside.ip("-o", "link", "show", "type", "veth")

    def live_once(self, stream, slot):
        life = Life(f"nfl{os.getpid()}-c{slot}")
        begin = len(stream.events)
        netns = harness.Netns(f"c{slot}")
        try:
            harness.run("ip", "link", "add", f"in{slot}", "netns", netns.name, "type", "veth",
                        "peer", "name", f"out{slot}", "netns", self.outside.name)
            netns.sink('udp dport 9 log prefix "churn" group 100')
            stream.wait(f"{life.name} is listened to",
                        lambda: self.listening(stream, life.name, begin))
            life.source_id = self.listening(stream, life.name, begin)
            if random.random() < 0.9:
                life.generated = netns.generate(random.randint(1, PACKETS_MAX))
        finally:
            netns.delete()  # at once: the kernel may still hold the last of them back
        deleted = time.monotonic()
        harness.wait_until(f"the devices of {life.name} are gone",
                           lambda: f"out{slot}@" not in self.links_outside())
        life.free_s = time.monotonic() - deleted
        with self.lock:
            self.lives.append(life)

    def work(self, stream, slots, deadline):
        try:
            while time.monotonic() < deadline:
                self.live_once(stream, random.choice(slots))
        except Exception as error:  # told by the main thread
            self.errors.append(error)

    def churn(self, stream):
        deadline = time.monotonic() + SECONDS
        workers = [threading.Thread(target=self.work,
                                    args=(stream, range(i, SLOTS, WORKERS), deadline))
                   for i in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if self.errors:
            raise self.errors[0]

    def assert_accounted(self, stream):
        """generated = delivered + reported lost for every life, and nothing after it has gone."""
        generated = sum(life.generated for life in self.lives)
        stream.wait_accounted(generated)
        delivered, lost = {}, {}
        for packet in stream.packets:
            delivered[packet.source_id] = delivered.get(packet.source_id, 0) + 1
        for loss in stream.losses:
            lost[loss.source_id] = lost.get(loss.source_id, 0) + loss.count
        for life in self.lives:
            seen = delivered.pop(life.source_id, 0) + lost.pop(life.source_id, 0)
            self.assertEqual(seen, life.generated, f"{life.name}, source {life.source_id}")
        self.assertEqual((delivered, lost), ({}, {}), "of sources that never were")
        self.assertEqual(len({life.source_id for life in self.lives}), len(self.lives),
                         "each life has an id of its own")
        self.assert_no_gap(stream.packets)

    def gone(self, stream):
        return {r.source_event.source.source_id for r in stream.events
                if r.source_event.source.state == pb.SOURCE_STATE_GONE}

    def test_namespaces_made_and_deleted_at_random_leave_nothing_behind(self):
        daemon = self.daemon_for_glob()
        stream = self.subscribe(daemon)
        before = self.descriptors(daemon)
        self.churn(stream)
        self.assertGreater(len(self.lives), WORKERS)
        self.assert_accounted(stream)
        harness.wait_until("every life is told to be over", lambda: {
            life.source_id for life in self.lives} <= self.gone(stream))
        harness.wait_until("no descriptor is left",
                           lambda: self.descriptors(daemon) <= before)
        slow = max(life.free_s for life in self.lives)
        print(f"churn: {len(self.lives)} lives of {SLOTS} names in {SECONDS} s, "
              f"{len(stream.packets)} packets, {stream.lost()} reported lost, "
              f"freed within {1000 * slow:.0f} ms of the deletion, "
              f"{self.resident_mib(daemon)} MiB resident")


if __name__ == "__main__":
    harness.main()
