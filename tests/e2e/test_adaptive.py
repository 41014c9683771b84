# SPDX-License-Identifier: MIT
"""Profile adaptive: the kernel's settings follow the rate, and no packet notices."""
import json
import os
import subprocess
import tempfile

import harness
from harness import pb

CALM = 100  # packets/s
FLOOD = 80_000
MAXIMUM = 0  # packets/s: what the generator can do


class Adaptive(harness.RealTest):
    def serve(self, **settings):
        self.red = self.netns("red")
        self.red.sink('log prefix "a" group 100')
        self.nflogd = self.daemon_for((self.red, [100], settings))

    def timeout(self):
        """What the kernel has for the group, in 1/100 s; QTHRESH and NLBUFSIZ it does not show."""
        line = self.red.exec("cat", "/proc/net/netfilter/nfnetlink_log").split()
        return int(line[5])

    def collect(self, *args):
        """nflogctl with its output in a file: what it may take any time to read."""
        out = tempfile.NamedTemporaryFile(dir=self.folder)
        self.addCleanup(out.close)
        process = subprocess.Popen([os.path.join(harness.BIN, "nflogctl"), "--server",
                                    self.nflogd.address(), "subscribe", "-o", "json", *args],
                                   stdout=out, stderr=subprocess.PIPE)
        self.addCleanup(self._end_process, process)
        harness.wait_until("nflogctl has subscribed", lambda: self._subscriptions(self.nflogd) == 1)
        return process, out.name

    def test_steps_of_the_rate_change_the_settings_and_lose_repeat_and_reorder_nothing(self):
        self.serve()
        sent = self.red.generate(CALM, rate=CALM)
        self.assertEqual(self.timeout(), 0)
        reader, path = self.collect("--all")
        for rate in (FLOOD, MAXIMUM, FLOOD):
            sent += self.red.generate(2 * FLOOD, rate=rate)
            harness.wait_until("large batches", lambda: self.timeout() == 2)
            sent += self.red.generate(CALM, rate=CALM)
            harness.wait_until("single packets", lambda: self.timeout() == 0)
        self.wait_all(sent)
        reader.send_signal(2)
        err = reader.communicate(timeout=harness.PATIENCE_S)[1]
        packets, lost = harness.summary(err)
        self.assertEqual(packets + lost, sent)
        sequences = self.sequences(path)
        self.assertEqual(len(sequences), packets)
        self.assertTrue(all(a < b for a, b in zip(sequences, sequences[1:])))
        if lost == 0:
            self.assertEqual(sequences, list(range(1, sent + 1)))

    def wait_all(self, sent):
        def accounted():
            stats = self.stub(self.nflogd).GetStats(pb.GetStatsRequest())
            sub = stats.subscriptions[0]
            return sub.packets_sent + sub.packets_lost >= sent
        harness.wait_until("all is sent or told as lost", accounted)

    @staticmethod
    def sequences(path):
        with open(path) as f:
            lines = [json.loads(line) for line in f]
        return [line["sequence"] for line in lines if "sequence" in line]

    def test_a_single_packet_of_a_quiet_group_comes_at_once(self):
        self.serve()
        stream = self.subscribe(self.nflogd)
        self.red.send_udp("10.99.0.2", 9)
        stream.wait_packets(1)
        self.assertEqual(self.timeout(), 0)

    def test_settings_that_are_given_stay_under_a_flood(self):
        self.serve(timeout_ms=50)
        self.assertEqual(self.timeout(), 5)
        self.red.generate(FLOOD, rate=FLOOD)
        self.assertEqual(self.timeout(), 5)

    def test_other_profiles_stay_under_a_flood(self):
        self.serve(profile="latency")
        self.red.generate(FLOOD // 4, rate=FLOOD)
        self.assertEqual(self.timeout(), 0)

    def test_a_reload_begins_anew_with_what_is_configured(self):
        self.serve()
        self.red.generate(FLOOD, rate=FLOOD)
        harness.wait_until("large batches", lambda: self.timeout() == 2)
        with open(self.nflogd.config_path) as f:
            config = json.load(f)
        config["tenants"][0]["sources"][0]["copy_bytes"] = 64
        self.nflogd.reload(config)
        harness.wait_until("single packets", lambda: self.timeout() == 0)
        self.red.generate(FLOOD, rate=FLOOD)
        harness.wait_until("large batches", lambda: self.timeout() == 2)


if __name__ == "__main__":
    harness.main()
