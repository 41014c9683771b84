# SPDX-License-Identifier: MIT
"""A nats-server with JetStream on a loopback port, and forwarders into it."""
import json
import os
import signal
import socket
import subprocess

import harness
from harness import wait_until

NFLOGCTL = os.path.join(harness.BIN, "nflogctl")
SERVER = harness.tool("usr/sbin/nats-server")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nats:
    """May be stopped, killed and started again; what it has stored stays."""

    def __init__(self, folder, **settings):
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.log = os.path.join(folder, "nats.log")
        self.config = os.path.join(folder, "nats.conf")
        self.settings = {"listen": f"127.0.0.1:{self.port}", "server_name": "test", "log_file": self.log,
                         **settings}
        self.jetstream = {"jetstream": {"store_dir": os.path.join(folder, "jetstream")}}
        self.process = None
        self.start()

    def start(self, stores=True):
        """stores: with JetStream; without, nothing that is published is confirmed."""
        with open(self.config, "w") as f:
            json.dump(dict(self.settings, **(self.jetstream if stores else {})), f)
        self.process = subprocess.Popen([SERVER, "-c", self.config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until("nats-server listens", self._listens)

    def _listens(self):
        if self.process.poll() is not None:
            raise AssertionError("nats-server ended:\n" + open(self.log).read())
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(harness.PATIENCE_S)

    def restart(self, number=signal.SIGTERM, stores=True):
        self.stop(number)
        self.start(stores)


class Forwarder:
    """A running nflogctl forward."""

    def __init__(self, folder, daemon, target, *args, **options):
        self.log_path = os.path.join(folder, f"forward-{os.urandom(4).hex()}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [NFLOGCTL, "-s", daemon.address(), "forward", "--to", target, *args],
                stdout=options.get("stdout", subprocess.DEVNULL), stderr=log)

    def read_log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def stop(self, expect=130):
        """SIGTERM: stores what it has and where it is."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(harness.PATIENCE_S)
        if code != expect:
            raise AssertionError(f"forward ended with {code}:\n{self.read_log()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class BrokerTest(harness.RealTest):
    def setUp(self):
        super().setUp()
        if not os.access(SERVER, os.X_OK):
            self.fail(f"{SERVER} is missing: ./dev setup fetches it")
        self.nats = Nats(self.folder)
        self.addCleanup(self.nats.stop, signal.SIGKILL)

    def forward(self, daemon, target, *args, **options):
        """Subscribed when this returns."""
        before = len(self.subscriptions(daemon))
        started = Forwarder(self.folder, daemon, target, *args, **options)
        self.addCleanup(started.kill)

        def is_subscribed():
            if started.process.poll() is not None:
                raise AssertionError(f"forward ended:\n{started.read_log()}")
            return len(self.subscriptions(daemon)) > before

        wait_until("the forwarder is subscribed", is_subscribed)
        return started

    def subscriptions(self, daemon):
        """None where it does not answer, or not yet."""
        try:
            return self.stub(daemon).GetStats(harness.pb.GetStatsRequest()).subscriptions
        except harness.grpc.RpcError:
            return []

    def read(self, source, *args, expect=0):
        """What subscribe --from shows of all that is stored: (objects, words on standard error)."""
        done = subprocess.run([NFLOGCTL, "subscribe", "--from", source, "--all", "--no-follow", "-o",
                               "json", "--utc", *args], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=4 * harness.PATIENCE_S, check=False)
        self.assertEqual(done.returncode, expect, done.stderr.decode())
        return ([json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode())
