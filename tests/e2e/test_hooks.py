# SPDX-License-Identifier: MIT
"""Every hook of every family that NFLOG has, by packets that really pass it."""
import harness
from harness import pb

LOGGED = ("prerouting", "input", "forward", "output", "postrouting")


class Hooks(harness.RealTest):
    """a -- r -- b; everything is logged in r."""

    def setUp(self):
        super().setUp()
        self.a, self.r, self.b = self.netns("a"), self.netns("r"), self.netns("b")
        harness.veth(self.a, "a0", ["10.71.1.2/24", "fd71:1::2/64"],
                     self.r, "ra", ["10.71.1.1/24", "fd71:1::1/64"])
        harness.veth(self.r, "rb", ["10.71.2.1/24", "fd71:2::1/64"],
                     self.b, "b0", ["10.71.2.2/24", "fd71:2::2/64"])
        for end, via in ((self.a, "1"), (self.b, "2")):
            end.ip("route", "add", "10.71.0.0/16", "via", f"10.71.{via}.1")
            end.ip("-6", "route", "add", "fd71::/16", "via", f"fd71:{via}::1")
        self.r.exec("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")

    def log(self, family, hooks, match="udp dport 7"):
        for hook, extra in hooks:
            name = hook.split()[0]
            self.r.nft(f"table {family} log{name} {{ chain c {{ type filter hook {hook} priority 0;\n"
                       f"{extra or match} log prefix \"{family} {name}\" group 100\n}}\n}}")

    def collect(self, *steps):
        """Each step is (send, packets that it logs): one after the other, because a first packet
        waits for the neighbour's address and the next one would overtake it."""
        daemon = self.daemon_for((self.r, [100], {}))
        stream = self.subscribe(daemon, view=pb.PACKET_VIEW_FULL)
        total = 0
        for send, count in steps:
            send()
            total += count
            stream.wait_packets(total)
        return stream.packets

    def check_ip_hooks(self, family, number, a, r, b):
        self.log(family, [(hook, None) for hook in LOGGED])

        packets = self.collect((lambda: self.a.send_udp(b, 7), 3),  # through r
                               (lambda: self.a.send_udp(r, 7), 2),  # to r
                               (lambda: self.r.send_udp(a, 7), 2))  # from r
        self.assertEqual([(p.prefix, pb.Hook.Name(p.hook)) for p in packets],
                         [(f"{family} {h}", f"HOOK_{h.upper()}") for h in
                          ("prerouting", "forward", "postrouting", "prerouting", "input", "output",
                           "postrouting")])
        self.assertEqual({p.family for p in packets}, {number})
        forward = packets[1]
        self.assertEqual((forward.input.name, forward.output.name), ("ra", "rb"))
        self.assertTrue(forward.HasField("packet_time"))
        self.assertEqual(len(forward.hw_address), 6)
        self.assertEqual(forward.decoded.ttl, 63)

    def test_ipv4_hooks(self):
        self.check_ip_hooks("ip", pb.FAMILY_IPV4, "10.71.1.2", "10.71.1.1", "10.71.2.2")

    def test_ipv6_hooks(self):
        self.check_ip_hooks("ip6", pb.FAMILY_IPV6, "fd71:1::2", "fd71:1::1", "fd71:2::2")

    def test_ingress_and_egress_of_inet_and_netdev(self):
        self.log("inet", [('ingress device "ra"', None)])
        self.log("netdev", [('ingress device "ra"', None), ('egress device "rb"', None)])
        packets = self.collect((lambda: self.a.send_udp("10.71.2.2", 7), 3))
        seen = {p.prefix: p for p in packets}
        self.assertEqual(seen["inet ingress"].hook, pb.HOOK_INGRESS)
        self.assertEqual(seen["inet ingress"].family, pb.FAMILY_IPV4)
        self.assertEqual(seen["netdev ingress"].family, pb.FAMILY_NETDEV)
        self.assertEqual(seen["netdev ingress"].input.name, "ra")
        self.assertEqual(seen["netdev egress"].hook, pb.HOOK_EGRESS)
        self.assertEqual(seen["netdev egress"].output.name, "rb")
        for packet in packets:
            self.assertEqual(packet.decoded.destination_port, 7, packet.prefix)

    def test_arp_in_and_out(self):
        self.log("arp", [("input", "arp operation request"), ("output", "arp operation reply")])
        packets = self.collect((lambda: self.a.send_udp("10.71.1.1", 7), 2))
        self.assertEqual([(p.family, p.hook, p.decoded.arp_operation) for p in packets],
                         [(pb.FAMILY_ARP, pb.HOOK_INPUT, 1), (pb.FAMILY_ARP, pb.HOOK_OUTPUT, 2)])

    def test_bridge_hooks_name_bridge_and_port(self):
        c, d = self.netns("c"), self.netns("d")
        self.r.ip("link", "add", "br0", "type", "bridge")
        self.r.ip("link", "set", "br0", "up")
        self.r.ip("addr", "add", "10.71.9.1/24", "dev", "br0")
        for end, port, host in ((c, "rc", 2), (d, "rd", 3)):
            harness.veth(end, "e0", [f"10.71.9.{host}/24"], self.r, port, [])
            self.r.ip("link", "set", port, "master", "br0")
        self.log("bridge", [(hook, None) for hook in LOGGED])

        packets = self.collect((lambda: c.send_udp("10.71.9.3", 7), 3),  # bridged
                               (lambda: c.send_udp("10.71.9.1", 7), 2),  # to the bridge's own address
                               (lambda: self.r.send_udp("10.71.9.2", 7), 2))  # from it
        self.assertEqual([pb.Hook.Name(p.hook) for p in packets],
                         [f"HOOK_{h.upper()}" for h in
                          ("prerouting", "forward", "postrouting", "prerouting", "input", "output",
                           "postrouting")])
        forward = packets[1]
        self.assertEqual(forward.family, pb.FAMILY_BRIDGE)
        self.assertEqual((forward.input.name, forward.physical_input.name), ("br0", "rc"))
        self.assertEqual((forward.output.name, forward.physical_output.name), ("br0", "rd"))

    def test_renamed_interface_is_named_as_it_is_now(self):
        self.log("ip", [("input", None)])
        daemon = self.daemon_for((self.r, [100], {}))
        stream = self.subscribe(daemon)
        self.a.send_udp("10.71.1.1", 7)
        stream.wait_packets(1)
        self.r.ip("link", "set", "ra", "name", "renamed0")
        self.a.send_udp("10.71.1.1", 7)
        self.assertEqual([p.input.name for p in stream.wait_packets(2)], ["ra", "renamed0"])


if __name__ == "__main__":
    harness.main()
