# SPDX-License-Identifier: MIT
"""CPU of nflogd per record: with many namespaces, subscribers and filters, and under TLS."""
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import certs
import harness
import spaces
from figures import cpu_seconds, title
from harness import pb, rpc

NAMESPACES, NAMESPACES_RATE = (1, 10, 100, 1000), 100_000  # records/s, of all together
SUBSCRIBERS, SUBSCRIBERS_RATE = (1, 16, 256), 10_000
TLS_RATE = 300_000
LOGS = 8  # log statements a packet
TOKEN = "a-token-of-the-bench"
TOKEN_SHA256 = hashlib.sha256(TOKEN.encode()).hexdigest()
SECONDS = 2


def nflogctl(*server):
    return subprocess.Popen([os.path.join(harness.BIN, "nflogctl"), *server, "subscribe", "--quiet"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def cost(daemon, clients, generate):
    """CPU us of nflogd per record of the source; every client gets each, or says what it lost."""
    with daemon.channel() as channel:
        stub = rpc.NflogServiceStub(channel)

        def streams():
            return stub.GetStats(pb.GetStatsRequest()).subscriptions
        harness.wait_until("subscribed", lambda: len(streams()) == len(clients))
        before = cpu_seconds(daemon.process.pid)
        sent = generate()
        harness.wait_until("all is sent", lambda: all(
            s.packets_sent + s.packets_lost >= sent for s in streams()))
        used = cpu_seconds(daemon.process.pid) - before
        lost = sum(s.packets_lost for s in streams())
    for client in clients:
        client.send_signal(2)
        client.communicate()
    if lost:
        raise AssertionError(f"{lost} lost: no figure")
    return 1e6 * used / sent


def generate(names, rate, *args, logs=1):
    command = [os.path.join(harness.BIN, "nflog_gen"), "--seconds", str(SECONDS), "--size", "100",
               "--rate", str(rate // logs), *args]
    for name in names:
        command += ["--netns", name]
    return harness.json.loads(harness.run(*command))["sent"] * logs


def with_daemon(glob, measure, tcp=()):
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    os.chmod(folder, 0o755)
    try:
        daemon = harness.Daemon(config={
            "tenants": [{"name": "bench", "identities": [{"unix_uid": 0}, {"cert_dns": "bench"},
                                                         {"token_sha256": TOKEN_SHA256}],
                         "limits": {"subscriptions": 512},
                         "sources": [{"netns": glob, "groups": [100], "copy_bytes": 128}]}],
            "listen": [{"unix": os.path.join(folder, "nflogd.sock")}, *tcp]}, folder=folder)
        try:
            return measure(daemon)
        finally:
            daemon.stop()
    finally:
        shutil.rmtree(folder)


def in_crowd(count):
    prefix = f"nfl{os.getpid()}-crowd"
    many = [sys.executable, os.path.join(os.path.dirname(__file__), "many.py")]
    harness.run(*many, "make", prefix, str(count))
    try:
        def measure(daemon):
            with daemon.channel() as channel:
                stub = rpc.NflogServiceStub(channel)
                harness.wait_until("all are bound", lambda: spaces.listening(stub) == count)
            return cost(daemon, [nflogctl("--server", daemon.address())], lambda: generate(
                [f"{prefix}{i}" for i in range(count)], NAMESPACES_RATE, "--destination", "127.0.0.1"))
        return with_daemon(f"{prefix}*", measure)
    finally:
        harness.run(*many, "remove", prefix, str(count))


def in_one(measure, tcp=()):
    ns = harness.Netns("costs")
    try:
        ns.sink('udp dport 9 jump l\n}\nchain l {\n' + 'log prefix "bench" group 100\n' * LOGS)
        return with_daemon(ns.name, lambda daemon: measure(daemon, ns), tcp)
    finally:
        ns.delete()


def of_subscribers(count):
    return in_one(lambda daemon, ns: cost(
        daemon, [nflogctl("--server", daemon.address()) for _ in range(count)],
        lambda: generate([ns.name], SUBSCRIBERS_RATE, logs=LOGS)))




def of_tls(kind):
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    os.chmod(folder, 0o755)
    try:
        authority = certs.Authority(folder, "ca")
        server, client = authority.server(), authority.leaf("client", ["DNS:bench"])
        token = os.path.join(folder, "token")
        with open(token, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(TOKEN)
        port = harness.socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{port.getsockname()[1]}"
        port.close()
        tls = {"certificate": server.certificate, "private_key": server.private_key}
        if kind == "mutual TLS":
            tls["client_ca"] = authority.certificate
        arguments = {
            "unix": lambda daemon: ["--server", daemon.address()],
            "TLS": lambda daemon: ["--server", address.replace("127.0.0.1", "localhost"), "--tls-ca",
                                   authority.certificate, "--token-file", token],
            "mutual TLS": lambda daemon: ["--server", address.replace("127.0.0.1", "localhost"),
                                          "--tls-ca", authority.certificate, "--tls-cert",
                                          client.certificate, "--tls-key", client.private_key]}[kind]

        def measure(daemon, ns):
            return cost(daemon, [nflogctl(*arguments(daemon))],
                        lambda: generate([ns.name], TLS_RATE, logs=LOGS))
        return in_one(measure, tcp=[{"tcp": address, "tls": tls}])
    finally:
        shutil.rmtree(folder)


def of_filters(repeat):
    ns = harness.Netns("filter")
    try:
        ns.sink('udp dport 9 log prefix "bench" group 100')
        return with_daemon(ns.name, lambda daemon: {
            str(count): statistics.median(spaces.cost_with(daemon, ns, spaces.filters_of(count))
                                          for _ in range(repeat)) for count in (0, 1, 16, 64)})
    finally:
        ns.delete()


def bench_costs(results, repeat):
    title(f"CPU us of nflogd per record of the source, medians of {repeat}")
    figures = results.setdefault("costs", {})
    for what, values, measure in (("namespaces", NAMESPACES, in_crowd),
                                  ("subscribers", SUBSCRIBERS, of_subscribers),
                                  ("transport", ("unix", "TLS", "mutual TLS"), of_tls)):
        figures[what] = {str(value): statistics.median(measure(value) for _ in range(repeat))
                         for value in values}
        show(what, figures[what])
    figures["filters"] = of_filters(repeat)
    show("filters", figures["filters"])


def show(what, figures):
    print(f"{what:12} " + ", ".join(f"{value}: {us:.3f}" for value, us in figures.items()),
          flush=True)
