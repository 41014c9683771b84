# SPDX-License-Identifier: MIT
"""Filters on real packets: what passes, what a tenant's filter and a cut hide, and that every packet
is delivered, reported lost or counted as filtered, at full generator speed, too."""
import hashlib
import ipaddress
import os

import harness
from harness import pb

TOKEN = "a-token-of-the-filter-test"
LOAD = 200_000


def cidr(text):
    network = ipaddress.ip_network(text)
    return pb.Cidr(address=network.network_address.packed, length=network.prefixlen)


def port(first, last=0):
    return pb.PortRange(first=first, last=last)


def starts(text):
    return pb.StringMatch(starts_with=text)


class Filters(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.red = self.netns("red")

    def filtered(self, stream):
        beats = [e.heartbeat for e in stream.events if e.WhichOneof("event") == "heartbeat"]
        return beats[-1].packets_filtered if beats else 0

    def wait_whole(self, stream, total):
        """Until delivered + lost + filtered is the total; never more."""
        def whole():
            return len(stream.packets) + stream.lost() + self.filtered(stream) >= total
        stream.wait(f"{total} packets accounted for", whole)
        self.assertEqual(len(stream.packets) + stream.lost() + self.filtered(stream), total)

    def open(self, daemon, include=(), exclude=(), **request):
        request.setdefault("heartbeat_interval", {"nanos": 100_000_000})
        return self.subscribe(daemon, include=include, exclude=exclude, **request)

    def send(self):
        """4 to IPv4, 2 to IPv6, by port; in all 6."""
        for destination, number in (("10.99.0.5", 53), ("10.99.0.5", 80), ("10.99.0.6", 80),
                                    ("10.99.0.70", 8080), ("fd99::5", 80), ("fd99::6", 53)):
            self.red.send_udp(destination, number)

    def test_prefix_port_and_address_include_and_exclude(self):
        self.red.sink('udp dport 53 log prefix "dns: " group 100\n'
                      'udp dport != 53 log prefix "web: " group 100')
        daemon = self.daemon_for((self.red, [100], {}))
        asked = {
            2: ([pb.PacketFilter(prefix=[starts("dns")])], []),
            4: ([], [pb.PacketFilter(prefix=[pb.StringMatch(exact="dns: ")])]),
            3: ([pb.PacketFilter(destination_port=[port(80)])], []),
            1: ([pb.PacketFilter(any_port=[port(8000, 9000)], protocol=[17])], []),
            5: ([pb.PacketFilter(destination_address=[cidr("10.99.0.0/26"), cidr("fd99::/64")])],
                []),
        }
        both = self.open(daemon, [pb.PacketFilter(ip_version=[4]), pb.PacketFilter(
            destination_port=[port(53)])], [pb.PacketFilter(any_address=[cidr("10.99.0.5/32")])])
        streams = {count: self.open(daemon, *terms) for count, terms in asked.items()}
        self.send()
        for count, stream in streams.items():
            self.wait_whole(stream, 6)
            self.assertEqual(len(stream.packets), count)
        self.wait_whole(both, 6)
        self.assertEqual({p.decoded.destination_port for p in both.packets}, {80, 8080, 53})
        self.assertEqual(len(both.packets), 3)

    def test_nflogctl_filters_by_options_and_by_a_tcpdump_expression(self):
        self.red.sink('udp dport 53 log prefix "dns: " group 100\n'
                      'udp dport != 53 log prefix "web: " group 100')
        daemon = self.daemon_for((self.red, [100], {}))
        self.send()
        harness.wait_until("all are in the history", lambda: self.stub(daemon).GetStats(
            pb.GetStatsRequest()).sources[0].packets_received == 6)
        for args, count in (
                (("udp port 53",), 2), (("ip6",), 2), (("dst", "host", "10.99.0.5"), 2),
                (("udp[4:2] > 12 and not port 53",), 3), (("tcp",), 0),
                (("--prefix", "web*", "ip"), 3), (("--dport", "80", "--or", "--dport", "8080"), 4),
                (("--not", "--dport", "80"), 3), (("--not", "--prefix", "dns: ", "--not", "--dst",
                                                  "fd99::/64"), 3),
                (("--ip-version", "4", "--dport", "8000-9000"), 1)):
            with self.subTest(args=args):
                out, err = self.nflogctl(daemon, "subscribe", "--all", "--no-follow", *args)
                self.assertEqual(len(out.splitlines()), count)
                self.assertEqual(harness.summary(err), (count, 0))

    def test_a_program_sees_no_more_than_its_caller_may(self):
        """Who may have 20 bytes cannot find out ports by asking; nor what is behind a link header."""
        self.red.sink('udp dport 53 log prefix "dns: " group 100\n'
                      'udp dport != 53 log prefix "web: " group 100')
        source = {"netns": self.red.name, "groups": [100]}
        daemon = self.daemon(config={"tenants": [
            {"name": "whole", "identities": [{"unix_uid": os.getuid()}], "sources": [source]},
            {"name": "head", "sources": [dict(source, copy_bytes=20)],
             "identities": [{"token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}]}]})
        accept_port_53 = bytes.fromhex("2800000016000000" "1500000135000000" "06000000ffff0000"
                                       "0600000000000000")  # ldh [22]; jeq #53; ret
        accept_ttl_64 = bytes.fromhex("3000000008000000" "1500000140000000" "06000000ffff0000"
                                      "0600000000000000")  # ldb [8]; jeq #64; ret
        term = [pb.PacketFilter(bpf=accept_port_53)]
        whole = self.open(daemon, term)
        head = self.open(daemon, term, token=TOKEN)
        ttl = self.open(daemon, [pb.PacketFilter(bpf=accept_ttl_64, ip_version=[4])], token=TOKEN)
        inverse = self.open(daemon, exclude=term, token=TOKEN)
        self.send()
        for stream, count in ((whole, 1), (head, 0), (ttl, 4), (inverse, 6)):
            self.wait_whole(stream, 6)
            self.assertEqual(len(stream.packets), count)

    def test_last_and_finite_streams_tell_what_was_held_back(self):
        self.red.sink('udp dport 9 log prefix "old" group 100')
        daemon = self.daemon_for((self.red, [100], {}))
        self.red.generate(1000)
        harness.wait_until("all are in the history", lambda: self.stub(daemon).GetStats(
            pb.GetStatsRequest()).sources[0].packets_received == 1000)
        every = self.open(daemon, exclude=[pb.PacketFilter(protocol=[17])],
                          start=pb.StartPosition(oldest=True), follow=False)
        every.wait_end()
        self.assertEqual((len(every.packets), self.filtered(every)), (0, 1000))
        last = self.open(daemon, include=[pb.PacketFilter(protocol=[17])],
                         start=pb.StartPosition(last=10), follow=False)
        last.wait_end()
        self.assertEqual([p.sequence for p in last.packets], list(range(991, 1001)))

    def test_equation_is_exact_under_load(self):
        self.red.sink('udp dport 9 numgen inc mod 4 0 log prefix "one" group 100\n'
                      'udp dport 9 log prefix "all" group 100')
        daemon = self.daemon(config={
            "history": {"bytes_per_source": "1M", "bytes_total": "2M"},
            "tenants": [{"name": "t", "identities": [{"unix_uid": os.getuid()}],
                         "sources": [{"netns": self.red.name, "groups": [100], "rcvbuf": 65536}]}]})
        one = self.open(daemon, [pb.PacketFilter(prefix=[starts("one")])])
        rest = self.open(daemon, exclude=[pb.PacketFilter(prefix=[starts("one")])])
        none = self.open(daemon, [pb.PacketFilter(uid=[4_000_000])])
        total = LOAD + LOAD // 4
        self.red.generate(LOAD)
        self.red.generate(4)  # settles what was lost behind the last packet
        for stream in (one, rest, none):
            self.wait_whole(stream, total + 5)
        self.assertFalse(none.packets)
        self.assertEqual({p.prefix for p in one.packets}, {"one"})
        self.assertEqual({p.prefix for p in rest.packets}, {"all"})
        print(f"filters: {total + 5} logged; one {len(one.packets)} + {one.lost()} lost + "
              f"{self.filtered(one)} filtered, rest {len(rest.packets)} + {rest.lost()} + "
              f"{self.filtered(rest)}")

    def test_tenants_filter_is_in_force_and_a_cut_tells_nothing(self):
        self.red.sink('udp dport 53 log prefix "dns: " group 100\n'
                      'udp dport != 53 log prefix "web: " group 100')
        source = {"netns": self.red.name, "groups": [100]}
        daemon = self.daemon(config={"tenants": [
            {"name": "web", "identities": [{"unix_uid": os.getuid()}], "sources": [source],
             "filter": {"include": [{"destination_port": [80, 8080]}]}},
            {"name": "meta", "sources": [dict(source, copy="meta")],
             "identities": [{"token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}]}]})
        web = self.open(daemon)
        port_80 = self.open(daemon, [pb.PacketFilter(destination_port=[port(80)])])
        guess = self.open(daemon, [pb.PacketFilter(destination_port=[port(80)])], token=TOKEN)
        prefix = self.open(daemon, [pb.PacketFilter(prefix=[starts("web")])], token=TOKEN)
        self.send()
        for stream, count in ((web, 4), (port_80, 3), (guess, 0), (prefix, 4)):
            self.wait_whole(stream, 6)
            self.assertEqual(len(stream.packets), count)
        self.assertFalse(any(p.HasField("decoded") for p in prefix.packets))


if __name__ == "__main__":
    harness.main()
