# SPDX-License-Identifier: MIT
"""nflogctl with each of its allocations failing in turn: it says so and ends with 1, or does without."""
import os
import re
import unittest

import fake
from fake import at, batch, caught_up, loss, packet, pb, source, started

fake.NFLOGCTL += "_failing"
# A run takes most of its time to start: of many allocations some.
RUNS_MAX = int(os.environ.get("NFL_MEMORY_RUNS", "12"))
SANITIZER = 99


class Memory(fake.CommandTest):
    def run_failing(self, nth, *args):
        process = self.start(*args, env={
            "NFLOGCTL_SERVER": self.address, "NFL_FAIL_ALLOCATION": nth,
            "ASAN_OPTIONS": f"exitcode={SANITIZER}", "UBSAN_OPTIONS": f"exitcode={SANITIZER}",
            "LSAN_OPTIONS": os.environ.get("LSAN_OPTIONS", "")})
        out, err = process.communicate(timeout=fake.PATIENCE_S)
        return process.returncode, out.decode(), err.decode()

    def count(self, *args):
        """How many allocations there are: the first one that changes nothing is behind the last."""
        good = self.run_failing("0", *args)
        self.assertEqual(good[0], 0, good[2])
        low, high = 0, 4096
        while high - low > 1:
            middle = (low + high) // 2
            if self.run_failing(f"{middle}+", *args)[:1] == good[:1]:
                high = middle
            else:
                low = middle
        return high

    def fail_each(self, *args, says=""):
        """says: what is printed on standard error where the failure makes no difference"""
        count = self.count(*args)
        step = max(1, count * 2 // RUNS_MAX)
        self.assertGreater(count, 1)
        for nth in range(1, count + 1, step):
            for how in str(nth), f"{nth}+":
                with self.subTest(allocation=how, of=count):
                    code, _, err = self.run_failing(how, *args)
                    self.assertIn(code, (0, 1), err)
                    told = "Cannot allocate memory|out of memory" if code else says
                    self.assertTrue(re.search(told, err), err)

    def serve_stream(self, name="sock"):
        self.serve(name, Subscribe=[
            at(0, started(source(1, "red", 100), source(2, "blue", 7))), at(1, loss(3, 3)),
            at(2, batch(*[packet(n, payload=bytes(3000)) for n in range(1, 301)])),
            at(3, caught_up(300))])

    def test_stream_with_all_that_can_be_asked_for(self):
        self.serve_stream()
        for output in "json", "protojson", "table", "pcapng":
            self.fail_each("subscribe", "--netns", "red", "--group", "100", "--src", "10.0.0.0/8",
                           "--prefix", "a*", "--not", "--dport", "1-9", "--all", "--no-follow",
                           "--resume-file", os.path.join(self.folder, "place-" + output),
                           "-w", os.path.join(self.folder, "out-" + output), "-o", output,
                           "tcp", "port", "22", says="-- 300 packets, 3 lost")

    def test_streams_of_two_servers(self):
        self.serve_stream()
        first = self.address
        self.serve_stream("other")
        self.fail_each("-s", first, "-s", self.address, "subscribe", "--no-follow", "--all",
                       says=r"(?s)(: 300 packets, 3 lost.*){2}")

    def test_answers(self):
        self.serve(ListNetns=pb.ListNetnsResponse(netns=[pb.Netns(name="red", groups=[1, 2])]),
                   ListSources=pb.ListSourcesResponse(sources=[source(1, "red", 100)]),
                   GetStats=pb.GetStatsResponse(
                       sources=[pb.SourceStats(source=source(1, "red", 100))],
                       subscriptions=[pb.SubscriptionStats(subscription_id="s1")]),
                   GetServerInfo=pb.GetServerInfoResponse(version="1", features=["a"]))
        for command in (["list", "netns"], ["list", "sources", "-o", "json"], ["stats"], ["status"],
                        ["whoami"], ["config"]):
            self.fail_each(*command)


if __name__ == "__main__":
    unittest.main(verbosity=2)
