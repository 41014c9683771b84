# SPDX-License-Identifier: MIT
"""nflogctl's TLS and tokens: options, environment, what is sent, and what is said when it fails."""
import os
import sys
import unittest

import fake
from fake import grpc, pb

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "e2e"))
import certs  # noqa: E402

TOKEN = "0123456789abcdef"
# Of Debian's c-ares 10 bytes are left, and of a handshake that the end of the program overtakes,
# what OpenSSL had for it.
NO_LEAKS_OF_LIBRARIES = ("print_suppressions=0:suppressions="
                         + os.path.join(os.path.dirname(__file__), "lsan.supp"))


class Secure(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.tokens = []
        self.authority = certs.Authority(self.folder, "ca")

    def answers(self):
        def list_netns(request, context):
            self.tokens.append([value for key, value in context.invocation_metadata()
                                if key == "authorization"])
            return pb.ListNetnsResponse(netns=[pb.Netns(name="red")])
        return {"ListNetns": list_netns}

    def serve_tls(self, client_certificates=True):
        leaf = self.authority.server()
        server = grpc.server(fake.futures.ThreadPoolExecutor(max_workers=4))
        fake.rpc.add_NflogServiceServicer_to_server(fake.Service(**self.answers()), server)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(
            [(certs.read(leaf.private_key), certs.read(leaf.certificate))],
            certs.read(self.authority.certificate) if client_certificates else None,
            client_certificates))
        server.start()
        self.addCleanup(lambda: server.stop(0).wait())
        self.address = f"localhost:{port}"
        return port

    def token_file(self, token=TOKEN, mode=0o600):
        path = os.path.join(self.folder, "token")
        with open(path, "w") as f:
            f.write(token + "\n")
        os.chmod(path, mode)
        return path

    def list_netns(self, *args, expect=0, **environment):
        env = {"NFLOGCTL_SERVER": self.address, "LSAN_OPTIONS": NO_LEAKS_OF_LIBRARIES,
               **environment}
        patience = ["--connect-timeout", "1"] if expect == 6 else []
        return self.run_ctl("list", "netns", *patience, *args, expect=expect, env=env)

    def test_a_certificate_and_a_token_are_shown_by_options(self):
        self.serve_tls()
        leaf = self.authority.leaf("client", ["URI:spiffe://x/y"])
        out, err = self.list_netns("--tls-ca", self.authority.certificate, "--tls-cert",
                                   leaf.certificate, "--tls-key", leaf.private_key,
                                   "--token-file", self.token_file())
        self.assertIn("red", out)
        self.assertEqual(err, "")
        self.assertEqual(self.tokens, [[f"Bearer {TOKEN}"]])

    def test_the_same_comes_from_the_environment(self):
        self.serve_tls()
        leaf = self.authority.leaf("client", ["URI:spiffe://x/y"])
        environment = {"NFLOGCTL_TLS_CA": self.authority.certificate,
                       "NFLOGCTL_TLS_CERT": leaf.certificate,
                       "NFLOGCTL_TLS_KEY": leaf.private_key,
                       "NFLOGCTL_TOKEN_FILE": self.token_file()}
        self.assertIn("red", self.list_netns(**environment)[0])
        self.assertEqual(self.tokens, [[f"Bearer {TOKEN}"]])
        # An option wins.
        other = certs.Authority(self.folder, "other")
        err = self.list_netns("--tls-ca", other.certificate, expect=6, **environment)[1]
        self.assertIn("certificate verify failed", err)

    def test_what_the_environment_says_of_tls_is_not_for_a_unix_socket(self):
        self.serve(**self.answers())
        environment = {"NFLOGCTL_TLS_CA": "/nonexistent", "NFLOGCTL_TLS_CERT": "/nonexistent",
                       "NFLOGCTL_TOKEN_FILE": self.token_file()}
        self.assertIn("red", self.list_netns(**environment)[0])
        self.assertEqual(self.tokens, [[f"Bearer {TOKEN}"]])

    def test_a_name_for_the_certificate_of_an_address(self):
        port = self.serve_tls(client_certificates=False)
        args = ["--tls-ca", self.authority.certificate, "-s", f"127.0.0.1:{port}"]
        self.assertIn("red", self.list_netns(*args, "--tls-name", "localhost")[0])
        self.assertIn("red", self.list_netns(*args)[0], "the certificate has the address, too")
        err = self.list_netns(*args, "--tls-name", "other.example", expect=6)[1]
        self.assertIn("other.example is not in peer certificate", err)

    def test_without_a_token_none_is_sent(self):
        self.serve_tls(client_certificates=False)
        self.list_netns("--tls-ca", self.authority.certificate)
        self.assertEqual(self.tokens, [[]])

    def test_why_a_connection_fails_is_said(self):
        port = self.serve_tls()
        ca = ["--tls-ca", self.authority.certificate]
        one, two = (self.authority.leaf(name, ["URI:x:y"]) for name in ("one", "two"))
        broken = self.token_file("-----BEGIN CERTIFICATE-----")
        for args, said in (
                ([], "it may want TLS"),
                (ca, "may want another certificate of the client"),
                (["--tls"], "certificate verify failed"),
                (ca + ["-s", f"127.0.0.2:{port}"], "Connection refused"),
                (ca + ["--tls-cert", one.certificate, "--tls-key", two.private_key],
                 "key and certificate do not match"),
                (["--tls-ca", broken], "files of TLS are broken")):
            with self.subTest(args):
                self.assertIn(said, self.list_netns(*args, expect=6)[1])

    def test_a_token_is_never_sent_over_plaintext_tcp(self):
        self.address = "127.0.0.1:1"
        path = self.token_file()
        for args, environment in ((["--token-file", path], {}),
                                  ([], {"NFLOGCTL_TOKEN_FILE": path}),
                                  ([], {"NFLOGCTL_TOKEN_FILE": path,
                                        "NFLOGCTL_TLS_CERT": path})):
            with self.subTest(args=args, environment=environment):
                err = self.list_netns(*args, expect=2, **environment)[1]
                self.assertIn("over TLS and the unix socket only", err)

    def test_options_that_contradict_each_other_are_wrong_usage(self):
        tcp = ["-s", "127.0.0.1:1"]
        for args, said in (
                (["-s", "/x", "--tls"], "--tls: a unix socket has no TLS"),
                (["-s", "/x", "--tls-ca", "f"], "--tls-ca: a unix socket has no TLS"),
                (["-s", "/x", "--tls-name", "f"], "--tls-name: a unix socket has no TLS"),
                (tcp + ["--tls-cert", "f", "--tls-key", "f"], "--tls-cert: needs --tls-ca or --tls"),
                (tcp + ["--tls-name", "f"], "--tls-name: needs --tls-ca or --tls"),
                (tcp + ["--tls", "--tls-cert", "f"], "one needs the other"),
                (tcp + ["--tls", "--tls-key", "f"], "one needs the other"),
                (tcp + ["--tls-ca", ""], "--tls-ca : expected")):
            with self.subTest(args):
                self.assertIn(said, self.run_ctl("status", *args, expect=2)[1])

    def test_a_file_that_cannot_be_used_is_named_before_connecting(self):
        self.address = f"unix:{self.folder}/none"
        self.assertIn("/nonexistent: No such file",
                      self.list_netns("--token-file", "/nonexistent", expect=1)[1])
        err = self.list_netns("--token-file", self.token_file("short"), expect=1)[1]
        self.assertIn("expected a token", err)
        err = self.list_netns("-s", "127.0.0.1:1", "--tls-ca", self.token_file(), expect=1)[1]
        self.assertIn("expected PEM", err)
        self.assertNotIn(TOKEN, err)

    def test_a_token_that_others_can_read_is_warned_of(self):
        self.serve(**self.answers())
        err = self.list_netns("--token-file", self.token_file(mode=0o644))[1]
        self.assertIn("warning: --token-file", err)
        self.assertEqual(self.list_netns("--token-file", self.token_file(mode=0o640))[1], "")

    def test_a_token_from_a_pipe_serves_all_calls(self):
        self.serve(**self.answers(), GetServerInfo=pb.GetServerInfoResponse(), GetStats=(
            lambda request, context: self.answers()["ListNetns"](request, context)
            and pb.GetStatsResponse()))
        read, write = os.pipe()
        os.write(write, f"{TOKEN}\n".encode())
        os.close(write)
        self.run_ctl("status", "--token-file", f"/dev/fd/{read}", pass_fds=[read],
                     env={"NFLOGCTL_SERVER": self.address})
        os.close(read)
        self.assertEqual(self.tokens, [[f"Bearer {TOKEN}"]])

    def test_a_stream_that_begins_again_sends_the_token_that_the_file_has_then(self):
        tokens = []

        def subscribe(request, context):
            tokens.append(dict(context.invocation_metadata()).get("authorization"))
            yield fake.started()
            if len(tokens) == 1:
                self.token_file("another-token-0123456789")
                context.abort(grpc.StatusCode.UNAVAILABLE, "restarting")
            yield fake.batch(fake.packet())

        self.serve(Subscribe=subscribe)
        self.run_ctl("subscribe", "--count", "1", "--token-file", self.token_file())
        self.assertEqual(tokens, [f"Bearer {TOKEN}", "Bearer another-token-0123456789"])

    def test_refusals_have_their_exit_codes(self):
        for code, exit_code in ((grpc.StatusCode.UNAUTHENTICATED, 3),
                                (grpc.StatusCode.PERMISSION_DENIED, 4)):
            with self.subTest(code):
                self.serve(ListNetns=(code, "no"))
                self.list_netns("--token-file", self.token_file(), expect=exit_code)


if __name__ == "__main__":
    unittest.main()
