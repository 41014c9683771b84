# SPDX-License-Identifier: MIT
"""Benches of many namespaces, of namespaces that come and go, and of one stuck client in a crowd."""
import collections
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import harness
from figures import cpu_seconds, resident_mib, title
from harness import pb, rpc

CROWD = 1000  # namespaces
IDLE_S = 10
TURNS = 50  # namespaces that come and go
SUBSCRIBERS = 100
RATE, RATE_S = 1000, 10  # packets/s while latency is measured
STORM_RATE = 200_000  # packets/s in the other namespace; for RATE_S and a half
FILTERED, FILTERED_RATE = 300_000, 100_000  # records for each count of filters
FLOOD, FLOOD_RATE = 150_000, 15_000  # more than a stuck client's connection takes


def make_daemon(folder, glob, **settings):
    return harness.Daemon(config={"tenants": [{
        "name": "bench", "identities": [{"unix_uid": 0}],
        "limits": {"subscriptions": 512, "stall_timeout_ms": 600_000},
        "sources": [dict({"netns": glob, "groups": [100]}, **settings)]}]}, folder=folder)


def many(verb, prefix):
    harness.run(sys.executable, os.path.join(os.path.dirname(__file__), "many.py"), verb, prefix,
                str(CROWD))


def listening(stub):
    answer = stub.ListSources(pb.ListSourcesRequest(page_size=5000))
    return sum(s.state == pb.SOURCE_STATE_LISTENING for s in answer.sources)


def measure_crowd(folder, prefix):
    started = time.monotonic()
    daemon = make_daemon(folder, f"{prefix}*")
    try:
        with daemon.channel() as channel:
            stub = rpc.NflogServiceStub(channel)
            harness.wait_until("all are bound", lambda: listening(stub) == CROWD)
            bound_s = time.monotonic() - started
            before = cpu_seconds(daemon.process.pid)
            time.sleep(IDLE_S)  # what is measured is a time of nothing
            used = cpu_seconds(daemon.process.pid) - before
            resident = resident_mib(daemon.process.pid)
            stream = harness.Stream(channel)
            many("send", prefix)
            stream.wait_accounted(CROWD)
            heard = len({packet.source_id for packet in stream.packets})
            stream.cancel()
    finally:
        daemon.stop()
    if (heard, len(stream.packets), stream.lost()) != (CROWD, CROWD, 0):
        raise AssertionError(f"a packet in each of {CROWD}: {heard} heard, "
                             f"{len(stream.packets)} packets, {stream.lost()} lost")
    print(f"all bound {1000 * bound_s:.0f} ms after the start of nflogd, idle {resident:.1f} MiB "
          f"resident and {100 * used / IDLE_S:.2f} % of a core; a packet in each: "
          f"{heard} of {CROWD} heard, {len(stream.packets)} packets, {stream.lost()} lost")


def bench_scale():
    title(f"{CROWD} namespaces in one daemon")
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    prefix = f"nfl{os.getpid()}-crowd"
    try:
        many("make", prefix)
        measure_crowd(folder, prefix)
    finally:
        many("remove", prefix)
        shutil.rmtree(folder)


def state_event(stream, begin, name, state):
    return any(r.source_event.source.netns == name and r.source_event.source.state == state
               for r in stream.events[begin:])


def come_and_go(stream, outside):
    """Seconds from `ip netns add` to LISTENING, and from `ip netns del` to the end of its devices."""
    begin, started = len(stream.events), time.monotonic()
    ns = harness.Netns("turn")
    try:
        stream.wait("it is listened to", lambda: state_event(
            stream, begin, ns.name, pb.SOURCE_STATE_LISTENING))
        came = time.monotonic() - started
        harness.run("ip", "link", "add", "turn", "netns", ns.name, "type", "veth", "peer", "name",
                    "out", "netns", outside.name)
    finally:
        ns.delete()
    started = time.monotonic()
    harness.wait_until("it is free", lambda: "out@" not in outside.ip("-o", "link", "show"))
    return came, time.monotonic() - started


def bench_live():
    title(f"{TURNS} namespaces that come and go, as seen by a subscriber and by the kernel")
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    outside = harness.Netns("outside")
    try:
        daemon = make_daemon(folder, f"nfl{os.getpid()}-t*")
        try:
            with daemon.channel() as channel:
                stream = harness.Stream(channel)
                turns = [come_and_go(stream, outside) for _ in range(TURNS)]
                stream.cancel()
        finally:
            daemon.stop()
        for what, values in (("from before `ip netns add` to LISTENING", [t[0] for t in turns]),
                             ("from after `ip netns del` to freed", [t[1] for t in turns])):
            print(f"{what:42} p50 {1000 * statistics.median(values):6.1f} ms, "
                  f"max {1000 * max(values):6.1f} ms")
    finally:
        outside.delete()
        shutil.rmtree(folder)


class Latency(harness.Stream):
    """From a packet's receipt by nflogd to this program; counts packets and holds none."""

    def __init__(self, channel, **request):
        self.count = 0
        self.seconds = None  # of each packet, while they are measured
        super().__init__(channel, **request)

    def _take(self, response):
        now = time.time()
        if response.WhichOneof("event") != "batch":
            super()._take(response)
            return
        self.count += len(response.batch.packets)
        if self.seconds is not None:
            self.seconds += [now - p.receive_time.seconds - p.receive_time.nanos / 1e9
                             for p in response.batch.packets]

    def wait_count(self, count):
        self.wait(f"{count} packets", lambda: self.count >= count)

    def measure(self, ns):
        """p99 of RATE_S seconds."""
        self.seconds = []
        goal = self.count + RATE * RATE_S
        ns.generate(RATE * RATE_S, rate=RATE)
        self.wait_count(goal)
        seconds, self.seconds = self.seconds, None
        return statistics.quantiles(seconds, n=100)[98]


def with_and_without(daemon, ns, clients):
    channel = daemon.channel()
    stream = Latency(channel)
    free = stream.measure(ns)
    clients[0].send_signal(signal.SIGSTOP)
    ns.generate(FLOOD, rate=FLOOD_RATE)
    stream.wait_count(RATE * RATE_S + FLOOD)
    stuck = stream.measure(ns)
    stats = rpc.NflogServiceStub(channel).GetStats(pb.GetStatsRequest())
    behind = [s.lag_bytes for s in stats.subscriptions if s.lag_bytes > 100_000]
    if len(behind) != 1:
        raise AssertionError(f"{len(behind)} clients are stuck, not one: the ratio means nothing")
    print(f"p99 of another subscriber {1000 * free:.2f} ms without, {1000 * stuck:.2f} ms with a "
          f"stuck one: ratio {stuck / free:.2f}; {len(behind)} behind, nflogd "
          f"{resident_mib(daemon.process.pid):.1f} MiB resident")
    stream.cancel()
    channel.close()


def bench_stuck():
    title(f"one stuck client among {SUBSCRIBERS}, {RATE} packets/s")
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    ns = harness.Netns("stuck")
    clients, daemon = [], None
    try:
        ns.sink('udp dport 9 log prefix "bench" group 100')
        daemon = make_daemon(folder, ns.name)
        clients = [subprocess.Popen(
            [os.path.join(harness.BIN, "nflogctl"), "--server", daemon.address(), "subscribe",
             "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(SUBSCRIBERS)]
        with daemon.channel() as channel:
            stub = rpc.NflogServiceStub(channel)
            harness.wait_until("subscribed", lambda: len(
                stub.GetStats(pb.GetStatsRequest()).subscriptions) == SUBSCRIBERS)
        with_and_without(daemon, ns, clients)
    finally:
        for client in clients:
            client.kill()
            client.wait()
        if daemon:
            daemon.stop()
        ns.delete()
        shutil.rmtree(folder)


def alone_and_beside(daemon, quiet, loud):
    channel = daemon.channel()
    stream = Latency(channel, netns=[quiet.name])
    watcher = subprocess.Popen(
        [os.path.join(harness.BIN, "nflogctl"), "--server", daemon.address(), "subscribe", "--netns",
         loud.name, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    flood = None
    try:
        alone = stream.measure(quiet)
        flood = subprocess.Popen(
            [os.path.join(harness.BIN, "nflog_gen"), "--netns", loud.name, "--count",
             str(STORM_RATE * RATE_S * 3 // 2), "--rate", str(STORM_RATE), "--size", "100"],
            stdout=subprocess.DEVNULL)
        beside = stream.measure(quiet)
        if flood.poll() is not None:
            raise AssertionError("the flood was over before the measurement was")
    finally:
        for process in (flood, watcher):
            if process:
                process.kill()
                process.wait()
    print(f"from receipt by nflogd to a subscriber, p99 {1000 * alone:.2f} ms alone, "
          f"{1000 * beside:.2f} ms beside {STORM_RATE} packets/s of another namespace: "
          f"ratio {beside / alone:.2f}; {stream.count} packets, {stream.lost()} lost")
    stream.cancel()
    channel.close()


def bench_flood():
    title(f"{RATE} packets/s in one namespace beside a flood in another")
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    spaces = []
    try:
        for name in ("quiet", "loud"):
            spaces.append(harness.Netns(name))
            spaces[-1].sink('udp dport 9 log prefix "bench" group 100')
        daemon = make_daemon(folder, f"nfl{os.getpid()}-*")
        try:
            alone_and_beside(daemon, *spaces)
        finally:
            daemon.stop()
    finally:
        for ns in spaces:
            ns.delete()
        shutil.rmtree(folder)


def filters_of(count):
    """So many terms, of which the last one matches every packet of the sink."""
    terms = [pb.PacketFilter(source_address=[pb.Cidr(address=bytes([192, 0, 2, i]), length=32)],
                             destination_port=[pb.PortRange(first=53)]) for i in range(count)]
    if terms:
        terms[-1] = pb.PacketFilter(destination_port=[pb.PortRange(first=9)])
    return terms


def cost_with(daemon, ns, terms):
    """CPU microseconds of nflogd for each record, with one subscriber that reads bytes only."""
    with daemon.channel() as channel:
        stub = rpc.NflogServiceStub(channel)
        subscribe = channel.unary_stream("/nflog.v1.NflogService/Subscribe",
                                         request_serializer=pb.SubscribeRequest.SerializeToString)
        request = pb.SubscribeRequest(include=terms, heartbeat_interval={"seconds": 60})
        call = subscribe(request)
        reader = threading.Thread(target=collections.deque, args=(swallow(call),),
                                  kwargs={"maxlen": 0})
        reader.start()

        def mine():
            return stub.GetStats(pb.GetStatsRequest()).subscriptions
        harness.wait_until("subscribed", mine)
        before = cpu_seconds(daemon.process.pid)
        ns.generate(FILTERED, rate=FILTERED_RATE)
        harness.wait_until("all is sent", lambda: mine()[0].packets_sent + mine()[0].packets_lost
                           >= FILTERED)
        used = cpu_seconds(daemon.process.pid) - before
        stats = mine()[0]
        call.cancel()
        reader.join()
        harness.wait_until("the stream has ended", lambda: not mine())
    if (stats.packets_sent, stats.packets_lost) != (FILTERED, 0):
        raise AssertionError(f"{stats.packets_sent} sent, {stats.packets_lost} lost: no figure")
    return 1e6 * used / FILTERED


def swallow(call):
    try:
        yield from call
    except harness.grpc.RpcError:  # it is cancelled in the end
        pass


def bench_filter():
    title(f"filters of one subscriber, {FILTERED_RATE} records/s, CPU us of nflogd per record")
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    ns = harness.Netns("filter")
    try:
        ns.sink('udp dport 9 log prefix "bench" group 100')
        daemon = make_daemon(folder, ns.name)
        try:
            costs = {count: cost_with(daemon, ns, filters_of(count)) for count in (0, 1, 16, 64)}
        finally:
            daemon.stop()
        print(", ".join(f"{count} terms {cost:.2f} us ({cost / costs[0]:.2f}x)"
                        for count, cost in costs.items()))
    finally:
        ns.delete()
        shutil.rmtree(folder)
