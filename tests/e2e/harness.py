# SPDX-License-Identifier: MIT
"""What every end-to-end test stands on: namespaces, the real daemon, real clients, real packets.

Namespaces are named nfl<pid>-<name> and deleted at the end of the test, also on failure; daemons and
clients are ended by their process id. Nothing here sleeps to synchronise: everything waits for a
condition with a deadline.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BUILD = os.environ.get("NFL_BUILD") or os.path.join(os.getcwd(), "build", "dev")
BIN = os.path.join(BUILD, "bin")
sys.path.insert(0, os.path.join(BUILD, "python"))

import grpc  # noqa: E402
from nflog.v1 import nflog_pb2 as pb  # noqa: E402
from nflog.v1 import nflog_pb2_grpc as rpc  # noqa: E402

PATIENCE_S = 30  # how long a condition may take on a busy machine under sanitizers

# Sends what logged packets to a route on lo and drops them after the output chain has logged them:
# many messages for little work in the network stack.
SINK = """
table netdev sink {
  chain out { type filter hook egress device "lo" priority 0; policy drop; }
}
"""


def run(*command, **kwargs):
    """Run a command that must succeed; returns its standard output as text."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode(errors="replace")


def tool(path):
    """A program of Debian's: installed, or where ./dev has put it (need_tool)."""
    return shutil.which(os.path.basename(path)) or os.path.join(os.path.dirname(BUILD), "tools", path)


def wait_until(what, condition, patience_s=PATIENCE_S):
    """Wait for a true value of condition() and return it; fails naming `what`."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience_s} s: {what}")
        time.sleep(0.01)  # the pace of looking, not a time to hope for


def status_of(pid):
    """/proc/PID/status as a dictionary; empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def is_running(pid):
    return status_of(pid).get("State", "Z")[0] not in "ZX"


def child_of(pid, name):
    """The child of that name, or None."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            children = f.read().split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((int(c) for c in children if status_of(c).get("Name") == name), None)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Netns:
    """A network namespace with loopback up."""

    def __init__(self, name):
        self.name = f"nfl{os.getpid()}-{name}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def delete(self):
        if os.path.exists(f"/run/netns/{self.name}"):  # a test may have deleted it already
            subprocess.run(["ip", "netns", "del", self.name], check=False)

    def ip(self, *args):
        return run("ip", "-n", self.name, *args)

    def exec(self, *command, **kwargs):
        return run("ip", "netns", "exec", self.name, *command, **kwargs)

    def nft(self, rules):
        """Load nft rules; bytes are allowed, because a prefix may hold any."""
        if isinstance(rules, str):
            rules = rules.encode()
        self.exec("nft", "-f", "-", input=rules)

    def sink(self, log_rules):
        """Route 10.99.0.0/24 and fd99::/64 nowhere, with these log statements in the output hook."""
        self.ip("addr", "add", "10.99.0.1/32", "dev", "lo")
        self.ip("route", "add", "10.99.0.0/24", "dev", "lo")
        self.ip("-6", "addr", "add", "fd99::1/128", "dev", "lo", "nodad")
        self.ip("-6", "route", "add", "fd99::/64", "dev", "lo")
        self.nft("table inet logs { chain out { type filter hook output priority 0;\n"
                 + log_rules + "\n}\n}\n" + SINK)

    def python(self, code, *args, **kwargs):
        return self.exec("/usr/bin/python3", "-c", code, *args, **kwargs)

    def send_udp(self, address, port, payload=b"hello", count=1):
        family = "AF_INET6" if ":" in address else "AF_INET"
        self.python("import socket, sys\n"
                    f"s = socket.socket(socket.{family}, socket.SOCK_DGRAM)\n"
                    f"for i in range({count}):\n"
                    f"    s.sendto({payload!r}, ({address!r}, {port}))\n")

    def generate(self, count, rate=0, size=100, **options):
        """Exactly `count` UDP packets with nflog_gen into the sink; returns what was sent."""
        args = [os.path.join(BIN, "nflog_gen"), "--netns", self.name, "--count", str(count),
                "--size", str(size)]
        if rate:
            args += ["--rate", str(rate)]
        for name, value in options.items():
            args += [f"--{name}", str(value)]
        return json.loads(run(*args))["sent"]


def veth(left, left_if, left_addresses, right, right_if, right_addresses):
    """A cable between two namespaces, with addresses such as 10.1.1.1/24 on both ends."""
    run("ip", "link", "add", left_if, "netns", left.name, "type", "veth", "peer", "name", right_if,
        "netns", right.name)
    for end, device, addresses in ((left, left_if, left_addresses), (right, right_if, right_addresses)):
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            end.ip("addr", "add", address, "dev", device, *nodad)
        end.ip("link", "set", device, "up")


class Daemon:
    """A running nflogd with a unix socket of its own; ready when the constructor returns."""

    def __init__(self, config=None, args=(), folder=None, wrapper=(), environment=(),
                 program="nflogd"):
        """wrapper: a command that runs nflogd under its own process id (strace -D)."""
        self.folder = folder
        self.socket = os.path.join(folder, "nflogd.sock")
        self.log_path = os.path.join(folder, "nflogd.log")
        notify_name = folder + "/notify"  # abstract: nflogd is no longer root, folders may be
        command = [*wrapper, os.path.join(BIN, program), *args]
        self.config_path = os.path.join(folder, "nflogd.yaml")
        if config is not None:
            self.configure(config)
            command += ["--config", self.config_path]
        else:
            command += ["--listen", f"unix:{self.socket}"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind("\0" + notify_name)
            notify.settimeout(0.2)
            self.log = open(self.log_path, "ab")
            self.process = subprocess.Popen(command, stderr=self.log, stdout=self.log,
                                            env=dict(os.environ, NOTIFY_SOCKET="@" + notify_name,
                                                     **dict(environment)))
            self._wait_ready(notify)

    def _wait_ready(self, notify):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if b"READY=1" in notify.recv(4096):
                    return
            except socket.timeout:
                if self.process.poll() is not None:
                    break
        self.kill()
        raise AssertionError(f"nflogd did not become ready:\n{self.read_log()}")

    def configure(self, config):
        config.setdefault("listen", [{"unix": self.socket, "mode": "0600"}])
        with open(self.config_path, "w") as f:
            json.dump(config, f, indent=1)  # JSON is YAML

    def reload(self, config=None):
        """SIGHUP, and wait until it was carried out or refused; returns what was logged of it."""
        if config is not None:
            self.configure(config)
        before = len(self.read_log())
        self.process.send_signal(signal.SIGHUP)
        wait_until("the reload", lambda: re.search(r"config\.(reloaded|kept)",
                                                   self.read_log()[before:]))
        return self.read_log()[before:]

    def read_log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def address(self):
        return f"unix:{self.socket}"

    def channel(self):
        return grpc.insecure_channel(self.address())

    def stop(self, expect=0):
        """SIGTERM and wait; the exit code tells of leaks too (AddressSanitizer)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"nflogd did not stop:\n{self.read_log()}")
        self.log.close()
        if code != expect:
            raise AssertionError(f"nflogd ended with {code}, expected {expect}:\n{self.read_log()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


def bearer(token):
    """gRPC metadata for a bearer token; None: none is sent."""
    return [("authorization", f"Bearer {token}")] if token else None


class Stream:
    """A Python subscriber that collects everything in a thread."""

    def __init__(self, channel, token=None, **request):
        self.packets, self.losses, self.events, self.order = [], [], [], []
        self.started = None
        self.error = None
        self.ended = threading.Event()
        self._changed = threading.Condition()
        request.setdefault("follow", True)
        self.call = rpc.NflogServiceStub(channel).Subscribe(pb.SubscribeRequest(**request),
                                                            metadata=bearer(token))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.wait("started", lambda: self.started)

    def _read(self):
        try:
            for response in self.call:
                with self._changed:
                    self._take(response)
                    self._changed.notify_all()
        except grpc.RpcError as error:
            self.error = error
        with self._changed:
            self.ended.set()
            self._changed.notify_all()

    def _take(self, response):
        kind = response.WhichOneof("event")
        self.order.append(kind)
        if kind == "started":
            self.started = response.started
            self.sources = {s.source_id: s for s in response.started.sources}
        elif kind == "batch":
            self.packets.extend(response.batch.packets)
        elif kind == "loss":
            self.losses.append(response.loss)
        else:
            self.events.append(response)

    def wait(self, what, condition, patience_s=PATIENCE_S):
        with self._changed:
            done = self._changed.wait_for(lambda: condition() or self.ended.is_set(), patience_s)
            if not condition():
                state = f"stream ended: {self.error}" if done else f"not within {patience_s} s"
                raise AssertionError(f"{what}: {state}; {len(self.packets)} packets, "
                                     f"{self.lost()} lost")

    def wait_packets(self, count):
        self.wait(f"{count} packets", lambda: len(self.packets) >= count)
        return self.packets

    def wait_accounted(self, count):
        """Wait until delivered + reported lost is `count`; more than that fails as well."""
        self.wait(f"{count} packets accounted for", lambda: len(self.packets) + self.lost() >= count)

    def lost(self):
        return sum(loss.count for loss in self.losses)

    def wait_end(self):
        self.wait("end of the stream", self.ended.is_set)
        return self.error.code() if self.error else grpc.StatusCode.OK

    def cancel(self):
        self.call.cancel()
        self._thread.join(PATIENCE_S)


class RealTest(unittest.TestCase):
    """A test on real namespaces."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nfl-test-")
        os.chmod(self.folder, 0o755)  # nflogd reads its files again when it is no longer root
        self.addCleanup(shutil.rmtree, self.folder)
        self._daemons = 0

    def netns(self, name):
        made = Netns(name)
        self.addCleanup(made.delete)
        return made

    def daemon(self, config=None, args=(), **options):
        self._daemons += 1
        folder = os.path.join(self.folder, str(self._daemons))
        os.mkdir(folder)
        started = Daemon(config, args, folder, **options)
        self.addCleanup(self._end_daemon, started)
        return started

    def _end_daemon(self, daemon):
        failed = any(error for _, error in getattr(self._outcome, "errors", []) if error)
        if failed:
            print(daemon.read_log(), file=sys.stderr)
        daemon.stop()

    def daemon_for(self, *sources, **limits):
        """A daemon with one tenant and these sources: (namespace, groups, settings...)."""
        return self.daemon(config={"tenants": [{
            "name": "test",
            "identities": [{"unix_uid": os.getuid()}],
            "sources": [dict({"netns": ns.name, "groups": groups}, **settings)
                        for ns, groups, settings in sources],
            **({"limits": limits} if limits else {}),
        }]})

    def subscribe(self, daemon, **request):
        channel = daemon.channel()
        self.addCleanup(channel.close)
        stream = Stream(channel, **request)
        self.addCleanup(stream.cancel)
        return stream

    def stub(self, daemon):
        channel = daemon.channel()
        self.addCleanup(channel.close)
        return rpc.NflogServiceStub(channel)

    def nflogctl(self, daemon, *args, expect=0, patience_s=PATIENCE_S):
        """Run nflogctl to its end; returns (stdout, stderr) as bytes."""
        server = [] if "--server" in args else ["--server", daemon.address()]
        done = subprocess.run([os.path.join(BIN, "nflogctl"), *server, *args],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=patience_s)
        self.assertEqual(done.returncode, expect, done.stderr.decode(errors="replace"))
        return done.stdout, done.stderr

    def start_nflogctl(self, daemon, *args):
        """Start nflogctl in the background; subscribed when this returns (if it subscribes)."""
        before = self._subscriptions(daemon)
        process = subprocess.Popen(
            [os.path.join(BIN, "nflogctl"), "--server", daemon.address(), *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end_process, process)
        wait_until("nflogctl has subscribed", lambda: self._subscriptions(daemon) > before)
        return process

    def _subscriptions(self, daemon):
        return len(self.stub(daemon).GetStats(pb.GetStatsRequest()).subscriptions)

    @staticmethod
    def _end_process(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def assert_no_gap(self, packets):
        """Sequences of each source are 1 apart."""
        last = {}
        for packet in packets:
            if packet.source_id in last:
                self.assertEqual(packet.sequence, last[packet.source_id] + 1)
            last[packet.source_id] = packet.sequence


def summary(stderr):
    """(packets, lost) of nflogctl's last line on stderr: `-- 123 packets, 4 lost`."""
    numbers = re.findall(rb"^-- (\d+) packets?, (\d+) lost", stderr, re.MULTILINE)
    if not numbers:
        raise AssertionError(f"nflogctl printed no summary: {stderr!r}")
    return tuple(int(number) for number in numbers[-1])


def main():
    if os.getuid() != 0:
        sys.exit("end-to-end tests need root; see tests/e2e/rights.sh")
    unittest.main(verbosity=2)
