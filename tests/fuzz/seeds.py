#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Seeds for the fuzzers, made of what the tests have: seeds.py DIRECTORY makes DIRECTORY/NAME/*.

NFL_BUILD is the build folder, which has the contract in Python.
"""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

BUILD = pathlib.Path(os.environ["NFL_BUILD"])
sys.path.insert(0, str(BUILD / "python"))
from nflog.v1 import log_pb2  # noqa: E402
from nflog.v1 import nflog_pb2 as pb  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/data/fixtures"
OUT = pathlib.Path(sys.argv[1])
EXPRESSIONS = ["tcp port 443", "ip6 and udp", "icmp or (net 10.0.0.0/8 and not port 53)",
               "ip[0] & 0xf != 5 or len > 1000", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0"]
TEXTS = [b"", b"fw-drop: ", b"\x1b[2J\x07\n\t\x7f", "Zürich € 🔥".encode(), b"\xff\xfe\xc0\xaf",
         "\u202e\u2066\u200b\u061c\u2028\u009b\U000e0041".encode(), b'say "\\" %s%n']
HEAD = struct.Struct("<BQQB")  # of a resume token


def put(name, *seeds):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"{number:03}").write_bytes(seed)


def sized(data):
    return struct.pack("<H", len(data)) + data


def put_words(name, text):
    """Its words as a dictionary of libFuzzer."""
    words = sorted(set(re.findall("[a-z_0-9]{3,}:?", text)))
    (OUT / f"{name}.dict").write_text("".join(f'"{word}"\n' for word in words))


def datagrams():
    return [path.read_bytes() for path in sorted(FIXTURES.glob("*.bin"))]


def messages():
    """The packet messages of all datagrams, one by one."""
    for datagram in datagrams():
        while datagram:
            size, kind = struct.unpack_from("=IH", datagram)
            if kind == 0x400:
                yield datagram[:size]
            datagram = datagram[(size + 3) & ~3:]


def payloads():
    for entry in json.loads((FIXTURES / "index.json").read_text()):
        for packet in entry["expect"]:
            yield struct.pack("<BBH", packet["nfgen_family"], packet.get("hook", 0),
                              packet.get("hw_protocol", 0)) + bytes.fromhex(packet.get("payload") or "")


def programs():
    for expression in EXPRESSIONS:
        text = subprocess.run(["tcpdump", "-y", "RAW", "-ddd", expression], check=True,
                              capture_output=True, text=True).stdout.split("\n")
        yield b"".join(struct.pack("<HBBI", *map(int, line.split())) for line in text[1:] if line)


def requests():
    match = pb.StringMatch(glob="fw-*:?")
    full = pb.PacketFilter(
        any_address=[pb.Cidr(address=bytes([10, 0, 0, 0]), length=8)],
        source_port=[pb.PortRange(first=1, last=1023)], protocol=[6, 17], ip_version=[4],
        tcp_flags=[pb.MaskedValue(value=2, mask=18)], prefix=[match], hook=[3],
        any_interface=[pb.StringMatch(exact="eth0")], uid=[0], hw_address=[b"\2\xf1\0\0\x0b\0"],
        vlan_id=[7], family=[2], netns=["red"], group=[100], icmp_type=[8], bpf=next(programs()))
    yield pb.SubscribeRequest(netns=["red", "b*"], groups=[100], client_label="x", max_packets=9)
    yield pb.SubscribeRequest(include=[full], exclude=[pb.PacketFilter(prefix=[match])],
                              start=pb.StartPosition(last=5), follow=True, view=pb.PACKET_VIEW_FULL)
    for one in (dict(protocol=[1, 6, 17, 58]), dict(ip_version=[4, 6]),
                dict(prefix=[match]), dict(bpf=next(programs())), dict(hook=[1, 2, 3, 4, 5])):
        yield pb.SubscribeRequest(include=[pb.PacketFilter(**one)])


def responses():
    source = pb.Source(source_id=1, netns="red", group=100, state=2, detail="x")
    packets = [pb.Packet(sequence=n, source_id=1, prefix="fw: ", payload=b"E" * n, mark=n,
                         input=pb.Device(index=2, name="eth0"), family=2, hook=3,
                         decoded=pb.Decoded(ip_version=4, source_address=b"\n\0\0\1",
                                            destination_address=b"\n\0\0\2", protocol=17,
                                            source_port=53, destination_port=99),
                         conntrack=pb.Conntrack(info=2, id=3)) for n in (0, 1, 20)]
    yield pb.SubscribeResponse(batch=pb.PacketBatch(packets=packets), resume_token=b"token")
    yield pb.SubscribeResponse(started=pb.Started(subscription_id="a", sources=[source, source]))
    yield pb.SubscribeResponse(loss=pb.LossReport(stage=1, source_id=1, count=7))
    yield pb.SubscribeResponse(heartbeat=pb.Heartbeat(packets_sent=3))
    yield pb.SubscribeResponse(source_event=pb.SourceEvent(source=source))


def segments():
    """Messages of a log, two to a seed: one is there twice, one goes on."""
    source = pb.Source(source_id=1, netns="red", group=100, state=1)
    parts = list(responses())[:1] + [pb.SubscribeResponse(loss=pb.LossReport(
        stage=3, source_id=1, count=7, cumulative_count=9))]
    for after in 0, 20:
        yield log_pb2.LogSegment(host="fw1", stream_id="0123456789abcdef", server_epoch="e", sources=[source],
                                 spans=[log_pb2.LogSpan(source_id=1, after=after, last=after + 30)],
                                 responses=parts).SerializeToString()


def place():
    counts = struct.pack("<IIQIIQ", 1, 3, 700, 1, 0xffffffff, 20)
    return (b"nflfwd1\0" + b"0123456789abcdef" + struct.pack("<I", 1) + b"e" + struct.pack("<I", 5)
            + b"token" + struct.pack("<I", 2) + counts)


def resume_file(token, place=None):
    total = 0xcbf29ce484222325
    words = struct.pack("=QQQ", *place) if place else b""
    for byte in token + words:
        total = (total ^ byte) * 0x100000001b3 % 2**64
    middle = " %d %d %d" % place if place else ""
    return b"nflogctl-resume %d %d%s %016x\n%s\n" % (
        2 if place else 1, len(token), middle.encode(), total, token.hex().encode())


def opener_request(op, text, flags=0):
    body = struct.pack("=IIQQII", op, 1, 4, 5, 100, 0) + text
    return bytes([flags]) + sized(body)


def main():
    packets = list(messages())
    names = b"".join(text[:15].ljust(15, b"\0") for text in TEXTS[1:5]) + b"red".ljust(31, b"\0")
    token = HEAD.pack(1, 7, 8, 0) + b"\0" + b"\x02\x05\x07\x09\x01\x02\x03\x04"
    put("netlink", *datagrams())
    put("headers", *payloads())
    put("wire", *packets)
    put("store", *(bytes([n % 60, n % 256]) + packet for n, packet in enumerate(packets)))
    put("render", *(names + bytes([n % 256]) + packet for n, packet in enumerate(packets)))
    put("escape", *(bytes([cap]) + text for cap in (4, 200) for text in TEXTS))
    put("log", *TEXTS, *(text * 20 for text in TEXTS), b'\\" c="' * 12, b'"' * 62 + b"\\", b'"' * 3000)
    put("bpf", *(sized(program) + packets[0][-84:] for program in programs()))
    put("config", *(path.read_bytes() for path in sorted(ROOT.glob("tests/data/config/*/*.yaml"))),
        *(path.read_bytes() for path in sorted(ROOT.glob("config/*.yaml"))))
    put_words("config", "\n".join(line for line in (ROOT / "config/nflogd.yaml").read_text().split("\n")
                                  if not line.lstrip().startswith("# ")))
    put("subscribe", *(sized(request.SerializeToString()) + packet for request in requests()
                       for packet in packets[::20]))
    put("token", HEAD.pack(1, 7, 8, 0) + b"\0", token, HEAD.pack(1, 7, 8, 1) + b"\x81\x01\x02\x05")
    put("resume_file", resume_file(token), resume_file(token, (1, 2, 3)), b"nflogctl-resume 1 0 0\n\n")
    put("opener", *(opener_request(op, text, flags) for op in range(8) for text in (b"red", b"")
                    for flags in range(4)))
    put("response", *(response.SerializeToString() for response in responses()))
    first, second = segments()
    put("durable", sized(first), sized(first) + sized(first), sized(first) + sized(second))
    put("place", place())


main()
