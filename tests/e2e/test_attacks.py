# SPDX-License-Identifier: MIT
"""What a hostile client does to the server: memory stays bounded, the others are served.

Frames of HTTP/2 are written by hand, as no client library would. Each attack is bounded in count; an
honest subscriber listens all the while and must get every packet.
"""
import os
import resource
import socket
import struct
import time

import harness
from harness import pb

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, CONTINUATION = 0, 1, 3, 4, 9
END_STREAM, END_HEADERS = 1, 4
CANCEL = struct.pack(">I", 8)
MEMORY_BYTES = 64 * 1024 * 1024
DESCRIPTORS = 100  # some fifty are the daemon's own


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(value):
    return bytes([len(value)]) + value.encode()


def header_block(path="/nflog.v1.NflogService/Subscribe"):
    """HPACK literals without an index: what a call needs."""
    fields = ((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"),
              ("te", "trailers"), ("content-type", "application/grpc"))
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def resident(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


class Attacks(harness.RealTest):
    CONNECTIONS = 10_000

    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink('udp dport 9 log prefix "red" group 100')
        self.serve()

    def serve(self, **options):
        # What the sanitizer keeps of freed memory is not the daemon's.
        self.serving = self.daemon(config={
            "limits": {"handshake_timeout_ms": 1000},
            "listen": self.listen(),
            "tenants": [{"name": "test", "identities": self.identities(),
                         "sources": [{"netns": self.ns.name, "groups": [100]}]}]},
            environment={"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"},
            **options)
        self.honest = self.subscribe(self.serving)
        self.seen = 0
        self.honest_packet()
        self.before = resident(self.serving.process.pid)

    def listen(self):
        return [{"unix": os.path.join(self.folder, str(self._daemons + 1), "nflogd.sock"),
                 "mode": "0600"}]

    def identities(self):
        return [{"unix_uid": os.getuid()}]

    def connect(self):
        peer = socket.socket(socket.AF_UNIX)
        self.addCleanup(peer.close)
        peer.connect(self.serving.socket)
        peer.settimeout(harness.PATIENCE_S)
        return peer

    def hello(self):
        peer = self.connect()
        peer.sendall(PREFACE + frame(SETTINGS, 0, 0))
        return peer

    def honest_packet(self):
        self.ns.send_udp("10.99.0.7", 9)
        self.seen += 1
        self.honest.wait_packets(self.seen)

    def is_cut(self, peer):
        """Has the server ended the connection? Takes what it sent until then."""
        try:
            while peer.recv(65536):
                pass
        except OSError as error:
            return self.is_over(error)
        return True

    def is_over(self, error):
        """Is this how the end of a connection shows?"""
        return isinstance(error, ConnectionError)

    def send_until_cut(self, peer, pieces):
        sent = 0
        try:
            for piece in pieces:
                peer.sendall(piece)
                sent += len(piece)
        except OSError as error:
            if not self.is_over(error):
                raise
        return sent

    def assert_unharmed(self):
        self.honest_packet()
        self.assertEqual(self.honest.lost(), 0)
        self.assertLess(resident(self.serving.process.pid) - self.before, MEMORY_BYTES)
        info = self.stub(self.serving).GetServerInfo(pb.GetServerInfoRequest())
        self.assertEqual(info.tenant, "test")

    def test_calls_that_are_reset_at_once(self):
        block = header_block()
        for _ in range(4):  # the attacker comes back
            peer = self.hello()
            pieces = (b"".join(frame(HEADERS, END_HEADERS, stream, block)
                               + frame(RST_STREAM, 0, stream, CANCEL)
                               for stream in range(first, first + 400, 2))
                      for first in range(1, 200_001, 400))
            self.assertLess(self.send_until_cut(peer, pieces), 16 * 1024 * 1024)
            self.assertTrue(self.is_cut(peer))
        self.assert_unharmed()

    def test_a_header_that_does_not_end(self):
        peer = self.hello()
        first = frame(HEADERS, 0, 1, header_block() + b"\0" + text("x") + b"\x7f\xff\xff\xff\x7f")
        pieces = (frame(CONTINUATION, 0, 1, b"x" * 16384) for _ in range(1280))
        peer.sendall(first)
        self.assertLess(self.send_until_cut(peer, pieces), 20 * 1024 * 1024)
        self.assertTrue(self.is_cut(peer))
        self.assert_unharmed()

    def test_connections_that_say_nothing_or_drip(self):
        silent = [self.connect() for _ in range(200)]
        dripping = [self.connect() for _ in range(20)]
        for peer in dripping:
            peer.sendall(PREFACE[:1])
        self.honest_packet()
        for peer in silent + dripping:
            self.assertTrue(self.is_cut(peer))
        self.assert_unharmed()

    def test_thousands_of_connections_that_are_cut(self):
        for _ in range(self.CONNECTIONS):
            with self.connect() as peer:
                self.send_until_cut(peer, [PREFACE + frame(SETTINGS, 0, 0) +
                                           frame(HEADERS, END_HEADERS, 1, header_block())])
        self.assert_unharmed()

        def descriptors():
            return len(os.listdir(f"/proc/{self.serving.process.pid}/fd"))
        harness.wait_until("the descriptors are given back", lambda: descriptors() < 200)

    def test_reflection_that_is_asked_and_never_read(self):
        question = b"\x22" + text("nflog.v1.NflogService")  # a long answer to a short question
        message = b"\0" + struct.pack(">I", len(question)) + question
        block = header_block("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        for _ in range(4):
            peer = self.hello()
            peer.sendall(b"".join(frame(HEADERS, END_HEADERS, stream, block)
                                  for stream in range(1, 200, 2)))
            peer.sendall(b"".join(frame(DATA, 0, stream, message)
                                  for _ in range(100) for stream in range(1, 200, 2)))
        self.assert_unharmed()

    def test_a_flood_of_streams_that_never_read(self):
        request = pb.SubscribeRequest(follow=True).SerializeToString()
        call = struct.pack(">BI", 0, len(request)) + request
        peers = [self.hello() for _ in range(20)]
        for peer in peers:
            self.send_until_cut(peer, (
                frame(HEADERS, END_HEADERS, stream, header_block()) + frame(DATA, END_STREAM, stream, call)
                for stream in range(1, 400, 2)))
        self.ns.generate(2000, rate=2000)
        self.seen += 2000
        self.honest.wait_packets(self.seen)
        self.assert_unharmed()

    def test_no_descriptors_left(self):
        """The listener must live on when the attackers have gone."""
        self.serving.stop()
        self.serve(wrapper=["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"])
        peers = []
        deadline = time.monotonic() + harness.PATIENCE_S
        refused = False
        while not refused and time.monotonic() < deadline:
            try:
                peer = self.hello()
                peers.append(peer)
                peer.settimeout(0.05)
                refused = peer.recv(65536) == b""  # else its SETTINGS
            except socket.timeout:
                pass
            except OSError as error:  # also before it could say hello
                if not self.is_over(error):
                    raise
                refused = True
        self.assertTrue(refused)
        self.honest_packet()
        for peer in peers:
            peer.close()

        def answers():
            try:
                return self.stub(self.serving).GetServerInfo(pb.GetServerInfoRequest()).tenant
            except harness.grpc.RpcError:
                return None
        harness.wait_until("the server answers again", answers)
        self.honest_packet()


if __name__ == "__main__":
    harness.main()
