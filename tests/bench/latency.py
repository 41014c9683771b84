# SPDX-License-Identifier: MIT
"""From the sender's call to the callback of a client with libnfl-client, for each profile."""
import os
import shutil
import statistics
import subprocess
import tempfile

import harness
from figures import cpu_seconds, title

QUIET, USUAL, BUSY, FLOOD = 100, 1000, 20_000, 200_000  # packets/s
SECONDS = 3


def measure(profile, rate, repeat):
    """p50, p99, max in us, packets lost, CPU us of nflogd a packet: medians of the runs."""
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    ns = harness.Netns("latency")
    try:
        ns.sink('udp dport 9 log prefix "bench" group 100')
        daemon = harness.Daemon(config={"tenants": [{
            "name": "bench", "identities": [{"unix_uid": 0}],
            "sources": [{"netns": ns.name, "groups": [100], "profile": profile}]}]}, folder=folder)
        try:
            runs = [run(daemon, ns, rate) for _ in range(repeat)]
        finally:
            daemon.stop()
    finally:
        ns.delete()
        shutil.rmtree(folder)
    return [statistics.median(values) for values in zip(*runs)]


def run(daemon, ns, rate):
    count = rate * SECONDS
    client = subprocess.Popen([os.path.join(harness.BIN, "bench_latency"), daemon.address(),
                               str(count)], stdout=subprocess.PIPE)
    client.stdout.readline()  # started
    before = cpu_seconds(daemon.process.pid)
    sent = count + count // 10 + 1
    harness.run(os.path.join(harness.BIN, "nflog_gen"), "--netns", ns.name, "--stamp", "--size", "100",
                "--count", str(sent), "--rate", str(rate))
    line = client.stdout.readline()
    client.wait(harness.PATIENCE_S)
    used = cpu_seconds(daemon.process.pid) - before
    return [float(value) for value in line.split()] + [1e6 * used / sent]


def bench_latency(results, repeat):
    title(f"from sendmmsg() to the client's callback, {SECONDS} s each, medians of {repeat}")
    figures = results.setdefault("latency", {})
    for profile, rates in (("adaptive", (QUIET, USUAL, BUSY, FLOOD)), ("latency", (USUAL,)),
                           ("balanced", (USUAL, BUSY)), ("throughput", (USUAL,))):
        for rate in rates:
            p50, p99, worst, lost, cpu = measure(profile, rate, repeat)
            figures[f"{profile} {rate}"] = [p50 / 1000, p99 / 1000, worst / 1000, cpu]
            print(f"{profile:10} {rate:6} packets/s  p50 {p50 / 1000:7.3f} ms  "
                  f"p99 {p99 / 1000:7.3f} ms  max {worst / 1000:7.3f} ms  nflogd {cpu:6.2f} us  "
                  f"lost {lost:.0f}",
                  flush=True)
