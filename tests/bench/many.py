#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""many.py make|send|remove PREFIX COUNT: a crowd of network namespaces, each with a log rule.

A program of its own, for it enters each of them (setns(2)): nothing else may run in its threads.
"""
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
RULES = """table inet logs { chain out { type filter hook output priority 0;
udp dport 9 log prefix "many" group 100
}
}
"""
libc = ctypes.CDLL(None, use_errno=True)


def names(prefix, count):
    return [f"{prefix}{i}" for i in range(count)]


def in_batch(verb, crowd):
    lines = "".join(f"netns {verb} {name}\n" for name in crowd)
    subprocess.run(["ip", "-force", "-batch", "-"], input=lines.encode(), check=verb == "add",
                   stderr=None if verb == "add" else subprocess.DEVNULL)


def enter(name):
    with open(f"/run/netns/{name}") as f:
        if libc.setns(f.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")


def prepare(name):
    enter(name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    subprocess.run(["nft", "-f", "-"], input=RULES.encode(), check=True)


def send(name):
    enter(name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"many", ("127.0.0.1", 9))


def main():
    verb, crowd = sys.argv[1], names(sys.argv[2], int(sys.argv[3]))
    if os.getuid() != 0:
        sys.exit("many.py needs root")
    if verb == "make":
        in_batch("add", crowd)
        for name in crowd:
            prepare(name)
    elif verb == "send":
        for name in crowd:
            send(name)
    else:
        in_batch("del", crowd)


if __name__ == "__main__":
    main()
