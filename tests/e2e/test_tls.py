# SPDX-License-Identifier: MIT
"""Who a client is: certificates and tokens, over TLS, the unix socket and plaintext TCP."""
import hashlib
import os
import socket
import subprocess

import grpc

import certs
import harness
from harness import pb, rpc

TOKENS = {name: f"{name}-token-0123456789" for name in ("red", "blue")}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class TlsTest(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.red = self.netns("red")
        self.authority = certs.Authority(self.folder, "ca")
        self.server = self.authority.server()

    def serve(self, identities, client_ca=True, tls=True, port=None):
        """A daemon on TCP with tenants of these identities: {"name": [identity, ...]}."""
        self.port = port or free_port()
        tcp = {"tcp": f"127.0.0.1:{self.port}"}
        if tls:
            tcp["tls"] = {"certificate": self.server.certificate,
                          "private_key": self.server.private_key}
            if client_ca:
                tcp["tls"]["client_ca"] = self.authority.certificate
        unix = {"unix": os.path.join(self.folder, str(self._daemons + 1), "nflogd.sock"),
                "mode": "0666"}
        return self.daemon(config={
            "listen": [unix, tcp],
            "tenants": [{"name": name, "identities": proofs,
                         "sources": [{"netns": self.red.name, "groups": [100]}]}
                        for name, proofs in identities.items()]})

    def ask(self, channel, token=None, headers=None):
        """GetServerInfo, or the status code that it ends with."""
        with channel:
            try:
                return rpc.NflogServiceStub(channel).GetServerInfo(
                    pb.GetServerInfoRequest(), metadata=headers or harness.bearer(token),
                    timeout=harness.PATIENCE_S)
            except grpc.RpcError as error:
                self.details = error.details()
                return error.code()

    def tenant_of(self, channel, token=None):
        info = self.ask(channel, token)
        self.assertNotIsInstance(info, grpc.StatusCode, getattr(self, "details", None))
        return info.tenant

    def secure(self, leaf=None):
        return grpc.secure_channel(f"localhost:{self.port}",
                                   certs.credentials(self.authority, leaf))

    def nflogctl_tls(self, leaf=None, authority=None):
        """nflogctl's options for this server."""
        shown = ["--tls-cert", leaf.certificate, "--tls-key", leaf.private_key] if leaf else []
        return ["--server", f"localhost:{self.port}", "--tls-ca",
                (authority or self.authority).certificate, *shown]

    def run_nflogctl(self, *args, expect=0):
        done = subprocess.run([os.path.join(harness.BIN, "nflogctl"), *args],
                              env=dict(os.environ, LSAN_OPTIONS="detect_leaks=0"),  # c-ares
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=harness.PATIENCE_S)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done.stdout.decode(), done.stderr.decode()


class Connections(TlsTest):
    def test_without_a_certificate_nobody_is_connected(self):
        daemon = self.serve({"red": [{"cert_uri": "spiffe://corp/red/*"},
                                     {"token_sha256": sha256(TOKENS["red"])}]})
        self.assertEqual(self.ask(self.secure()), grpc.StatusCode.UNAVAILABLE)
        self.assertEqual(self.ask(self.secure(), TOKENS["red"]), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("rpc.grpc", daemon.read_log(), "the failed handshake is told in the log")

    def test_a_certificate_of_another_authority_is_refused(self):
        self.serve({"red": [{"cert_uri": "spiffe://corp/red/*"}]})
        other = certs.Authority(self.folder, "other")
        shown = other.leaf("client", ["URI:spiffe://corp/red/7"])
        self.assertEqual(self.ask(self.secure(shown)), grpc.StatusCode.UNAVAILABLE)

    def test_plaintext_is_not_answered_on_a_tls_port(self):
        self.serve({"red": [{"loopback": True}]})
        self.assertEqual(self.ask(grpc.insecure_channel(f"localhost:{self.port}")),
                         grpc.StatusCode.UNAVAILABLE)

    def handshake(self, *args):
        """Does openssl s_client get through?"""
        shown = self.authority.leaf("openssl", ["URI:spiffe://corp/red/7"])
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-alpn", "h2",
             "-CAfile", self.authority.certificate, "-cert", shown.certificate, "-key",
             shown.private_key, "-verify_return_error", *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=harness.PATIENCE_S)
        return b"Cipher is (NONE)" not in done.stdout and b"Cipher is " in done.stdout

    def test_only_tls_1_2_and_newer_is_served(self):
        self.serve({"red": [{"cert_uri": "spiffe://corp/red/*"}]})
        self.assertTrue(self.handshake("-tls1_3"))
        self.assertTrue(self.handshake("-tls1_2"))
        # At security level 0 the client would do them: `openssl s_server` with the same is reached.
        self.assertFalse(self.handshake("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"))
        self.assertFalse(self.handshake("-tls1", "-cipher", "ALL:@SECLEVEL=0"))

    def test_broken_files_end_the_start_with_their_name(self):
        other = self.authority.leaf("other", ["DNS:localhost"])
        self.server.private_key = other.private_key
        with self.assertRaisesRegex(AssertionError, "other.key: is not the key of the certificate"):
            self.serve({"red": [{"cert_dns": "x.example"}]})

    def test_nflogctl_is_served_by_certificate_and_told_why_not(self):
        self.serve({"red": [{"cert_uri": "spiffe://corp/red/*"}]})
        shown = self.authority.leaf("client", ["URI:spiffe://corp/red/7"])
        out, _ = self.run_nflogctl(*self.nflogctl_tls(shown), "status", "-o", "json")
        self.assertIn(self.red.name, out)
        short = ["--connect-timeout", "2", "status"]
        _, err = self.run_nflogctl(*self.nflogctl_tls(), *short, expect=6)
        self.assertIn("another certificate of the client", err)
        other = certs.Authority(self.folder, "other")
        _, err = self.run_nflogctl(*self.nflogctl_tls(shown, other), *short, expect=6)
        self.assertIn("certificate verify failed", err)

    def test_a_reader_takes_its_new_certificate_when_it_connects_again(self):
        self.red.sink("udp dport 5001 log group 100")
        identities = {"red": [{"cert_uri": "spiffe://corp/red/*"}]}
        names = ["URI:spiffe://corp/red/7"]
        daemon = self.serve(identities)
        shown = self.authority.leaf("client", names)
        reader = subprocess.Popen(
            [os.path.join(harness.BIN, "nflogctl"), *self.nflogctl_tls(shown), "subscribe",
             "--count", "2"], env=dict(os.environ, LSAN_OPTIONS="detect_leaks=0"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end_process, reader)
        harness.wait_until("the subscription", lambda: "subscription.started" in daemon.read_log())
        self.red.send_udp("10.99.0.7", 5001)
        self.assertIn(b"5001", reader.stdout.readline())
        daemon.stop()
        # In the same files: another CA, for both sides.
        certs.Authority(self.folder, "ca")
        self.authority.leaf("client", names)
        self.authority.server()
        again = self.serve(identities, port=self.port)
        harness.wait_until("the subscription", lambda: "subscription.started" in again.read_log())
        self.red.send_udp("10.99.0.7", 5001)
        out, err = reader.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(reader.returncode, 0, err)
        self.assertIn(b"5001", out)


if __name__ == "__main__":
    harness.main()
