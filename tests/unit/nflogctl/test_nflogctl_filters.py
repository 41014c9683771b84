# SPDX-License-Identifier: MIT
"""nflogctl subscribe's filters: options and tcpdump expressions as the request they become."""
import json
import struct
import unittest

import fake
from fake import pb
from google.protobuf import json_format


class Filters(fake.CommandTest):
    def request(self, *args):
        """The request, read by protobuf's own JSON."""
        out, err = self.run_ctl("subscribe", "--print-request", *args, expect=0)
        self.assertEqual(err, "")
        return json_format.Parse(out, pb.SubscribeRequest())

    def refused(self, *args):
        out, err = self.run_ctl("subscribe", "--print-request", *args, expect=2)
        self.assertEqual(out, "")
        return err

    def one(self, *args):
        request = self.request(*args)
        self.assertEqual((len(request.include), len(request.exclude)), (1, 0))
        return request.include[0]

    def test_every_option_fills_its_field(self):
        cidr = pb.Cidr(address=bytes([10, 0, 0, 0]), length=8)
        v6 = pb.Cidr(address=bytes.fromhex("20010db8") + bytes(12), length=32)
        for args, expected in (
                (("--src", "10.0.0.0/8"), {"source_address": [cidr]}),
                (("--dst", "2001:db8::/32"), {"destination_address": [v6]}),
                (("--host", "10.0.0.0/8"), {"any_address": [cidr]}),
                (("--sport", "53"), {"source_port": [pb.PortRange(first=53, last=53)]}),
                (("--dport", "80-90"), {"destination_port": [pb.PortRange(first=80, last=90)]}),
                (("--port", "0"), {"any_port": [pb.PortRange()]}),
                (("--proto", "tcp", "--proto", "47"), {"protocol": [6, 47]}),
                (("--ip-version", "6"), {"ip_version": [6]}),
                (("--tcp-flags", "syn,ack"), {"tcp_flags": [pb.MaskedValue(value=0x12)]}),
                (("--icmp-type", "8"), {"icmp_type": [8]}),
                (("--prefix", "drop: "), {"prefix": [pb.StringMatch(exact="drop: ")]}),
                (("--prefix", "drop*"), {"prefix": [pb.StringMatch(glob="drop*")]}),
                (("--mark", "0x10/0xff"), {"mark": [pb.MaskedValue(value=16, mask=255)]}),
                (("--hook", "forward"), {"hook": [pb.HOOK_FORWARD]}),
                (("-i", "eth0"), {"any_interface": [pb.StringMatch(exact="eth0")]}),
                (("--in", "veth*"), {"input_interface": [pb.StringMatch(glob="veth*")]}),
                (("--out", "eth0"), {"output_interface": [pb.StringMatch(exact="eth0")]}),
                (("--uid", "0"), {"uid": [0]}),
                (("--gid", "1000"), {"gid": [1000]}),
                (("--mac", "02:00:00:00:00:01"), {"hw_address": [bytes.fromhex("020000000001")]}),
                (("--vlan", "7"), {"vlan_id": [7]}),
                (("--ether-type", "arp"), {"hw_protocol": [0x806]}),
                (("--family", "bridge"), {"family": [pb.FAMILY_BRIDGE]})):
            with self.subTest(args=args):
                self.assertEqual(self.one(*args), pb.PacketFilter(**expected))

    def test_options_are_anded_and_values_of_one_ored(self):
        term = self.one("--proto", "udp", "--dport", "53", "--proto", "tcp")
        self.assertEqual(list(term.protocol), [17, 6])
        self.assertEqual(len(term.destination_port), 1)

    def test_or_begins_an_alternative(self):
        request = self.request("--proto", "udp", "--or", "--proto", "tcp", "--dport", "22")
        self.assertEqual([list(t.protocol) for t in request.include], [[17], [6]])
        self.assertEqual(len(request.include[1].destination_port), 1)

    def test_not_holds_back_what_the_next_option_matches(self):
        request = self.request("--not", "--uid", "0", "--proto", "tcp", "--not", "--port", "22")
        self.assertEqual([list(t.protocol) for t in request.include], [[6]])
        self.assertEqual(list(request.exclude[0].uid), [0])
        self.assertEqual(request.exclude[1].any_port[0].first, 22)

    def test_a_tcpdump_expression_becomes_a_program_of_each_alternative(self):
        for args in (("udp", "port", "53"), ("udp port 53",)):
            term = self.one(*args)
            code = list(struct.iter_unpack("<HBBI", term.bpf))
            self.assertGreater(len(code), 5)
            self.assertEqual(code[-1][0], 6)  # BPF_RET | BPF_K
        request = self.request("--in", "a", "--or", "--in", "b", "tcp")
        self.assertTrue(request.include[0].bpf)
        self.assertEqual(request.include[0].bpf, request.include[1].bpf)

    def test_what_is_wrong_is_told_before_a_server_is_asked(self):
        for args, named in (
                (("--src", "10.0.0.1/8"), "--src 10.0.0.1/8: expected a network without bits"),
                (("--dst", "nohost"), "expected an address or a network"),
                (("--dport", "65536"), "--dport 65536: expected a number in 0..65535"),
                (("--dport", "90-80"), "--dport 90-80: expected"),
                (("--proto", "256"), "expected a number in 0..255"),
                (("--hook", "nowhere"), "expected one of: prerouting, input"),
                (("--mac", "zz"), "--mac zz: expected"),
                (("--vlan", "4096"), "expected a number in 0..4095"),
                (("--prefix", ""), "--prefix : expected"),
                (("--not",), "--not: nothing follows it"),
                (("--proto", "tcp", "--or"), "--or: nothing follows it"),
                (("port", "nosuchport"), "tcpdump expression 'port nosuchport': "),
                (("ip", "protochain", "6"), "include[0].bpf: instruction"),
                (tuple(a for n in range(300) for a in ("--not", "--uid", str(n))),
                 "expected at most 256 filters")):
            with self.subTest(args=args[:4]):
                self.assertIn(named, self.refused(*args))

    def test_print_request_asks_nobody(self):
        out, _ = self.run_ctl("--server", "unix:/nonexistent", "subscribe", "--print-request",
                              "--last", "5", "--netns", "red", expect=0)
        self.assertEqual(json.loads(out)["start"], {"last": "5"})


if __name__ == "__main__":
    unittest.main()
