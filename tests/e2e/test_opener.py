# SPDX-License-Identifier: MIT
"""The opener process: it serves whatever it is sent, what dies is started again or told of, and no
process is left behind.

To play a daemon in the hands of an attacker, the tests borrow the daemon's own ends of the sockets
(pidfd_getfd(2)).
"""
import array
import ctypes
import os
import random
import signal
import socket
import struct
import threading

import harness
from harness import pb

CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH = 21, 12, 19, 2
ALLOWED_CAPS = sum(1 << cap for cap in (CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_PTRACE,
                                        CAP_DAC_READ_SEARCH))
REQUEST = struct.Struct("=IIQQII4096s")  # struct protocol_request
OPEN, LINKS, UNBIND, CONFIGURE, RELOAD, REPORT = range(1, 7)
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
COUNT, RATE = 60_000, 20_000  # what a reader in Python keeps up with, sanitizers and all
HELD = 8000  # a datagram each: less than the usual receive buffer holds
libc = ctypes.CDLL(None, use_errno=True)


def seqpacket_ends(pid):
    """Our own copies of a process's SOCK_SEQPACKET sockets."""
    process = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    assert process >= 0, os.strerror(ctypes.get_errno())
    ends = []
    for number in sorted(map(int, os.listdir(f"/proc/{pid}/fd"))):
        fd = libc.syscall(SYS_PIDFD_GETFD, process, number, 0)
        try:
            end = socket.socket(fileno=fd)
        except OSError:  # no socket
            os.close(fd)
            continue
        if (end.family, end.type) == (socket.AF_UNIX, socket.SOCK_SEQPACKET):
            ends.append(end)
        else:
            end.close()
    os.close(process)
    return ends


def request(op, shown=b"", group=100, dev=0, inode=0, zero=0):
    return REQUEST.pack(op, random.getrandbits(32), dev, inode, group, zero, shown)


class Opener(harness.RealTest):
    def serve(self, **settings):
        self.red = self.netns("red")
        self.red.sink('udp dport 9 log prefix "opener" group 100')
        self.nflogd = self.daemon(config={"tenants": [{
            "name": "test", "identities": [{"unix_uid": os.getuid()}],
            "sources": [dict({"netns": f"nfl{os.getpid()}-*", "groups": [100]}, **settings)]}]})
        self.warden = harness.wait_until("there is a warden", lambda: harness.child_of(
            self.nflogd.process.pid, "nflogd-warden"))
        self.worker = self.wait_worker()
        return self.subscribe(self.nflogd)

    def wait_worker(self, other_than=None):
        def find():
            found = harness.child_of(self.warden, "nflogd-opener")
            return found if found != other_than else None
        return harness.wait_until("there is a worker", find)

    def assert_finds(self, stream, name):
        """A namespace that is made now is found and read."""
        netns = self.netns(name)
        netns.sink('udp dport 9 log prefix "late" group 100')
        stream.wait(f"{netns.name} is listened to", lambda: any(
            r.source_event.source.netns == netns.name
            and r.source_event.source.state == pb.SOURCE_STATE_LISTENING for r in stream.events))
        before = len(stream.packets)
        self.assertEqual(netns.generate(10), 10)
        stream.wait_packets(before + 10)

    def kill(self, pid, signal_number=signal.SIGKILL):
        os.kill(pid, signal_number)

    # --- whatever it is sent ---------------------------------------------------------------

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.worker}/fd"))

    def send(self, end, data, fds=()):
        """Waits until there is room; fails when the worker takes nothing any more."""
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []

        def try_to():
            try:
                end.sendmsg([data], control, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                return True
            except BlockingIOError:
                return False
        harness.wait_until("the worker takes what it is sent", try_to)

    @staticmethod
    def drain(end):
        """Take the answers that the daemon does not wait for. It waits on its first line always."""
        try:
            while end.recvmsg(65536, 1024, socket.MSG_DONTWAIT):
                pass
        except BlockingIOError:
            pass

    def garbage(self):
        """Datagrams that are no requests, and requests that are not to be served."""
        own = os.stat("/proc/self/ns/net")
        red = self.red.name.encode()
        for size in (0, 1, 2, 31, 32, 33, REQUEST.size - 1, REQUEST.size + 1, 2 * REQUEST.size,
                     65536):
            yield bytes(size)
            yield os.urandom(size)
        for op in (0, 7, 255, 2**32 - 1):
            yield request(op, red)
        for op in range(1, 7):
            yield request(op, b"x" * 4096)  # does not end
            yield request(op, red, group=65536)
            yield request(op, red, group=2**32 - 1, zero=2**32 - 1)
            yield request(op, b"%s%n%n%n")
        for op in (OPEN, LINKS, CONFIGURE):
            yield request(op, b"host", 7, own.st_dev, own.st_ino)  # not configured
            yield request(op, b"/proc/self/ns/net", 7, own.st_dev, own.st_ino)
            yield request(op, b"../../proc/1/ns/net", 100, own.st_dev, own.st_ino)
            yield request(op, red, 7, own.st_dev, own.st_ino)
            yield request(op, red, 100, own.st_dev, own.st_ino)  # another one than red
        for _ in range(200):
            yield os.urandom(REQUEST.size)
            yield request(random.randint(1, 6), os.urandom(random.randint(0, 300)),
                          random.getrandbits(16), random.getrandbits(64), random.getrandbits(64))

    def groups_bound(self, netns):
        lines = netns.exec("cat", "/proc/net/netfilter/nfnetlink_log").splitlines()
        return [int(line.split()[0]) for line in lines]

    def test_garbage_of_every_kind_ends_nothing(self):
        stream = self.serve()
        before = self.descriptors()
        ends = seqpacket_ends(self.nflogd.process.pid)
        self.assertGreater(len(ends), 0)
        with open("/dev/null", "rb") as null:
            for i, end in enumerate(ends):
                for data in self.garbage():
                    for fds in ([], [null.fileno()], [null.fileno()] * 100):
                        self.send(end, data, fds)
                        if i > 0:
                            self.drain(end)
                end.close()
        self.assert_finds(stream, "late")
        self.assertEqual(harness.child_of(self.warden, "nflogd-opener"), self.worker)
        self.assertIn("opener.refused", self.nflogd.read_log())
        harness.wait_until("no descriptor is left", lambda: self.descriptors() <= before)
        self.assertEqual(self.groups_bound(self.red), [100])

    # --- who dies --------------------------------------------------------------------------

    def test_a_worker_killed_under_load_costs_nothing_and_is_started_again(self):
        stream = self.serve()
        load = threading.Thread(target=self.red.generate, args=(COUNT,), kwargs={"rate": RATE})
        load.start()
        stream.wait_packets(1)
        self.kill(self.worker)
        self.worker = self.wait_worker(other_than=self.worker)
        load.join()
        stream.wait_accounted(COUNT)
        self.assertEqual((len(stream.packets), stream.lost()), (COUNT, 0))
        self.assert_no_gap(stream.packets)
        self.assertFalse(any(r.source_event.source.state == pb.SOURCE_STATE_GONE
                             for r in stream.events))
        self.assert_finds(stream, "late")

    def test_a_namespace_deleted_while_there_is_no_worker_is_let_go_of_afterwards(self):
        stream = self.serve()
        blue = self.netns("blue")
        stream.wait("blue is listened to", lambda: any(
            r.source_event.source.netns == blue.name
            and r.source_event.source.state == pb.SOURCE_STATE_LISTENING for r in stream.events))
        self.kill(self.worker, signal.SIGSTOP)
        blue.delete()
        self.kill(self.worker)
        stream.wait("blue is gone", lambda: any(
            r.source_event.source.netns == blue.name
            and r.source_event.source.state == pb.SOURCE_STATE_GONE for r in stream.events))

    def test_a_killed_warden_ends_the_daemon_with_a_status_and_loses_nothing(self):
        stream = self.serve(profile="latency")
        self.kill(self.nflogd.process.pid, signal.SIGSTOP)
        self.assertEqual(self.red.generate(HELD), HELD)
        self.kill(self.warden)
        harness.wait_until("the worker has ended, too", lambda: not harness.is_running(self.worker))
        self.kill(self.nflogd.process.pid, signal.SIGCONT)
        self.assertEqual(stream.wait_end(), harness.grpc.StatusCode.UNAVAILABLE)
        self.assertEqual((len(stream.packets), stream.lost()), (HELD, 0))
        self.nflogd.stop(expect=1)
        self.assertIn("opener.lost", self.nflogd.read_log())

    def test_a_killed_daemon_leaves_no_process(self):
        self.serve()
        self.nflogd.process.kill()
        self.assertEqual(self.nflogd.process.wait(harness.PATIENCE_S), -signal.SIGKILL)
        harness.wait_until("no process is left", lambda: not harness.is_running(self.warden)
                           and not harness.is_running(self.worker))

    def _end_daemon(self, daemon):
        """Some tests end it otherwise, which is then no failure."""
        if daemon.process.poll() in (-signal.SIGKILL, 1):
            daemon.log.close()
        else:
            super()._end_daemon(daemon)

    def test_a_daemon_that_ends_leaves_no_process(self):
        self.serve()
        self.nflogd.stop()
        self.assertFalse(harness.is_running(self.warden))
        self.assertFalse(harness.is_running(self.worker))

    def test_signals_to_the_whole_group_lose_no_packet(self):
        """As a service manager and ^C send them. The kernel keeps the last packets back until it is
        asked to unbind, so the opener must outlive them."""
        stream = self.serve(profile="balanced", timeout_ms=3_600_000)
        self.kill(self.nflogd.process.pid, signal.SIGSTOP)
        self.assertEqual(self.red.generate(HELD), HELD)
        for pid in (self.warden, self.worker, self.nflogd.process.pid):
            self.kill(pid, signal.SIGTERM)
        self.kill(self.nflogd.process.pid, signal.SIGCONT)
        stream.wait_end()
        self.assertEqual((len(stream.packets), stream.lost()), (HELD, 0))

    # --- what it may -----------------------------------------------------------------------

    def test_it_keeps_no_more_rights_than_it_needs(self):
        self.serve()
        for pid in (self.warden, self.worker):
            status = harness.status_of(pid)
            for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                self.assertEqual(int(status[kind], 16) & ~ALLOWED_CAPS, 0, (pid, kind))
            self.assertEqual(status["NoNewPrivs"], "1")
            self.assertEqual(int(status["CapEff"], 16) & 1 << CAP_NET_ADMIN, 1 << CAP_NET_ADMIN)


if __name__ == "__main__":
    harness.main()
