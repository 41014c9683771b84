# SPDX-License-Identifier: MIT
"""The attacks of test_attacks.py over TCP with TLS: by a peer that holds a certificate which the server
takes, the worst that the network can bring, and by peers that have none."""
import socket
import ssl
import unittest

import certs
import harness
import test_attacks
from test_attacks import PREFACE, SETTINGS, frame

BACK_AGAIN = 20  # connections of one that is cut and comes back at once


class AttacksByTls(test_attacks.Attacks):
    CONNECTIONS = 500  # each costs both ends a handshake

    def setUp(self):
        self.authority = None
        super().setUp()

    def serve(self, **options):
        if not self.authority:
            self.authority = certs.Authority(self.folder, "ca")
            self.server = self.authority.server()
            self.stranger = certs.Authority(self.folder, "other").leaf("stranger", cn="test")
            self.attacker = self.authority.leaf("attacker", cn="attacker")
        self.port = harness.free_port()
        super().serve(**options)

    def listen(self):
        return [*super().listen(), {"tcp": f"127.0.0.1:{self.port}", "tls": {
            "certificate": self.server.certificate, "private_key": self.server.private_key,
            "client_ca": self.authority.certificate}}]

    def identities(self):
        return [*super().identities(), {"cert_cn": "attacker"}]

    def connect(self):
        """TCP alone."""
        peer = socket.create_connection(("127.0.0.1", self.port), harness.PATIENCE_S)
        self.addCleanup(peer.close)
        return peer

    def secure(self, leaf):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.set_alpn_protocols(["h2"])
        if leaf:
            context.load_cert_chain(leaf.certificate, leaf.private_key)
        peer = context.wrap_socket(self.connect(), server_hostname="localhost")
        self.addCleanup(peer.close)
        return peer

    def is_over(self, error):
        return super().is_over(error) or isinstance(error, ssl.SSLError)

    def hello(self):
        peer = self.secure(self.attacker)
        peer.sendall(PREFACE + frame(SETTINGS, 0, 0))
        return peer

    def test_one_that_is_cut_and_comes_back_at_once(self):
        block = test_attacks.header_block()
        sent = 0
        for _ in range(BACK_AGAIN):
            peer = self.hello()
            sent += self.send_until_cut(peer, (
                b"".join(frame(test_attacks.HEADERS, test_attacks.END_HEADERS, stream, block)
                         + frame(test_attacks.RST_STREAM, 0, stream, test_attacks.CANCEL)
                         for stream in range(first, first + 400, 2))
                for first in range(1, 200_001, 400)))
            self.honest_packet()
        self.assertGreater(sent, BACK_AGAIN * 64 * 1024)  # it did try
        self.assert_unharmed()

    def test_strangers_do_not_reach_http2(self):
        for leaf in (None, self.stranger) * 10:
            try:
                peer = self.secure(leaf)
                peer.sendall(PREFACE + frame(SETTINGS, 0, 0))
                self.assertEqual(peer.recv(65536), b"")
            except (ssl.SSLError, ConnectionError):
                pass
        self.assert_unharmed()

    def test_handshakes_that_begin_and_stop(self):
        hello = bytes.fromhex("16030100c8010000c40303") + bytes(100)  # of a ClientHello the first half
        peers = [self.connect() for _ in range(200)]
        for peer in peers:
            peer.sendall(hello)
        self.honest_packet()
        for peer in peers:
            self.assertTrue(self.is_cut(peer))
        self.assert_unharmed()


def load_tests(loader, _tests, _pattern):
    """Those of the module that is imported are a test of their own."""
    return unittest.TestSuite([loader.loadTestsFromTestCase(AttacksByTls)])


if __name__ == "__main__":
    harness.main()
