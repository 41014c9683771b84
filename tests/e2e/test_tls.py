# SPDX-License-Identifier: MIT
"""Who a client is: certificates and tokens, over TLS, the unix socket and plaintext TCP."""
import hashlib
import os
import subprocess

import grpc

import certs
import harness
from harness import pb, rpc

TOKENS = {name: f"{name}-token-0123456789" for name in ("red", "blue")}


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
        self.port = port or harness.free_port()
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


class Identities(TlsTest):
    def test_each_kind_of_name_in_a_certificate_is_its_tenant(self):
        self.serve({"uri": [{"cert_uri": "spiffe://corp/red/one"}],
                    "glob": [{"cert_uri": "spiffe://corp/blue/*"}],
                    "dns": [{"cert_dns": "host.example"}],
                    "cn": [{"cert_cn": "green client"}]})
        leaf = self.authority.leaf
        for tenant, shown in (
                ("uri", leaf("a", ["URI:spiffe://corp/red/one"])),
                ("glob", leaf("b", ["URI:spiffe://corp/blue/any"])),
                ("dns", leaf("c", ["DNS:host.example"])),
                ("cn", leaf("d", cn="green client"))):
            with self.subTest(tenant):
                self.assertEqual(self.tenant_of(self.secure(shown)), tenant)
        for name, shown in (
                ("another URI", leaf("e", ["URI:spiffe://corp/red/two"])),
                ("one segment more", leaf("f", ["URI:spiffe://corp/blue/any/more"])),
                ("another host", leaf("g", ["DNS:other.example"])),
                ("a CN beside a DNS name", leaf("h", ["DNS:x.example"], cn="green client"))):
            with self.subTest(name):
                self.assertEqual(self.ask(self.secure(shown)), grpc.StatusCode.UNAUTHENTICATED)

    def test_the_certificate_is_named_as_the_principal(self):
        self.serve({"red": [{"cert_uri": "spiffe://corp/red/*"}]})
        shown = self.authority.leaf("client", ["URI:spiffe://corp/red/7"])
        self.assertEqual(self.ask(self.secure(shown)).principal, "cert spiffe://corp/red/7")

    def test_tokens_tell_tenants_over_tls_and_the_unix_socket(self):
        daemon = self.serve({name: [{"token_sha256": sha256(token)}]
                             for name, token in TOKENS.items()}, client_ca=False)
        for name, token in TOKENS.items():
            self.assertEqual(self.tenant_of(self.secure(), token), name)
            self.assertEqual(self.tenant_of(daemon.channel(), token), name)
        principal = self.ask(self.secure(), TOKENS["red"]).principal
        self.assertEqual(principal, f"token {sha256(TOKENS['red'])[:8]}")
        self.assertNotIn(TOKENS["red"], daemon.read_log())
        self.assertIn("client_ca=none", daemon.read_log(), "the log warns of the open port")

    def test_a_token_of_a_file_tells_its_tenant(self):
        path = os.path.join(self.folder, "token.sha256")
        with open(path, "w") as f:
            f.write(sha256(TOKENS["red"]) + "\n")
        self.serve({"red": [{"token_sha256_file": path}]}, client_ca=False)
        self.assertEqual(self.tenant_of(self.secure(), TOKENS["red"]), "red")

    def test_a_wrong_or_missing_or_malformed_token_is_unauthenticated(self):
        daemon = self.serve({"red": [{"token_sha256": sha256(TOKENS["red"])}]}, client_ca=False)
        good = f"Bearer {TOKENS['red']}"
        for headers in ([], [("authorization", "Bearer " + "x" * 20)],
                        [("authorization", f"Basic {TOKENS['red']}")],
                        [("authorization", "Bearer short")],
                        [("authorization", good), ("authorization", good)]):
            with self.subTest(headers):
                for channel in self.secure(), daemon.channel():
                    self.assertEqual(self.ask(channel, headers=headers or None),
                                     grpc.StatusCode.UNAUTHENTICATED)

    def test_a_token_alone_decides_beside_a_certificate_or_a_user(self):
        daemon = self.serve({"red": [{"cert_dns": "red.example"}, {"unix_uid": os.getuid()}],
                             "blue": [{"token_sha256": sha256(TOKENS["blue"])}]})
        shown = self.authority.leaf("client", ["DNS:red.example"])
        self.assertEqual(self.tenant_of(self.secure(shown)), "red")
        self.assertEqual(self.tenant_of(self.secure(shown), TOKENS["blue"]), "blue")
        self.assertEqual(self.tenant_of(daemon.channel(), TOKENS["blue"]), "blue")
        self.assertEqual(self.ask(self.secure(shown), "x" * 20), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(self.ask(daemon.channel(), "x" * 20), grpc.StatusCode.UNAUTHENTICATED)

    def test_a_token_over_plaintext_tcp_is_refused_even_from_whom_is_served_there(self):
        self.serve({"red": [{"token_sha256": sha256(TOKENS["red"])}],
                    "here": [{"loopback": True}]}, tls=False)
        def plain():
            return grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.assertEqual(self.tenant_of(plain()), "here")
        self.assertEqual(self.ask(plain(), TOKENS["red"]), grpc.StatusCode.UNAUTHENTICATED)
        self.assertIn("over TLS and the unix socket only", self.details)

    def test_plaintext_tcp_without_a_tenant_for_it_serves_nobody(self):
        self.serve({"red": [{"unix_uid": os.getuid()}]}, tls=False)
        self.assertEqual(self.ask(grpc.insecure_channel(f"127.0.0.1:{self.port}")),
                         grpc.StatusCode.UNAUTHENTICATED)

    def test_nflogctl_with_a_token(self):
        daemon = self.serve({name: [{"token_sha256": sha256(token)}]
                             for name, token in TOKENS.items()}, client_ca=False)
        path = os.path.join(self.folder, "token")

        def token_of(token):
            with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as f:
                f.write(token + "\n")
            return ["--token-file", path]

        for server in self.nflogctl_tls(), ["--server", daemon.address()]:
            out, err = self.run_nflogctl(*server, *token_of(TOKENS["blue"]), "status", "-o", "json")
            self.assertIn('"tenant":"blue"', out)
            self.assertEqual(err, "")
            self.run_nflogctl(*server, *token_of("x" * 20), "status", expect=3)
            self.run_nflogctl(*server, *token_of(TOKENS["red"]), "subscribe", "-n", "other",
                              expect=4)
            self.run_nflogctl(*server, "status", expect=3)

class Reload(TlsTest):
    def serve_here(self):
        return self.serve({"red": [{"unix_uid": os.getuid()},
                                   {"token_sha256": sha256(TOKENS["red"])}]}, client_ca=False)

    def reach(self, authority):
        """Does a new connection trust what is served now?"""
        channel = grpc.secure_channel(f"localhost:{self.port}", certs.credentials(authority))
        return not isinstance(self.ask(channel, TOKENS["red"]), grpc.StatusCode)

    def test_a_new_certificate_is_served_and_streams_do_not_notice(self):
        self.red.sink("udp dport 5001 log group 100")
        daemon = self.serve_here()
        channel = self.secure()
        self.addCleanup(channel.close)
        stream = harness.Stream(channel, token=TOKENS["red"])
        self.addCleanup(stream.cancel)
        other = certs.Authority(self.folder, "other")
        self.assertTrue(self.reach(self.authority))
        self.assertFalse(self.reach(other))
        other.server()  # in the files of before
        self.assertNotIn("rpc.tls", daemon.reload())
        self.assertTrue(self.reach(other))
        self.assertFalse(self.reach(self.authority))
        self.red.send_udp("10.99.0.7", 5001)
        stream.wait_packets(1)
        self.assertFalse(stream.ended.is_set())
        self.assertEqual(stream.lost(), 0)

    def test_a_broken_certificate_file_keeps_the_old_one_in_use_and_is_named(self):
        daemon = self.serve_here()
        before = certs.read(self.server.private_key)
        for broken in b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n":
            with open(self.server.private_key, "wb") as f:
                f.write(broken)
            log = daemon.reload()
            self.assertIn("rpc.tls", log)
            self.assertIn(self.server.private_key, log)
            self.assertTrue(self.reach(self.authority))
        os.unlink(self.server.certificate)
        self.assertIn(self.server.certificate, daemon.reload())
        self.assertTrue(self.reach(self.authority))
        self.assertNotIn(before.splitlines()[1].decode(), daemon.read_log())


if __name__ == "__main__":
    harness.main()
