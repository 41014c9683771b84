# SPDX-License-Identifier: MIT
"""What nflogctl writes of a real daemon's packets: tshark reads the capture, and a file that rotates has
each packet once although its writer is killed."""
import json
import os
import subprocess

import harness
from harness import BIN, wait_until

RULES = """
    udp dport 7001 log prefix "first rule" group 100
    udp dport 7002 log prefix "second " group 101
"""
PACKETS = 20_000
KILLS = 4


class Output(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink(RULES)
        self.server = self.daemon_for((self.ns, [100, 101], {}))
        self.path = os.path.join(self.server.folder, "packets")

    def ctl(self, *args):
        return [os.path.join(BIN, "nflogctl"), "-s", self.server.address(), "subscribe", *args]

    def tshark(self, *fields):
        wanted = [part for field in fields for part in ("-e", field)]
        text = harness.run("tshark", "-n", "-r", self.path, "-d", "udp.port==7001,data", "-T", "fields", *wanted)
        return [tuple(line.split("\t")) for line in text.splitlines()]

    def test_wireshark_shows_what_the_kernel_told(self):
        self.ns.send_udp("10.99.0.5", 7001, b"payload")
        self.ns.send_udp("fd99::5", 7002, b"payload")
        self.nflogctl(self.server, "subscribe", "--all", "--count", "2", "-w", self.path)
        rows = self.tshark("frame.interface_name", "nflog.res_id", "nflog.prefix", "nflog.hook", "nflog.uid",
                           "nflog.ifindex_outdev", "ip.dst", "ipv6.dst", "udp.dstport", "udp.length")
        self.assertEqual(rows, [
            (self.ns.name, "100", "first rule", "3", "0", "1", "10.99.0.5", "", "7001", "15"),
            (self.ns.name, "101", "second ", "3", "0", "1", "", "fd99::5", "7002", "15")])

    def test_a_live_pipe_into_tshark_shows_each_packet_at_once(self):
        with subprocess.Popen(self.ctl("--all", "-w", "-"), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as nflogctl, \
                subprocess.Popen(["tshark", "-n", "-l", "-r", "-", "-T", "fields", "-e", "udp.dstport"],
                                 stdin=nflogctl.stdout, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL) as tshark:
            try:
                for port in 7001, 7002, 7001:
                    self.ns.send_udp("10.99.0.5", port)
                    self.assertEqual(tshark.stdout.readline().decode().strip(), str(port))
            finally:
                nflogctl.kill()
                tshark.kill()

    def test_dumpcap_takes_the_pipe_as_wireshark_does(self):
        self.ns.send_udp("10.99.0.5", 7001)
        with subprocess.Popen(self.ctl("--all", "--count", "1", "-w", "-"), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as nflogctl:
            harness.run("dumpcap", "-q", "-i", "-", "-c", "1", "-w", self.path, stdin=nflogctl.stdout)
        self.assertEqual(self.tshark("frame.interface_name", "nflog.prefix"), [(self.ns.name, "first rule")])

    def files(self):
        names = [name for name in os.listdir(self.server.folder) if name.startswith("packets")]
        names.sort(key=lambda name: -int(name.partition(".")[2] or 0))
        return [os.path.join(self.server.folder, name) for name in names]

    def sequences(self):
        found = []
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                found += [json.loads(line) for line in file]
        self.assertEqual([line for line in found if line.get("type") == "loss"], [])
        return [line["sequence"] for line in found if "type" not in line]

    def test_files_of_a_writer_that_is_killed_have_each_packet_once(self):
        self.ns.generate(PACKETS, port=7001)
        args = ("--group", "100", "--all", "-o", "json", "-w", self.path, "--rotate", "1M", "--keep", "1000",
                "--resume-file", os.path.join(self.server.folder, "place"))
        for kill in range(KILLS):
            with subprocess.Popen(self.ctl(*args), stderr=subprocess.DEVNULL) as nflogctl:
                wait_until("it has rotated", lambda count=2 * (kill + 1): len(self.files()) > count)
                nflogctl.kill()
        self.nflogctl(self.server, "subscribe", *args, "--no-follow")
        self.assertEqual(self.sequences(), list(range(1, PACKETS + 1)))


if __name__ == "__main__":
    harness.main()
