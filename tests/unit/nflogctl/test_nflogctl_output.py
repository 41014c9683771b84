# SPDX-License-Identifier: MIT
"""nflogctl subscribe --output: what each format makes of the same stream. tshark reads the captures,
Python's protobuf judges protojson and raw."""
import json
import os
import pty
import subprocess
import unittest

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.internal.decoder import _DecodeVarint32
from google.protobuf.timestamp_pb2 import Timestamp

import fake
from fake import batch, caught_up, loss, packet, pb, source, started

# 10.0.1.60:44916 > 10.0.1.5:23 TCP SYN
IP = bytes.fromhex("4500003c1c46400040060a2c0a00013c0a000105af7400171c46400000000000a002fd5c1dbd0000"
                   "020405b40402080a00000000000000000103030a")
ETHERNET = bytes.fromhex("02f100000a0002f100000b000800")
EVIL = "\x1b]0;x\x07\u202e\n"


def everything():
    """A packet with every field of the contract set, also those whose zero is a value."""
    ip6 = bytes(range(16))
    side = pb.Tuple(source_address=ip6, destination_address=ip6, protocol=6, source_port=1,
                    destination_port=2)
    device = pb.Device(index=7, name="br0")
    return pb.Packet(
        sequence=2**64 - 1, source_id=1, receive_time=Timestamp(seconds=1767323045, nanos=123456789),
        packet_time=Timestamp(seconds=1767323045, nanos=120000000), family=pb.FAMILY_IPV6,
        hook=pb.HOOK_FORWARD, hook_number=2, hw_protocol=0x86dd, prefix="p\u00e4\"\\\u202e",
        prefix_raw=b"\xff\x00", input=device, output=device, physical_input=device,
        physical_output=device, mark=1, payload=bytes(range(256)), original_length=300,
        decoded=pb.Decoded(ip_version=pb.IP_VERSION_6, source_address=ip6, destination_address=ip6,
                           protocol=0, source_port=0, destination_port=0, tcp_flags=0, icmp_type=0,
                           icmp_code=0, total_length=300, ttl=1, traffic_class=2, tcp_sequence=0,
                           tcp_ack=2**32 - 1, tcp_window=0, identification=0, fragment_offset=0,
                           more_fragments=True, flow_label=5, arp_operation=0, truncated=True, spi=0,
                           gre_protocol=0, udp_length=0, inner_vlan_tci=0),
        conntrack=pb.Conntrack(info=0, attributes=b"a", id=0, status=0, mark=0, zone=0, original=side,
                               reply=side),
        hw_address=b"ab", hw_type=0, hw_header=b"abc", hw_header_length=0, uid=0, gid=2**32 - 1,
        kernel_sequence=0, kernel_global_sequence=0, vlan=pb.Vlan(protocol=0x8100, tci=0),
        l2_header=b"abcd", unknown_attributes=[b"", b"x"])


def stream():
    """Every kind of event."""
    return [
        started(source(1, "red", 100), source(2, EVIL, 7, state=pb.SOURCE_STATE_WAITING),
                heartbeat_interval=Duration(seconds=10), resume_status=pb.RESUME_STATUS_GAP),
        batch(packet(1), everything()), loss(12, 30, lower_bound=True),
        pb.SubscribeResponse(source_event=pb.SourceEvent(source=source(3, "x", 1), time=fake.TIME)),
        pb.SubscribeResponse(heartbeat=pb.Heartbeat(packets_sent=1)), caught_up(2),
        batch(packet(5, family=99, hook=77)),
        pb.SubscribeResponse(started=pb.Started(batch=pb.BatchPolicy(max_delay=Duration(
            seconds=-1, nanos=-500000000)))),
    ]


def single(responses):
    """The same stream, each packet in a response of its own."""
    for response in responses:
        for one in response.batch.packets:
            yield batch(one)
        if not response.batch.packets:
            yield response


class Contract(fake.CommandTest):
    def test_protojson_is_what_protobuf_itself_makes_of_each_response(self):
        self.serve(Subscribe=stream())
        out, _ = self.run_ctl("subscribe", "-o", "protojson", "--heartbeat", "1")
        expected = list(single(stream()))
        lines = out.splitlines()
        self.assertEqual(len(lines), len(expected))
        for line, response in zip(lines, expected):
            self.assertEqual(json.loads(line), json_format.MessageToDict(response))
            self.assertEqual(json_format.Parse(line, pb.SubscribeResponse()), response)
        self.assertTrue(out.replace("\n", "").isprintable())

    def test_protojson_has_numbers_of_enums_on_request(self):
        self.serve(Subscribe=[started(), batch(packet())])
        out, _ = self.run_ctl("subscribe", "-o", "protojson", "--numeric")
        self.assertEqual(json.loads(out.splitlines()[1]), json_format.MessageToDict(
            batch(packet()), use_integers_for_enums=True))

    def test_raw_is_each_response_behind_its_length(self):
        self.serve(Subscribe=stream())
        process = self.start("subscribe", "-o", "raw", "--heartbeat", "1")
        data, _ = process.communicate(timeout=fake.PATIENCE_S)
        at, responses = 0, []
        while at < len(data):
            length, at = _DecodeVarint32(data, at)
            responses.append(pb.SubscribeResponse.FromString(data[at:at + length]))
            at += length
        self.assertEqual(responses, list(single(stream())))

    def test_heartbeats_nobody_asked_for_are_not_shown(self):
        self.serve(Subscribe=[started(), pb.SubscribeResponse(heartbeat=pb.Heartbeat())])
        out, _ = self.run_ctl("subscribe", "-o", "protojson")
        self.assertEqual(len(out.splitlines()), 1)


class Lines(fake.CommandTest):
    def shown(self, *args, packets=None):
        self.serve(Subscribe=[started(), batch(*(packets or [packet()]))])
        out, _ = self.run_ctl("subscribe", "--utc", *args)
        self.doCleanups()
        self.setUp()
        return out

    def test_hex_has_the_bytes_below_the_line(self):
        self.serve(Subscribe=[started(), batch(packet(payload=b"\x1b[2J" + bytes(range(97, 111))),
                                               packet(2))])
        out, _ = self.run_ctl("subscribe", "--utc", "-o", "hex")
        line = '03:04:05.000006 red/100 INPUT eth0> 10.0.1.60:4711 > 10.0.1.5:53 UDP len 60 ttl 63 "drop: "\n'
        self.assertEqual(out, line +
                         "\t0x0000:  1b5b 324a 6162 6364 6566 6768 696a 6b6c  .[2Jabcdefghijkl\n"
                         "\t0x0010:  6d6e                                     mn\n" + line)
        self.assertEqual(self.service.requests[0].view, pb.PACKET_VIEW_FULL)

    def test_table_has_one_head_and_columns_that_only_grow(self):
        out = self.shown("-o", "table", packets=[
            packet(), packet(input=pb.Device(index=2, name="a-name-of-15-by")), packet()])
        head, *rows = out.splitlines()
        self.assertEqual(head.split(), ["TIME", "NETNS", "GROUP", "HOOK", "IN", "OUT", "FROM", "TO",
                                        "WHAT", "LEN", "PREFIX"])
        self.assertEqual(rows[0].split(), ["03:04:05.000006", "red", "100", "INPUT", "eth0",
                                           "10.0.1.60:4711", "10.0.1.5:53", "UDP", "60", '"drop:', '"'])
        self.assertEqual(rows[0].index("10.0.1.60"), head.index("FROM"))
        self.assertEqual(rows[2].index("10.0.1.60"), rows[1].index("10.0.1.60"))
        self.assertGreater(rows[2].index("10.0.1.60"), rows[0].index("10.0.1.60"))

    def test_table_without_packets_has_its_head(self):
        self.serve(Subscribe=[started()])
        self.assertEqual(len(self.run_ctl("subscribe", "-o", "table")[0].splitlines()), 1)

    def test_time_has_the_form_that_is_wanted(self):
        later = [packet(1), packet(2, receive_time=Timestamp(seconds=1767323046, nanos=6000)),
                 packet(3, receive_time=Timestamp(seconds=1767323046, nanos=506000)),
                 packet(4, receive_time=Timestamp(seconds=1767323044, nanos=6000))]
        for form, expected in (
                ("clock", ["03:04:05.000006", "03:04:06.000006"]),
                ("date", ["2026-01-02 03:04:05.000006"]),
                ("rfc3339", ["2026-01-02T03:04:05.000006000Z"]),
                ("epoch", ["1767323045.000006"]),
                ("none", ["red/100 INPUT"]),
                ("relative", ["    0.000000", "    1.000000", "    1.000500", "   -1.000000"]),
                ("delta", ["    0.000000", "    1.000000", "    0.000500", "   -2.000500"])):
            with self.subTest(form=form):
                lines = self.shown("--time-format", form, packets=later).splitlines()
                for line, text in zip(lines, expected):
                    self.assertTrue(line.startswith(text + " "), line)
                rows = self.shown("--time-format", form, "-o", "table", packets=later).splitlines()
                self.assertEqual(rows[0].index("FROM"), rows[1].index("10.0.1.60"))

    def test_numeric_has_no_names(self):
        self.assertIn(" HOOK1 if2> 10.0.1.60:4711 > 10.0.1.5:53 proto 17 len", self.shown("--numeric"))

    def test_hostile_bytes_reach_no_terminal_in_any_text(self):
        hostile = packet(prefix=EVIL, payload=bytes(range(256)), output=pb.Device(index=3, name=EVIL))
        for form in "compact", "table", "hex", "json", "protojson":
            with self.subTest(form=form):
                self.serve(Subscribe=[started(source(1, EVIL, 100)), batch(hostile)])
                out, err = self.run_ctl("subscribe", "-o", form)
                for text in out, err:
                    self.assertTrue(text.replace("\n", "").replace("\t", "").isprintable(), text)
                self.doCleanups()
                self.setUp()

    def test_a_line_that_is_cut_ends_in_a_whole_character(self):
        for form in "compact", "table":
            for shift in range(4):  # one of them cuts each of the character's bytes off
                prefix = "x" * shift + "\U0001f525" * 2000
                out = self.shown("-o", form, packets=[packet(1, prefix=prefix)])
                self.assertIn("\U0001f525\n", out)
                self.assertNotIn("\0", out)

    def on_terminal(self, *args, **environment):
        self.serve(Subscribe=[started(), batch(packet())])
        master, slave = pty.openpty()
        process = self.start("subscribe", *args, stdout=slave, env={
            "NFLOGCTL_SERVER": self.address, "TERM": "xterm", **environment})
        os.close(slave)
        process.communicate(timeout=fake.PATIENCE_S)
        out = b""
        try:
            while piece := os.read(master, 4096):
                out += piece
        except OSError:
            pass  # the other end is closed
        os.close(master)
        self.doCleanups()
        self.setUp()
        return process.returncode, out

    def test_terminal_has_colours_unless_they_are_not_wanted(self):
        for form in "compact", "table", "hex":
            with self.subTest(form=form):
                self.assertIn(b"\x1b[36m", self.on_terminal("-o", form)[1])
                self.assertNotIn(b"\x1b", self.on_terminal("-o", form, NO_COLOR="1")[1])
                self.assertNotIn(b"\x1b", self.on_terminal("-o", form, TERM="dumb")[1])
                self.assertNotIn(b"\x1b", self.on_terminal("-o", form, "--color", "never")[1])
        path = os.path.join(self.folder, "file")
        self.on_terminal("-o", "compact", "-w", path)
        self.assertFalse(os.path.exists(path) and b"\x1b" in open(path, "rb").read())

    def test_terminal_gets_no_binary(self):
        for form in "pcapng", "raw":
            code, out = self.on_terminal("-o", form)
            self.assertEqual((code, out), (2, b""))
        self.assertEqual(self.on_terminal("-w", "-")[0], 2)


class Capture(fake.CommandTest):
    def capture(self, *responses, args=()):
        self.serve(Subscribe=list(responses))
        path = os.path.join(self.folder, "capture")
        with open(path, "wb") as file:
            process = self.start("subscribe", "-o", "pcapng", *args, stdout=file)
            _, err = process.communicate(timeout=fake.PATIENCE_S)
        self.assertEqual(process.returncode, 0, err)
        return path

    @staticmethod
    def tshark(path, *fields, options=()):
        """A tuple of these fields for each packet."""
        wanted = [part for field in fields for part in ("-e", field)]
        done = subprocess.run(["tshark", "-n", "-r", path, *options, "-T", "fields", *wanted],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, done.stderr
        return [tuple(line.split("\t")) for line in done.stdout.decode().splitlines()]

    def test_wireshark_shows_namespace_group_prefix_hook_uid_and_the_packet(self):
        path = self.capture(
            started(source(1, "red", 100), source(2, "blue", 7)),
            batch(packet(1, payload=IP, uid=1000, gid=0, packet_time=fake.TIME),
                  packet(2, source_id=2, payload=IP[:40], original_length=60, prefix="blue rule")))
        self.assertEqual(self.service.requests[0].view, pb.PACKET_VIEW_RAW)
        self.assertEqual(self.tshark(
            path, "frame.interface_name", "nflog.res_id", "nflog.prefix", "nflog.hook", "nflog.uid",
            "nflog.gid", "nflog.ifindex_indev", "frame.time_epoch", "ip.src", "tcp.dstport"), [
                ("red", "100", "drop: ", "1", "1000", "0", "2", "1767323045.000006000", "10.0.1.60", "23"),
                ("blue", "7", "blue rule", "1", "", "", "2", "1767323045.000006000", "10.0.1.60", "23")])

    def test_a_loss_stands_in_the_statistics_and_with_the_next_packet(self):
        path = self.capture(started(source(1, "red", 100), source(2, "blue", 7)), batch(packet(1)),
                            loss(12, 12), loss(3, 15), batch(packet(2, source_id=2), packet(3)), loss(4, 19))
        self.assertEqual(self.tshark(path, "frame.interface_name", "frame.drop_count"),
                         [("red", ""), ("blue", ""), ("red", "15")])
        info = subprocess.run(["capinfos", path], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertIn("Number of stat entries = 3", info)

    def test_a_loss_of_all_sources_and_of_none_that_is_known_is_not_forgotten(self):
        path = self.capture(started(), loss(1, 1, source_id=0), loss(2, 2, source_id=9), batch(packet(1)))
        info = subprocess.run(["capinfos", path], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertEqual(info.count("Number of stat entries = 1"), 2)

    def test_a_restarted_server_is_told_with_the_next_packet(self):
        path = self.capture(started(resume_status=pb.RESUME_STATUS_EPOCH_CHANGED), batch(packet(1), packet(2)))
        first, second = self.tshark(path, "frame.comment")
        self.assertIn("the server was restarted", first[0])
        self.assertEqual(second, ("",))

    def test_link_raw_is_the_ip_packet_and_a_comment(self):
        egress = packet(2, payload=ETHERNET + IP, family=pb.FAMILY_NETDEV, hook=pb.HOOK_EGRESS,
                        original_length=74)
        arp = packet(3, payload=bytes.fromhex("0001080006040001") + bytes(20), family=pb.FAMILY_ARP,
                     hw_protocol=0x806)
        arp.ClearField("decoded")
        path = self.capture(started(), batch(packet(1, payload=IP, uid=0, mark=256), egress, arp),
                            args=("--link", "raw"))
        rows = self.tshark(path, "frame.protocols", "tcp.dstport", "frame.len", "frame.comment")
        self.assertEqual(rows[0], ("raw:ip:tcp", "23", "60",
                                   'red/100 INPUT eth0> mark 0x100 uid 0 "drop: "'))
        self.assertEqual(rows[1][:3], ("raw:ip:tcp", "23", "60"))
        self.assertIn("red/100 OUTPUT eth0>", rows[2][3])
        self.assertIn("no IP packet: ARP", rows[2][3])
        # What has no NFLOG can filter it.
        done = subprocess.run(["tcpdump", "-n", "-r", path, "tcp port 23"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=True)
        self.assertEqual(len(done.stdout.splitlines()), 2)

    def test_a_comment_that_is_cut_ends_in_a_whole_character(self):
        for shift in range(4):
            path = self.capture(started(source(1, "red", 100)),
                                batch(packet(prefix="x" * shift + "\U0001f525" * 300, payload=IP)),
                                args=("--link", "raw"))
            with open(path, "rb") as file:
                _, end = file.read().rsplit("\U0001f525".encode(), 1)
            self.assertEqual(end[:4], bytes(4))  # padding, and the end of the options

    def test_hostile_names_are_escaped(self):
        path = self.capture(started(source(1, EVIL, 100)), batch(packet(payload=IP)))
        rows = self.tshark(path, "frame.interface_name")
        self.assertEqual(rows, [("\\x1b]0;x\\x07\\u{202e}\\x0a",)])

    def test_each_packet_goes_into_the_pipe_at_once(self):
        def live(_request, _context):
            yield started()
            yield batch(packet(payload=IP))
            self.wait()
        self.serve(Subscribe=live)
        nflogctl = self.start("subscribe", "-w", "-")
        tshark = subprocess.Popen(["tshark", "-n", "-l", "-r", "-", "-T", "fields", "-e",
                                   "frame.interface_name", "-e", "tcp.dstport"],
                                  stdin=nflogctl.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self._end, tshark)
        self.assertEqual(tshark.stdout.readline(), b"red\t23\n")


class Usage(fake.CommandTest):
    def test_options_that_would_be_ignored_are_refused(self):
        for args, why in (
                (("--link", "raw"), "--link is for pcapng, not for compact"),
                (("--numeric", "-o", "json"), "--numeric is not for json"),
                (("--time-format", "epoch", "-o", "pcapng"), "--time-format is for compact, table and hex"),
                (("--date", "--time-format", "epoch"), "a time has one form"),
                (("--date", "-o", "protojson"), "--date is for compact, table and hex"),
                (("--view", "basic", "-o", "hex"), "cannot have --output hex"),
                (("--view", "basic", "-w", "f"), "cannot have --output pcapng"),
                (("--quiet", "-w", "f"), "cannot have --write"),
                (("--rotate", "1M"), "--rotate needs a file"),
                (("--rotate", "1M", "-w", "-"), "--rotate needs a file"),
                (("--keep", "3", "-w", "f"), "--keep needs --rotate"),
                (("--keep", "1001"), "expected a number from 1 to 1000"),
                (("--link", "ethernet"), "expected nflog or raw"),
                (("--time-format", "iso"), "expected clock, date, rfc3339"),
                (("-o", "xml"), "expected compact, table, hex, json, protojson, pcapng or raw")):
            with self.subTest(args=args):
                self.assertIn(why, self.run_ctl("subscribe", *args, expect=2)[1])


if __name__ == "__main__":
    unittest.main()
