# SPDX-License-Identifier: MIT
"""The process that talks to the network has nothing to steal; the one that has is asked little."""
import os
import re
import signal
import subprocess

import harness

SANITIZED = "asan" in subprocess.run(["ldd", os.path.join(harness.BIN, "nflogd")],
                                     stdout=subprocess.PIPE).stdout.decode()


def status(pid, thread=None):
    """/proc/PID/status, or that of one of its threads, as a dict of texts."""
    path = f"/proc/{pid}/task/{thread}/status" if thread else f"/proc/{pid}/status"
    with open(path) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def children(pid):
    """Every process below pid."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children") as f:
            found += [int(child) for child in f.read().split()]
    return found + [below for child in found for below in children(child)]


class Privileges(harness.RealTest):
    def serve(self, **options):
        self.ns = self.netns("red")
        self.ns.sink('udp dport 9 log prefix "red" group 100')
        return self.daemon(config={"tenants": [{
            "name": "test", "identities": [{"unix_uid": os.getuid()}],
            "sources": [{"netns": self.ns.name, "groups": [100]}]}]}, **options)

    def test_the_network_process_has_no_privilege_in_any_thread(self):
        daemon = self.serve()
        self.subscribe(daemon)
        pid = daemon.process.pid
        threads = os.listdir(f"/proc/{pid}/task")
        self.assertGreater(len(threads), 3)
        for thread in threads:
            seen = status(pid, thread)
            for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                self.assertEqual(int(seen[caps], 16), 0, (thread, caps))
            self.assertEqual(seen["NoNewPrivs"], "1")
            self.assertEqual(seen["Seccomp"], "2")
            self.assertNotIn("0", seen["Uid"].split())
            self.assertNotIn("0", seen["Gid"].split())
            self.assertEqual(seen["Groups"].split(), [])

    def test_started_as_systemd_does_only_the_opener_keeps_the_capabilities(self):
        daemon = self.serve(wrapper=[
            "sh", "-c", 'chown -R 65534 "$0" && exec setpriv "$@"', self.folder,
            "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
            "--inh-caps=-all,+sys_admin,+net_admin", "--ambient-caps=-all,+sys_admin,+net_admin",
            "--bounding-set=-all,+sys_admin,+net_admin"])
        stream = self.subscribe(daemon)
        self.ns.send_udp("10.99.0.7", 9, count=3)
        stream.wait_packets(3)
        pid = daemon.process.pid
        for thread in os.listdir(f"/proc/{pid}/task"):
            for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status(pid, thread)[caps], 16), 0, (thread, caps))
        for opener in children(pid):
            self.assertEqual(int(status(opener)["CapEff"], 16), (1 << 21) | (1 << 12))
            self.assertEqual(int(status(opener)["CapAmb"], 16), 0)

    def test_the_opener_has_only_what_it_needs(self):
        needed = (1 << 21) | (1 << 12) | (1 << 19) | (1 << 2)  # SYS_ADMIN NET_ADMIN SYS_PTRACE DAC_READ_SEARCH
        daemon = self.serve()
        openers = children(daemon.process.pid)
        self.assertTrue(openers)
        for pid in openers:
            self.assertEqual(int(status(pid)["CapEff"], 16) & ~needed, 0)

    def test_only_the_opener_ever_enters_a_namespace(self):
        trace = os.path.join(self.folder, "trace")
        # LeakSanitizer cannot run where somebody else traces.
        daemon = self.serve(wrapper=["strace", "-D", "-f", "-qq", "-e", "trace=setns,socket", "-o", trace],
                            environment={"ASAN_OPTIONS": "detect_leaks=0"})
        stream = self.subscribe(daemon)
        later = self.netns("red2")
        later.delete()
        self.ns.send_udp("10.99.0.7", 9, count=3)
        stream.wait_packets(3)
        mine = {int(thread) for thread in os.listdir(f"/proc/{daemon.process.pid}/task")}
        openers = set(children(daemon.process.pid))
        daemon.stop()
        with open(trace) as f:
            calls = [(int(m.group(1)), m.group(2)) for m in
                     re.finditer(r"^(\d+) +(setns|socket\(AF_NETLINK)", f.read(), re.MULTILINE)]
        self.assertTrue([pid for pid, call in calls if call == "setns"])
        self.assertTrue({pid for pid, _ in calls} <= openers, (calls, mine, openers))

    def test_the_daemon_killed_leaves_no_process_and_no_socket(self):
        daemon = self.serve()
        openers = children(daemon.process.pid)
        self.assertTrue(openers)
        daemon.kill()
        harness.wait_until("the opener ends", lambda: not any(
            os.path.exists(f"/proc/{pid}") for pid in openers))
        self.assertFalse(os.path.exists(daemon.socket))
        daemon.process.returncode = 0  # it was killed on purpose

    def test_listeners_go_on_when_the_opener_is_killed(self):
        daemon = self.serve()
        stream = self.subscribe(daemon)
        before = children(daemon.process.pid)
        worker = [pid for pid in before if not children(pid)]
        for pid in worker:
            os.kill(pid, signal.SIGKILL)
        self.ns.send_udp("10.99.0.7", 9, count=100)
        stream.wait_packets(100)
        self.assertEqual(stream.lost(), 0)
        harness.wait_until("another opener runs", lambda: set(children(daemon.process.pid)) - set(before))
        # It does what the one before did: a namespace made again is read again.
        self.ns.delete()
        again = self.netns("red")
        again.sink('udp dport 9 log prefix "again" group 100')
        stream.wait("the namespace that was made again is read", lambda: any(
            event.source_event.source.state == harness.pb.SOURCE_STATE_LISTENING
            for event in stream.events if event.WhichOneof("event") == "source_event"))
        again.send_udp("10.99.0.7", 9)
        stream.wait_packets(101)

    def test_the_daemon_ends_with_a_status_when_nobody_can_open_any_more(self):
        daemon = self.serve()
        warden = [pid for pid in children(daemon.process.pid) if children(pid)]
        self.assertTrue(warden)
        for pid in warden:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(daemon.process.wait(harness.PATIENCE_S), 1)
        self.assertIn("opener", daemon.read_log())
        daemon.stop(expect=1)
        daemon.process.returncode = 0  # what was expected


if __name__ == "__main__":
    harness.main()
