# SPDX-License-Identifier: MIT
"""System calls of the running daemon that fail for a while (strace): it goes on, says what it cannot do,
and does it once it can; the loss equation holds all the time."""
import json
import os
import re
import subprocess

import harness
from harness import pb

GROUP = 100
GENERATED, RATE = 3000, 3000


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(child) for child in f.read().split()]


def opener_of(pid):
    """The process that opens: of the daemon's child, the only one without children."""
    while children(pid):
        pid = children(pid)[-1]
    return pid


class Faults:
    """While it is entered, calls of a process fail."""

    def __init__(self, find, folder, injection):
        """find(): the process; what failed before may have ended the one that was found."""
        self.find = find
        self.trace = os.path.join(folder, "trace")
        self.command = ["strace", "-f", "-qq", "-o", self.trace, "-e", f"inject={injection}",
                        "-e", f"trace={injection.split(':')[0]}"]
        self.process = None

    def _is_attached(self):
        try:
            if not self.process:
                self.pid = self.find()
                self.process = subprocess.Popen([*self.command, "-p", str(self.pid)])
            return self._is_traced()
        except FileNotFoundError:  # it has ended: the one that follows it
            if self.process:
                self.process.wait(harness.PATIENCE_S)
            self.process = None
            return False

    def _is_traced(self):
        tracers = []
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as f:
                tracers += re.findall(r"TracerPid:\t(\d+)", f.read())
        return all(int(tracer) == self.process.pid for tracer in tracers)

    def __enter__(self):
        harness.wait_until("strace has attached", self._is_attached)
        return self

    def count(self):
        """Calls that have failed so far."""
        with open(self.trace) as f:
            return f.read().count("(INJECTED)")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(harness.PATIENCE_S)


class Calls(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink(f'udp dport 9 log prefix "faults" group {GROUP}')
        self.under_test = self.daemon(config={
            "tenants": [{"name": "t", "identities": [{"unix_uid": os.getuid()}],
                         "sources": [{"netns": f"nfl{os.getpid()}-*", "groups": [GROUP]}]}]},
            environment={"ASAN_OPTIONS": "detect_leaks=0"})
        self.pid = self.under_test.process.pid

    def ask(self, method, request):
        """The answer; a connection that broke just now is made again."""
        def answer():
            try:
                return getattr(self.stub(self.under_test), method)(request, timeout=5)
            except harness.grpc.RpcError as error:
                if error.code() not in (harness.grpc.StatusCode.UNAVAILABLE,
                                        harness.grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise
            return None
        return harness.wait_until(f"an answer to {method}", answer)

    def states(self):
        answer = self.ask("ListSources", pb.ListSourcesRequest())
        return {source.netns: (source.state, source.detail) for source in answer.sources}

    def start_reader(self):
        """A subscriber that reconnects; its events go to a file as JSON."""
        self.out = os.path.join(self.folder, "out")
        before = len(self.ask("GetStats", pb.GetStatsRequest()).subscriptions)
        with open(self.out, "wb") as out:
            reader = subprocess.Popen(
                [os.path.join(harness.BIN, "nflogctl"), "--server", self.under_test.address(), "subscribe",
                 "-o", "json"], stdout=out, stderr=subprocess.PIPE)
        self.addCleanup(self._end_process, reader)
        harness.wait_until("nflogctl has subscribed", lambda: len(self.ask(
            "GetStats", pb.GetStatsRequest()).subscriptions) > before)
        return reader

    def read(self):
        """(packets, lost) that have come so far"""
        packets = lost = 0
        with open(self.out) as out:
            for line in out:
                if not line.endswith("\n"):
                    break
                event = json.loads(line)
                packets += "type" not in event
                lost += event.get("count", 0) if event.get("type") == "loss" else 0
        return packets, lost

    def check_traffic(self, injection):
        """A subscriber that reconnects gets, or is told to have missed, every packet."""
        reader = self.start_reader()
        with Faults(lambda: self.pid, self.folder, injection) as faults:
            generated = self.ns.generate(GENERATED, rate=RATE)
        self.assertGreater(faults.count(), 0)
        generated += self.ns.generate(1)
        harness.wait_until(f"all of {generated} packets", lambda: sum(self.read()) >= generated)
        self.assertEqual(sum(self.read()), generated)
        reader.terminate()
        reader.communicate(timeout=harness.PATIENCE_S)

    def test_packets_are_accounted_for_whatever_fails_on_their_way(self):
        """Netlink, the opener's answers, waiting, and gRPC's own reads and writes."""
        for injection in ("recvmsg:error=EINTR:when=1+2", "recvmsg:error=ENOBUFS:when=1+3",
                          "recvmsg:error=ENOMEM:when=1+3", "getsockopt:error=ENOBUFS:when=1+2",
                          "epoll_wait:error=EINTR:when=1+2", "sendmsg:error=ENOBUFS:when=3+20",
                          "sendmsg:error=EPIPE:when=3+20"):
            with self.subTest(injection=injection):
                self.check_traffic(injection)
        self.assertIsNone(self.under_test.process.poll())

    def test_connection_waits_where_it_cannot_be_accepted(self):
        for error in "EMFILE", "ENFILE", "ENOMEM", "EPERM", "ECONNABORTED":
            with self.subTest(error=error):
                with Faults(lambda: self.pid, self.folder, f"accept4:error={error}:when=1..5") as faults:
                    with harness.grpc.insecure_channel(
                            self.under_test.address(),
                            options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                        answer = harness.rpc.NflogServiceStub(channel).ListSources(
                            pb.ListSourcesRequest(), wait_for_ready=True,
                            timeout=harness.PATIENCE_S)
                    self.assertEqual(len(answer.sources), 1)
                    self.assertEqual(faults.count(), 5)

    def check_opener(self, number, injection, expected):
        """A namespace that comes while it cannot be opened says why, and is read soon after."""
        with Faults(lambda: opener_of(self.pid), self.folder, injection) as faults:
            late = self.netns(f"late{number}")
            harness.wait_until("the call is made", faults.count)
            if expected:
                state, detail = harness.wait_until(
                    "its state", lambda: self.states().get(late.name))
                self.assertEqual(state, pb.SOURCE_STATE_FAILED)
                self.assertRegex(detail, expected)
        harness.wait_until("it is listened to", lambda: self.states().get(
            late.name, (0,))[0] == pb.SOURCE_STATE_LISTENING)
        late.delete()

    def test_namespace_that_cannot_be_opened_says_why_and_is_opened_later(self):
        for number, (injection, expected) in enumerate((
                ("setns:error=EPERM", "CAP_SYS_ADMIN is missing.*trying again"),
                ("setns:error=ENOMEM", "Cannot allocate memory; trying again"),
                ("socket:error=EMFILE", "Too many open files; trying again"),
                ("bind:error=ENOMEM", "Cannot allocate memory; trying again"),
                ("sendto:error=ENOBUFS", "trying again"),
                ("inotify_add_watch:error=ENOSPC", None), ("openat:error=EMFILE", None),
                ("getdents64:error=EIO", None), ("sendmsg:error=ENOBUFS:when=1..3", None))):
            with self.subTest(injection=injection):
                self.check_opener(number, injection, expected)


if __name__ == "__main__":
    harness.main()
