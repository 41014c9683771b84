# SPDX-License-Identifier: MIT
"""nflogctl forward into JetStream next to libnats with the same bytes; and what a fleet would need."""
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import broker
import harness
from figures import cpu_seconds, resident_mib, title

PACKETS = 600_000
SPACES = 4
CONNECTIONS = 1000
CTL = broker.NFLOGCTL


class Scene:
    """A daemon whose history holds PACKETS records of SPACES namespaces, and a nats-server."""

    def __init__(self, folder):
        self.folder, self.spaces = folder, []
        self.daemon = self.nats = None
        for i in range(SPACES):
            self.spaces.append(harness.Netns(f"bench{i}"))
            self.spaces[-1].sink('udp dport 9 log prefix "bench" group 100')
        self.daemon = harness.Daemon(config={
            "history": {"bytes_per_source": "256M", "bytes_total": "1G"},
            "tenants": [{"name": "bench", "identities": [{"unix_uid": 0}], "sources": [
                {"netns": ns.name, "groups": [100], "copy_bytes": 128} for ns in self.spaces]}]},
            folder=folder)
        self.nats = broker.Nats(folder)
        args = [os.path.join(harness.BIN, "nflog_gen"), "--size", "100", "--count",
                str(PACKETS // SPACES), "--rate", "50000"]
        for ns in self.spaces:
            harness.run(*args, "--netns", ns.name)

    def end(self):
        if self.nats:
            self.nats.stop(9)
        if self.daemon:
            self.daemon.stop()
        for ns in self.spaces:
            ns.delete()
        shutil.rmtree(self.folder)

    def forward(self, stream, *args):
        """Seconds, CPU of forward, of nats-server and of nflogd, for PACKETS records."""
        before = [cpu_seconds(p.pid) for p in (self.nats.process, self.daemon.process)]
        begin = time.monotonic()
        process = subprocess.Popen(
            [CTL, "-s", self.daemon.address(), "forward", "--to", f"{self.nats.url}/{stream}",
             "--create", "--subject", stream.lower() + ".{netns}.{group}", "--all", "--no-follow",
             "--resume-file", os.path.join(self.folder, stream), "--count", str(PACKETS), *args],
            stderr=subprocess.PIPE)
        _, err = process.communicate()
        seconds = time.monotonic() - begin
        if process.returncode != 0:
            raise AssertionError(err.decode())
        after = [cpu_seconds(p.pid) for p in (self.nats.process, self.daemon.process)]
        return seconds, *(now - then for now, then in zip(after, before))

    def plain(self, source, target, *piece):
        before = cpu_seconds(self.nats.process.pid)
        out = harness.run(os.path.join(harness.BIN, "nats_plain"), self.nats.url, source, target,
                          *piece)
        messages, size, seconds = out.split()
        return int(messages), int(size), float(seconds), cpu_seconds(self.nats.process.pid) - before


def children_cpu():
    used = os.times()
    return used.children_user + used.children_system


def connection_kib(folder):
    """What a connection that says nothing costs a broker that has done nothing else yet."""
    nats = broker.Nats(folder)
    before = resident_mib(nats.process.pid)
    sockets = []
    for _ in range(CONNECTIONS):
        one = socket.create_connection(("127.0.0.1", nats.port))
        one.recv(4096)
        one.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
        one.recv(64)
        sockets.append(one)
    cost = 1024 * (resident_mib(nats.process.pid) - before) / CONNECTIONS
    for one in sockets:
        one.close()
    nats.stop(9)
    return cost


def run_once(scene, number):
    figures = {}
    for view in "basic", "full":
        stream = f"FW{view.upper()}{number}"
        before = children_cpu()
        seconds, nats, nflogd = scene.forward(stream, "--view", view)
        figures[view] = {"rate": PACKETS / seconds, "forward": 1e6 * (children_cpu() - before) / PACKETS,
                         "nats": 1e6 * nats / PACKETS, "nflogd": 1e6 * nflogd / PACKETS}
        messages, size, plain_seconds, plain_nats = scene.plain(stream, f"PLAIN{view.upper()}{number}")
        figures[view] |= {"plain rate": PACKETS / plain_seconds, "bytes": size / PACKETS,
                          "messages": messages, "plain nats": 1e6 * plain_nats / PACKETS,
                          "mbytes": size / plain_seconds / 1e6}
    small, _, seconds, _ = scene.plain(f"FWBASIC{number}", f"SMALL{number}", "300")
    figures["messages_s"] = small / seconds
    return figures


def bench_forward(results, repeat):
    title(f"{PACKETS} records of a history into JetStream (on disk), medians of {repeat}; libnats alone "
          "publishes the same bytes")
    runs = []
    scene = None
    try:
        scene = Scene(tempfile.mkdtemp(prefix="nfl-test-"))
        for number in range(repeat):
            runs.append(run_once(scene, number))
        os.mkdir(os.path.join(scene.folder, "idle"))
        cost = connection_kib(os.path.join(scene.folder, "idle"))
    finally:
        if scene:
            scene.end()
    for view in "basic", "full":
        m = {key: statistics.median(run[view][key] for run in runs) for key in runs[0][view]}
        results.setdefault("forward", {})[view] = m
        print(f"{view:6} forward {m['rate'] / 1e3:6.0f} k records/s, libnats {m['plain rate'] / 1e3:6.0f} k "
              f"({m['mbytes']:.0f} MB/s): {m['rate'] / m['plain rate']:.2f}  CPU us a record: forward "
              f"{m['forward']:.2f}, nats-server {m['nats']:.2f} (of libnats {m['plain nats']:.2f}), nflogd "
              f"{m['nflogd']:.2f}  {m['bytes']:.0f} bytes a record, {m['messages']:.0f} messages",
              flush=True)
    results["forward"]["connection"] = cost
    small = statistics.median(run["messages_s"] for run in runs)
    results["forward"]["messages_s"] = small
    print(f"messages of 300 bytes by libnats: {small / 1e3:.0f} k/s")
    print(f"a connection that says nothing costs nats-server {cost:.0f} KiB")
