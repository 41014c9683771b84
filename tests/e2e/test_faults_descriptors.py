# SPDX-License-Identifier: MIT
"""More namespaces than descriptors: what is not read says why, what is read goes on, clients are served, and
the rest follows as soon as there are descriptors."""
import os

import harness
from harness import pb

GROUP = 100
SPACES = 30
LIMIT = 80  # descriptors: of those at least 32 are not for namespaces, which take two each
PACKETS = 100


class Descriptors(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.spaces = [self.netns(f"d{i}") for i in range(SPACES)]
        for ns in self.spaces:
            ns.sink(f'udp dport 9 log prefix "descriptors" group {GROUP}')
        self.under_test = self.daemon(
            config={"tenants": [{"name": "t", "identities": [{"unix_uid": os.getuid()}],
                                 "sources": [{"netns": f"nfl{os.getpid()}-d*", "groups": [GROUP]}]}]},
            wrapper=["prlimit", f"--nofile={LIMIT}:{LIMIT}"])

    def by_state(self):
        """Names of those that are read, and {name: why not} of the others."""
        sources = self.asker.ListSources(pb.ListSourcesRequest()).sources
        read = {s.netns for s in sources if s.state == pb.SOURCE_STATE_LISTENING}
        return read, {s.netns: s.detail for s in sources if s.state == pb.SOURCE_STATE_FAILED}

    def check_delivery(self, stream, names):
        before = len(stream.packets)
        generated = sum(ns.generate(PACKETS) for ns in self.spaces if ns.name in names)
        stream.wait_packets(before + generated)
        self.assertEqual((len(stream.packets) - before, stream.lost()), (generated, 0))

    def test_namespaces_wait_for_descriptors_and_say_so(self):
        self.asker = self.stub(self.under_test)
        stream = self.subscribe(self.under_test)
        read, failed = self.by_state()
        self.assertEqual(len(read) + len(failed), SPACES)
        self.assertGreater(len(read), 0)
        self.assertGreater(len(failed), 0)
        for detail in failed.values():
            self.assertRegex(detail, "descriptors|Too many open files")
        self.check_delivery(stream, read)
        self.assertGreaterEqual(len(read), len(failed))
        gone = sorted(read)[:len(failed)]
        for ns in self.spaces:
            if ns.name in gone:
                ns.delete()
        harness.wait_until("the others are read", lambda: set(failed) <= self.by_state()[0])
        self.check_delivery(stream, {ns.name for ns in self.spaces} - set(gone))
        self.nflogctl(self.under_test, "status")


if __name__ == "__main__":
    harness.main()
