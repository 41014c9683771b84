#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""CPU per record and loss of nflogd and its client, next to ulogd2 and tcpdump, in one run; and what
namespaces and crowds of clients cost (spaces.py).

Real packets, logged by nft in network namespaces made here, one UDP packet logged LOGS times. Every
reader gets the same traffic, one after the other. Times of equal runs differ by about 20 % and the
offered maximum by up to 2x: compare the ratios of one run. Bounded: a few seconds for each line.
"""
import argparse
import glob
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("names", nargs="*", metavar="NAME",
                    help="compare issue fanout idle flood live scale stuck filter latency costs\n"
                         "memory files guard forward (default: all)")
parser.add_argument("--build", default="build/release", help="build folder (default: %(default)s)")
parser.add_argument("--seconds", type=int, default=3, help="of traffic for each line")
parser.add_argument("--repeat", type=int, default=5,
                    help="runs of each line; the median is shown (default: %(default)s)")
parser.add_argument("--plot", action="store_true",
                    help="store the figures in tests/bench/results.json, draw tests/bench/plots\n"
                         "from them and write the table of README.md; without NAME: compare,\n"
                         "latency, costs, memory and files")
parser.add_argument("--plot-only", action="store_true", help="the same of the figures stored before")
parser.add_argument("--update", action="store_true", help="guard: store the counts")
options = parser.parse_args()
os.environ["NFL_BUILD"] = os.path.abspath(options.build)
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import costs  # noqa: E402
import forward  # noqa: E402
import guard  # noqa: E402
import harness  # noqa: E402
import latency  # noqa: E402
import plot  # noqa: E402
import spaces as space_benches  # noqa: E402
from figures import cpu_seconds, resident_mib, title  # noqa: E402
from harness import pb, rpc  # noqa: E402

results = {}  # what --plot stores
LOGS = 8  # log statements for each packet: the log path, not the sender's stack, is the load
SIZE = 100  # UDP payload: 128-byte IP packets
ULOGD = """
[global]
logfile="{folder}/ulogd.log"
loglevel=5
plugin="{plugins}/ulogd_inppkt_NFLOG.so"
plugin="{plugins}/ulogd_filter_IFINDEX.so"
plugin="{plugins}/ulogd_filter_IP2STR.so"
plugin="{plugins}/ulogd_filter_HWHDR.so"
plugin="{plugins}/ulogd_raw2packet_BASE.so"
plugin="{plugins}/ulogd_output_JSON.so"
stack=log1:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,mac2str1:HWHDR,json1:JSON
[log1]
group=100
[json1]
sync=0
file="{folder}/ulogd.json"
"""


def quiet(read, seconds=0.6):
    """Wait until read() gives the same value for a while: the reader has taken what there is."""
    last, since = read(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.05)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
    return last


class Nflogd:
    """nflogd with `subscribers` clients that run `nflogctl subscribe ARGS`."""

    def __init__(self, spaces, folder, args=("--quiet",), subscribers=1):
        self.folder = folder
        self.daemon = harness.Daemon(config={"tenants": [{
            "name": "bench", "identities": [{"unix_uid": 0}],
            "limits": {"subscriptions": 512},
            "sources": [{"netns": ns.name, "groups": [100], "copy_bytes": 128} for ns in spaces]}]},
            folder=folder)
        self.stub = rpc.NflogServiceStub(self.daemon.channel())
        self.clients = [subprocess.Popen(
            [os.path.join(harness.BIN, "nflogctl"), "--server", self.daemon.address(), "subscribe",
             *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(subscribers)]
        harness.wait_until("subscribed", lambda: len(self.stats().subscriptions) == subscribers)
        self.base = self.cpu()

    def stats(self):
        return self.stub.GetStats(pb.GetStatsRequest())

    def cpu(self):
        return (cpu_seconds(self.daemon.process.pid),
                sum(cpu_seconds(client.pid) for client in self.clients))

    def finish(self):
        """({reader: CPU seconds}, delivered to the first client, reported lost)."""
        quiet(lambda: sorted(s.packets_sent for s in self.stats().subscriptions))
        server, client = (now - then for now, then in zip(self.cpu(), self.base))
        results = []
        for process in self.clients:
            process.send_signal(signal.SIGINT)
            results.append(harness.summary(process.communicate()[1]))
        self.daemon.stop()
        return {"nflogd": server, "client": client / len(self.clients)}, *min(results)


class Tcpdump:
    """With its own snaplen: libpcap sizes its receive buffer by -s, so `-s 128` would cut every
    batch of the kernel's short and lose eight packets of nine."""

    def __init__(self, spaces, folder):
        self.file = os.path.join(folder, "out.pcap")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", spaces[0].name, "tcpdump", "-n", "-Z", "root",
             "-i", "nflog:100", "-w", self.file], stderr=subprocess.PIPE)
        harness.wait_until("tcpdump listens", lambda: os.path.exists(self.file))
        self.base = cpu_seconds(self.process.pid)

    def finish(self):
        quiet(lambda: cpu_seconds(self.process.pid))  # it writes to its file in large blocks
        used = cpu_seconds(self.process.pid) - self.base
        self.process.send_signal(signal.SIGINT)
        err = self.process.communicate()[1].decode()
        return {"tcpdump": used}, int(re.search(r"(\d+) packets? captured", err).group(1)), None


class Ulogd:
    def __init__(self, spaces, folder):
        self.file = os.path.join(folder, "ulogd.json")
        plugins = os.path.dirname(next(path for path in harness.run("dpkg", "-L", "ulogd2").split()
                                       if path.endswith("ulogd_inppkt_NFLOG.so")))
        config = os.path.join(folder, "ulogd.conf")
        with open(config, "w") as f:
            f.write(ULOGD.format(folder=folder, plugins=plugins))
        self.process = subprocess.Popen(["ip", "netns", "exec", spaces[0].name, "ulogd", "-c", config])
        harness.wait_until("ulogd2 listens", lambda: os.path.exists(self.file) and re.search(
            r"^ *100 ", spaces[0].exec("cat", "/proc/net/netfilter/nfnetlink_log"), re.MULTILINE))
        self.base = cpu_seconds(self.process.pid)

    def finish(self):
        quiet(lambda: os.path.getsize(self.file))
        used = cpu_seconds(self.process.pid) - self.base
        self.process.terminate()
        self.process.wait()
        with open(self.file, "rb") as f:
            records = sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))
        return {"ulogd2 JSON": used}, records, None


def measure(make, spaces_count, rate, seconds, logs):
    """One run: (records generated, {reader: CPU}, delivered, lost)."""
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    spaces = []
    try:
        for i in range(spaces_count):
            spaces.append(harness.Netns(f"bench{i}"))
            spaces[-1].sink('udp dport 9 jump l\n}\nchain l {\n'
                            + 'log prefix "bench" group 100\n' * logs)
        reader = make(spaces, folder)
        command = [os.path.join(harness.BIN, "nflog_gen"), "--size", str(SIZE),
                   "--seconds", str(seconds)]
        for ns in spaces:
            command += ["--netns", ns.name]
        if rate:
            command += ["--rate", str(rate // logs)]
        started = time.monotonic()
        sent = harness.json.loads(harness.run(*command))["sent"] * logs
        elapsed = time.monotonic() - started
        cpu, delivered, lost = reader.finish()
        return sent, sent / elapsed, cpu, delivered, lost
    finally:
        for ns in spaces:
            ns.delete()
        shutil.rmtree(folder)


def line(name, make, spaces=1, rate=0, seconds=None, logs=LOGS, repeat=None):
    """Measure and print one line; returns {reader: median CPU us per delivered record}."""
    runs = [measure(make, spaces, rate, seconds or options.seconds, logs)
            for _ in range(repeat or options.repeat)]
    cost = {reader: statistics.median(cpu[reader] * 1e6 / max(delivered, 1)
                                      for _, _, cpu, delivered, _ in runs) for reader in runs[0][2]}
    missing = [sent - delivered for sent, _, _, delivered, _ in runs]
    reported = [lost for *_, lost in runs]
    generated = statistics.median(sent for sent, *_ in runs)
    told = "not told" if reported[0] is None else (
        "exact" if reported == missing else f"WRONG {reported} of {missing}")
    print(f"{name:36} {statistics.median(r for _, r, *_ in runs) / 1e3:8.0f} k/s "
          f"{100 * statistics.median(missing) / generated:7.2f} % lost ({told:8}) "
          + "  ".join(f"{reader} {us:.3f} us" for reader, us in cost.items()), flush=True)
    rate = statistics.median(r for _, r, *_ in runs)
    lost = statistics.median(missing) / generated
    return dict(cost, rate=rate, lost=lost, **{"delivered rate": rate * (1 - lost)})


def bench_compare():
    title(f"readers, 128-byte packets, {LOGS} log statements a packet, CPU us per delivered record")
    for rate in 100_000, 300_000, 0:
        cost = line("nflogd + nflogctl --quiet, BASIC", Nflogd, rate=rate)
        full = line("nflogd + nflogctl --quiet, FULL", lambda s, f: Nflogd(
            s, f, ("--quiet", "--view", "full")), rate=rate)
        json_ours = line("nflogd + nflogctl -o json", lambda s, f: Nflogd(s, f, ("-o", "json")),
                         rate=rate)
        dump = line("tcpdump -w", Tcpdump, rate=rate)
        ulogd = line("ulogd2 JSON", Ulogd, rate=rate)
        figures = {"nflogd": cost["nflogd"], "nflogd FULL": full["nflogd"],
                   "client": cost["client"], "client -o json": json_ours["client"],
                   "tcpdump -w": dump["tcpdump"], "ulogd2 JSON": ulogd["ulogd2 JSON"],
                   "lost": [runs["lost"] for runs in (cost, json_ours, dump, ulogd)],
                   "rate": cost["rate"], "json rate": json_ours["delivered rate"],
                   "ulogd2 rate": ulogd["delivered rate"]}
        results.setdefault("compare", {})[str(rate)] = figures
        print(f"{'':36} ratios: nflogd/tcpdump {cost['nflogd'] / dump['tcpdump']:.2f} "
              f"(FULL {full['nflogd'] / dump['tcpdump']:.2f}), ulogd2 JSON/nflogd "
              f"{ulogd['ulogd2 JSON'] / cost['nflogd']:.0f}, records/s of -o json and ulogd2 JSON "
              f"{json_ours['delivered rate'] / ulogd['delivered rate']:.1f}")


def bench_files():
    title(f"captures: nflogctl -w (pcapng, whole packets) and tcpdump -w, {LOGS} log statements a packet")
    ours = line("nflogd + nflogctl -w FILE", lambda s, f: Nflogd(
        s, f, ("-w", os.path.join(f, "out.pcapng"))))
    dump = line("tcpdump -w FILE", Tcpdump)
    results["files"] = [ours["delivered rate"], ours["lost"], ours["client"],
                        dump["delivered rate"], dump["lost"], dump["tcpdump"]]
    print(f"{'':36} records/s in the file {ours['delivered rate'] / dump['delivered rate']:.2f} of "
          f"tcpdump's, client/tcpdump {ours['client'] / dump['tcpdump']:.2f}")


def bench_memory():
    kept, wire = map(float, harness.run(os.path.join(harness.BIN, "bench_path"), "sizes").split())
    title("history: bytes kept for a record, over its bytes on the wire (FULL), fixtures")
    print(f"{kept:.1f} / {wire:.1f} = {kept / wire:.2f}")
    results["memory"] = [kept, wire]


def bench_issue():
    title("100,000 packets/s for 10 s in two namespaces, one subscriber counting")
    line("nflogd + nflogctl --quiet", Nflogd, spaces=2, rate=100_000, seconds=10, logs=1, repeat=1)


def bench_fanout():
    title("subscribers of the same packets, 300,000 records/s, CPU us per record (of the source)")
    counts = 1, 4, 16
    costs = [line(f"{count} x nflogctl --quiet", lambda s, f: Nflogd(s, f, subscribers=count),
                  rate=300_000)["nflogd"] for count in counts]
    print(f"{'':36} each further one: {(costs[-1] - costs[0]) / (counts[-1] - counts[0]):.3f} us")


def bench_idle():
    title("idle: 100 sources, 100 streams")
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    ns = harness.Netns("idle")
    try:
        daemon = harness.Daemon(config={"tenants": [{
            "name": "bench", "identities": [{"unix_uid": 0}], "limits": {"subscriptions": 512},
            "sources": [{"netns": ns.name, "groups": ["0-99"]}]}]}, folder=folder)
        channel = daemon.channel()
        streams = [harness.Stream(channel) for _ in range(100)]
        before, seconds = cpu_seconds(daemon.process.pid), 10
        time.sleep(seconds)  # what is measured is a time of nothing
        used = cpu_seconds(daemon.process.pid) - before
        print(f"nflogd {100 * used / seconds:.2f} % of a core, "
              f"{resident_mib(daemon.process.pid):.1f} MiB resident")
        for stream in streams:
            stream.cancel()
        channel.close()
        daemon.stop()
    finally:
        ns.delete()
        shutil.rmtree(folder)


BENCHES = {"compare": bench_compare, "issue": bench_issue, "fanout": bench_fanout,
           "idle": bench_idle, "live": space_benches.bench_live,
           "scale": space_benches.bench_scale, "flood": space_benches.bench_flood,
           "stuck": space_benches.bench_stuck, "filter": space_benches.bench_filter,
           "latency": lambda: latency.bench_latency(results, options.repeat),
           "costs": lambda: costs.bench_costs(results, options.repeat),
           "memory": bench_memory, "files": bench_files,
           "forward": lambda: forward.bench_forward(results, options.repeat), "guard": lambda: guard.bench_guard(options.update)}
PLOTTED = "compare", "latency", "costs", "memory", "files", "forward"


def end(*_):
    """SIGTERM: by default it would end the program at once and leave everything behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the cleanup is not to be cut short as well
    sys.exit(128 + signal.SIGTERM)


def children():
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                parent = int(f.read().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        if parent == os.getpid():
            yield int(path.split("/")[2])


def tidy():
    """What a bench that was cut short in the making could not know of."""
    for pid in list(children()):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    for path in glob.glob(f"/run/netns/nfl{os.getpid()}-*"):
        harness.run("ip", "netns", "del", os.path.basename(path))


def run_all(names):
    with tempfile.TemporaryDirectory(prefix="nfl-test-") as tempfile.tempdir:
        os.chmod(tempfile.tempdir, 0o755)  # nflogd reads certificates as another user
        signal.signal(signal.SIGTERM, end)
        try:
            for name in names:
                BENCHES[name]()
        finally:
            tidy()


def main():
    unknown = set(options.names) - set(BENCHES)
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}; there are {' '.join(BENCHES)}")
    print(f"{harness.run('uname', '-r').strip()}, {os.cpu_count()} cores, "
          f"{options.repeat} runs of {options.seconds} s, medians")
    if not options.plot_only:
        run_all(options.names or (PLOTTED if options.plot else BENCHES))
    if options.plot or options.plot_only:
        plot.draw(results)


if __name__ == "__main__":
    main()
