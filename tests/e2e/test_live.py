# SPDX-License-Identifier: MIT
"""Namespaces that come and go under a running daemon: names, globs, paths, processes, the host."""
import os
import socket
import subprocess
import sys
import time

import harness
from harness import pb

LISTENING, WAITING = pb.SOURCE_STATE_LISTENING, pb.SOURCE_STATE_WAITING
FAILED, GONE = pb.SOURCE_STATE_FAILED, pb.SOURCE_STATE_GONE
LOG = 'udp dport 5001 log prefix "live" group 100'
HOST_GROUP = 64321  # of the machine's own namespace; nobody else's


class Place:
    """A directory that names namespaces by bind mounts, as container engines have it."""

    def __init__(self, path):
        self.path = path

    def make(self):
        os.mkdir(self.path)

    def bind(self, name, netns):
        path = os.path.join(self.path, name)
        with open(path, "x"):
            pass
        harness.run("mount", "--bind", f"/run/netns/{netns.name}", path)
        return path

    def unbind(self, name):
        path = os.path.join(self.path, name)
        harness.run("umount", path)
        os.unlink(path)

    def remove(self):
        """Also what a failed test left mounted, or rmtree would find namespaces in its way."""
        if not os.path.isdir(self.path):
            return
        for name in os.listdir(self.path):
            subprocess.run(["umount", "--quiet", "--lazy", os.path.join(self.path, name)],
                           stderr=subprocess.DEVNULL, check=False)


class Live(harness.RealTest):
    def place(self):
        made = Place(os.path.join(self.folder, "place"))
        self.addCleanup(made.remove)
        return made

    def daemon_on(self, *selectors, groups=(100,)):
        return self.daemon(config={"tenants": [{
            "name": "test", "identities": [{"unix_uid": os.getuid()}],
            "sources": [{"netns": s, "groups": list(groups)} for s in selectors]}]})

    def sources(self, daemon, shown):
        """Those that are not gone, by group."""
        answer = self.stub(daemon).ListSources(pb.ListSourcesRequest())
        return {s.group: s for s in answer.sources if s.netns == shown and s.state != GONE}

    def wait_source(self, daemon, shown, state, group=100, not_id=0):
        def there():
            source = self.sources(daemon, shown).get(group)
            return source and source.state == state and source.source_id != not_id and source
        return harness.wait_until(f"{shown} is {pb.SourceState.Name(state)}", there)

    def wait_no_source(self, daemon, shown):
        harness.wait_until(f"{shown} has no source", lambda: not self.sources(daemon, shown))

    def assert_packets_flow(self, daemon, netns, shown):
        stream = self.subscribe(daemon, netns=[shown])
        netns.send_udp("10.99.0.7", 5001)
        packet = stream.wait_packets(1)[0]
        stream.cancel()
        return packet

    def made(self, label):
        netns = self.netns(label)
        netns.sink(LOG)
        return netns

    def peer_of(self, netns, witness):
        """A cable whose end in `witness` is gone as soon as the kernel has freed `netns`."""
        name = f"w{len(self._cables)}"
        self._cables.append(name)
        harness.veth(netns, name, [], witness, name, [])
        return lambda: name not in witness.ip("-o", "link")

    def setUp(self):
        super().setUp()
        self._cables = []

    def report(self, what, since):
        print(f"{what}: {(time.monotonic() - since) * 1000:.1f} ms", file=sys.stderr)

    # --- appearing and vanishing

    def test_name_that_does_not_exist_waits_and_is_read_when_it_appears(self):
        name = f"nfl{os.getpid()}-red"
        daemon = self.daemon_on(name)
        waiting = self.wait_source(daemon, name, WAITING)
        self.assertIn("does not exist", waiting.detail)
        red = self.made("red")
        listening = self.wait_source(daemon, name, LISTENING)
        self.assertEqual(listening.source_id, waiting.source_id)
        self.assert_packets_flow(daemon, red, name)

    def test_subscriber_of_a_glob_is_told_of_what_comes_and_goes(self):
        witness = self.netns("witness")
        daemon = self.daemon_on(f"nfl{os.getpid()}-cni-*")
        stream = self.subscribe(daemon)
        self.assertEqual(list(stream.started.sources), [])

        def told(name, state):
            return lambda: [e for e in stream.events if e.source_event.source.netns == name
                            and e.source_event.source.state == state]
        before = time.monotonic()
        red = self.netns("cni-red")
        stream.wait("red is read", told(red.name, LISTENING))
        self.report("ip netns add until the subscriber knows", before)
        red.sink(LOG)
        red.send_udp("10.99.0.7", 5001)
        stream.wait_packets(1)
        is_freed = self.peer_of(red, witness)
        before = time.monotonic()
        red.delete()
        stream.wait("red is gone", told(red.name, GONE))
        self.report("ip netns del until the subscriber knows", before)
        harness.wait_until("the namespace is freed", is_freed)
        self.report("ip netns del until the kernel has freed it", before)
        self.wait_no_source(daemon, red.name)

    def test_name_made_again_is_another_source_and_is_read(self):
        red = self.made("red")
        daemon = self.daemon_on(red.name)
        seen = {self.wait_source(daemon, red.name, LISTENING).source_id}
        self.assert_packets_flow(daemon, red, red.name)
        for _ in range(3):
            red.delete()
            waiting = self.wait_source(daemon, red.name, WAITING)
            self.assertNotIn(waiting.source_id, seen)
            red = self.made("red")
            listening = self.wait_source(daemon, red.name, LISTENING)
            self.assertEqual(listening.source_id, waiting.source_id)
            seen.add(listening.source_id)
            packet = self.assert_packets_flow(daemon, red, red.name)
            self.assertEqual((packet.source_id, packet.sequence), (listening.source_id, 1))

    def test_name_deleted_and_made_again_at_once_is_another_source(self):
        red = self.made("red")
        daemon = self.daemon_on(red.name)
        first = self.wait_source(daemon, red.name, LISTENING)
        red.delete()
        red = self.made("red")
        self.wait_source(daemon, red.name, LISTENING, not_id=first.source_id)
        self.assert_packets_flow(daemon, red, red.name)

    def test_namespaces_that_came_and_went_leave_no_descriptor(self):
        witness = self.netns("witness")
        daemon = self.daemon_on(f"nfl{os.getpid()}-cni-*", groups=(100, 101, 102))

        def descriptors():
            return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        before = None
        for _ in range(5):
            red = self.netns("cni-red")
            self.wait_source(daemon, red.name, LISTENING, group=102)
            is_freed = self.peer_of(red, witness)
            red.delete()
            harness.wait_until("the namespace is freed", is_freed)
            self.wait_no_source(daemon, red.name)
            before = before or descriptors()
            harness.wait_until("no descriptor more than before", lambda: descriptors() <= before)

    # --- directories and paths

    def test_path_glob_takes_namespaces_of_a_directory_that_comes_later_and_nothing_else(self):
        witness = self.netns("witness")
        place = self.place()
        daemon = self.daemon_on({"path": os.path.join(place.path, "*")})
        self.assertEqual(len(self.stub(daemon).ListSources(pb.ListSourcesRequest()).sources), 0)
        for turn in range(2):  # the directory is made, deleted and made again
            red = self.made(f"red{turn}")
            place.make()
            os.symlink(f"/run/netns/{red.name}", os.path.join(place.path, "link"))
            with open(os.path.join(place.path, "plain"), "x"):
                pass
            os.mkdir(os.path.join(place.path, "folder"))
            with socket.socket(socket.AF_UNIX) as unix:
                unix.bind(os.path.join(place.path, "socket"))
            path = place.bind("box", red)
            self.wait_source(daemon, path, LISTENING)
            self.assert_packets_flow(daemon, red, path)
            names = {s.netns for s in self.stub(daemon).ListSources(pb.ListSourcesRequest()).sources
                     if s.state != GONE}
            self.assertEqual(names, {path})
            is_freed = self.peer_of(red, witness)
            red.delete()  # another name holds it, and is read
            self.assertEqual(self.sources(daemon, path)[100].state, LISTENING)
            before = time.monotonic()
            place.unbind("box")
            harness.wait_until("the namespace is freed", is_freed)
            self.report("umount until the kernel has freed it", before)
            self.wait_no_source(daemon, path)
            for name in "link", "plain", "socket":
                os.unlink(os.path.join(place.path, name))
            os.rmdir(os.path.join(place.path, "folder"))
            os.rmdir(place.path)

    def test_unmounted_name_is_gone_though_its_file_stays(self):
        witness = self.netns("witness")
        red, blue = self.made("red"), self.made("blue")
        place = self.place()
        place.make()
        path = place.bind("box", red)
        daemon = self.daemon_on({"path": path})
        first = self.wait_source(daemon, path, LISTENING)
        is_freed = self.peer_of(red, witness)
        red.delete()
        harness.run("umount", path)
        self.wait_source(daemon, path, WAITING)
        harness.wait_until("the namespace is freed", is_freed)
        harness.run("mount", "--bind", f"/run/netns/{blue.name}", path)
        self.wait_source(daemon, path, LISTENING, not_id=first.source_id)
        self.assert_packets_flow(daemon, blue, path)

    def test_namespace_mounted_over_another_takes_its_name(self):
        red, blue = self.made("red"), self.made("blue")
        place = self.place()
        place.make()
        path = place.bind("box", red)
        daemon = self.daemon_on({"path": path})
        first = self.wait_source(daemon, path, LISTENING)
        harness.run("mount", "--bind", f"/run/netns/{blue.name}", path)
        self.addCleanup(subprocess.run, ["umount", "--quiet", path], check=False)
        self.wait_source(daemon, path, LISTENING, not_id=first.source_id)
        self.assert_packets_flow(daemon, blue, path)

    def test_link_to_a_namespace_is_followed_where_a_path_names_it(self):
        red, blue = self.made("red"), self.made("blue")
        link = os.path.join(self.folder, "link")
        os.symlink(f"/run/netns/{red.name}", link)
        daemon = self.daemon_on({"path": link})
        first = self.wait_source(daemon, link, LISTENING)
        os.symlink(f"/run/netns/{blue.name}", link + ".new")
        os.rename(link + ".new", link)
        self.wait_source(daemon, link, LISTENING, not_id=first.source_id)
        self.assert_packets_flow(daemon, blue, link)

    def test_second_name_of_a_namespace_says_so_and_takes_over_when_the_first_is_gone(self):
        red = self.made("red")
        place = self.place()
        place.make()
        path = place.bind("box", red)  # sorts before the name, and is found with it
        daemon = self.daemon_on(red.name, {"path": path})
        self.wait_source(daemon, path, LISTENING)
        self.assertIn(path, self.wait_source(daemon, red.name, FAILED).detail)
        place.unbind("box")
        self.wait_source(daemon, red.name, LISTENING)
        self.assert_packets_flow(daemon, red, red.name)

    # --- processes and the host

    def test_namespace_of_a_process_goes_with_it(self):
        witness, red = self.netns("witness"), self.made("red")
        process = subprocess.Popen(["ip", "netns", "exec", red.name, "cat"], stdin=subprocess.PIPE)
        self.addCleanup(self._end_process, process)
        own = os.stat("/proc/self/ns/net").st_ino
        harness.wait_until("the process is there", lambda: os.stat(
            f"/proc/{process.pid}/ns/net").st_ino != own)
        daemon = self.daemon_on({"pid": process.pid})
        shown = f"pid:{process.pid}"
        first = self.wait_source(daemon, shown, LISTENING)
        self.assert_packets_flow(daemon, red, shown)
        is_freed = self.peer_of(red, witness)
        red.delete()
        self.assertEqual(self.sources(daemon, shown)[100].source_id, first.source_id)
        before = time.monotonic()
        process.kill()
        process.wait()
        self.wait_source(daemon, shown, WAITING)
        harness.wait_until("the namespace is freed", is_freed)
        self.report("end of the process until the kernel has freed it", before)

    def test_host_is_the_own_namespace_and_no_glob_means_it(self):
        daemon = self.daemon_on("host", f"nfl{os.getpid()}-*", groups=(HOST_GROUP,))
        self.wait_source(daemon, "host", LISTENING, group=HOST_GROUP)
        self.assertEqual(
            len(self.stub(daemon).ListSources(pb.ListSourcesRequest()).sources), 1)

    # --- what cannot be read

    def test_group_taken_by_another_program_says_so_and_is_read_once_it_is_free(self):
        red = self.made("red")
        first = self.daemon_on(red.name)
        self.wait_source(first, red.name, LISTENING)
        second = self.daemon_on(red.name)
        failed = self.wait_source(second, red.name, FAILED)
        self.assertRegex(failed.detail, r"group 100 is taken by netlink port id \d+.*trying again")
        first.stop()
        listening = self.wait_source(second, red.name, LISTENING)
        self.assertEqual(listening.source_id, failed.source_id)
        self.assertEqual(listening.detail, "")
        self.assert_packets_flow(second, red, red.name)

    def test_namespace_of_another_kind_is_not_entered(self):
        place = self.place()
        place.make()
        path = os.path.join(place.path, "uts")
        with open(path, "x"):
            pass
        harness.run("mount", "--bind", "/proc/self/ns/uts", path)
        red = self.made("red")
        daemon = self.daemon_on({"path": os.path.join(place.path, "*")}, red.name)
        self.wait_source(daemon, red.name, LISTENING)
        self.assertEqual(self.sources(daemon, path), {})
        self.assert_packets_flow(daemon, red, red.name)


if __name__ == "__main__":
    harness.main()
