# SPDX-License-Identifier: MIT
"""nflogctl's command line: what is taken, what is refused and how, and the help."""
import os
import unittest

import fake
from fake import pb


class Usage(fake.CommandTest):
    def refused(self, *args):
        out, err = self.run_ctl(*args, expect=2)
        self.assertEqual(out, "")
        return err

    def test_what_is_not_known_is_named(self):
        for args, named in (
                ((), "Usage: nflogctl"),
                (("frobnicate",), "unknown command frobnicate"),
                (("--frob", "status"), "unknown option --frob"),
                (("-x", "status"), "unknown option -x"),
                (("subscribe", "--frob=1"), "unknown option --frob=1"),
                (("subscribe", "-x", "file"), "unknown option -x"),
                (("subscribe", "-qx", "file"), "unknown option -x"),
                (("status", "--netns", "red"), "unknown option --netns"),
                (("subscribe", "nosuch"), "tcpdump expression 'nosuch'"),
                (("status", "now"), "unexpected argument now"),
                (("list",), "expected one of netns, sources"),
                (("list", "netns", "sources"), "expected one of netns, sources"),
                (("list", "groups"), "list groups: expected netns or sources"),
                (("help", "frobnicate"), "unknown command frobnicate"),
                (("help", "list", "netns"), "unexpected argument netns")):
            with self.subTest(args=args):
                self.assertIn(named, self.refused(*args))

    def test_values_out_of_range_are_refused_with_what_was_expected(self):
        for args, named in (
                (("--group", "65536"), "--group 65536: expected a number from 0 to 65535"),
                (("--group", "-1"), "--group -1: expected a number"),
                (("--group", " 1"), "expected a number"),
                (("--group", "1x"), "expected a number"),
                (("--group", ""), "expected a number"),
                (("--count", "0"), "--count 0: expected a number from 1"),
                (("--count", "18446744073709551616"), "expected a number from 1"),
                (("--payload", "0"), "expected a number from 1 to 65535"),
                (("--netns", ""), "expected a name"),
                (("--view", "all"), "expected basic, full or raw"),
                (("-o", "xml"), "expected compact, table"),
                (("--color", "red"), "expected auto, always or never"),
                (("--heartbeat", "0"), "expected seconds"),
                (("--heartbeat", "nan"), "expected seconds"),
                (("--label", "x" * 65), "expected at most 64 bytes"),
                (("--group",), "option --group needs a value"),
                (("--quiet=yes",), "option --quiet takes no value"),
                (("--server", "nonsense"), "--server nonsense: expected unix:/PATH"),
                (("--server", "http://host:1"), "expected unix:/PATH")):
            with self.subTest(args=args):
                self.assertIn(named, self.refused("subscribe", *args))
        self.assertIn("expected table or json", self.refused("status", "-o", "compact"))

    def test_options_that_exclude_each_other_are_refused(self):
        for args in (("-q", "-o", "json"), ("--payload", "10", "--view", "basic"),
                     ("--date", "-o", "json")):
            with self.subTest(args=args):
                self.assertIn("--", self.refused("subscribe", *args))

    def test_refused_words_do_not_reach_the_terminal_raw(self):
        err = self.refused("\x1b[31mred\x07")
        self.assertIn("\\x1b[31mred\\x07", err)
        self.assertTrue(err.replace("\n", "").isprintable())

    def test_help_of_every_command_goes_to_standard_output(self):
        everything, _ = self.run_ctl("--help")
        self.assertEqual(everything, self.run_ctl("help")[0])
        for command in "subscribe", "list", "status":
            with self.subTest(command=command):
                self.assertIn(command, everything)
                text, err = self.run_ctl("help", command)
                self.assertIn(f"Usage: nflogctl {command} [OPTION]...", text)
                self.assertEqual(err, "")
                self.assertEqual(text, self.run_ctl(command, "--help")[0])
                self.assertEqual(text, self.run_ctl("-h", command)[0])

    def test_version_is_printed_with_and_without_a_command(self):
        for args in ("--version",), ("-V",), ("list", "--version"):
            out, _ = self.run_ctl(*args)
            self.assertRegex(out, r"^nflogctl \d+\.\d+\.\d+\n$")


class Common(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.serve(ListNetns=pb.ListNetnsResponse(netns=[pb.Netns(name="red")]))

    def test_server_is_taken_before_and_after_the_command_and_from_the_environment(self):
        for args, env in (
                (("--server", self.address, "list", "netns"), {}),
                (("list", "--server", self.address, "netns"), {}),
                (("list", "netns", f"--server={self.address}"), {}),
                (("list", "netns", "-s", self.address[len("unix:"):]), {}),
                (("list", "netns", "-s", "unix://" + self.address[len("unix:"):]), {}),
                (("list", "netns"), {"NFLOGCTL_SERVER": self.address}),
                (("-s", self.address, "list", "netns"), {"NFLOGCTL_SERVER": "/nonexistent"})):
            with self.subTest(args=args):
                self.assertIn("red", self.run_ctl(*args, env=env)[0])

    def test_numeric_and_named_tcp_addresses_are_taken(self):
        server = fake.grpc.server(fake.futures.ThreadPoolExecutor(max_workers=2))
        fake.rpc.add_NflogServiceServicer_to_server(self.service, server)
        addresses = {host: server.add_insecure_port(f"{host}:0") for host in ("127.0.0.1", "[::1]")}
        server.start()
        self.addCleanup(lambda: server.stop(0).wait())
        addresses["localhost"] = addresses["127.0.0.1"]
        # Of Debian's c-ares, which looks up the name, 10 bytes are left.
        env = {"LSAN_OPTIONS": "print_suppressions=0:suppressions="
               + os.path.join(os.path.dirname(__file__), "lsan.supp")}
        for host, port in addresses.items():
            with self.subTest(host=host):
                out, _ = self.run_ctl("list", "netns", "-s", f"{host}:{port}", env=env)
                self.assertIn("red", out)


class Request(fake.CommandTest):
    def request(self, *args):
        self.serve(Subscribe=[fake.started()])
        self.run_ctl("subscribe", "-q", *args)
        return self.service.requests[0]

    def test_every_option_is_asked_of_the_server(self):
        request = self.request("-n", "red", "--netns", "blue", "-g", "0", "--group", "65535",
                               "--count", "10", "--payload", "64", "--heartbeat", "1.5",
                               "--label", "me")
        self.assertEqual(list(request.netns), ["red", "blue"])
        self.assertEqual(list(request.groups), [0, 65535])
        self.assertEqual(request.max_packets, 10)
        self.assertEqual(request.payload_limit, 64)
        self.assertEqual(request.view, pb.PACKET_VIEW_FULL)  # a payload is wanted
        self.assertEqual(request.heartbeat_interval.ToMilliseconds(), 1500)
        self.assertEqual(request.client_label, "me")
        self.assertTrue(request.follow)

    def test_nothing_more_than_a_label_and_large_batches_are_asked_without_options(self):
        request = self.request()
        self.assertTrue(request.client_label.startswith("nflogctl@"))
        self.assertEqual(request, pb.SubscribeRequest(
            follow=True, client_label=request.client_label,
            batch=pb.BatchPolicy(max_packets=1024, max_bytes=262144)))

    def test_raw_view_stays_raw_with_a_payload_limit(self):
        request = self.request("--view", "raw", "--payload", "64")
        self.assertEqual(request.view, pb.PACKET_VIEW_RAW)


if __name__ == "__main__":
    unittest.main()
