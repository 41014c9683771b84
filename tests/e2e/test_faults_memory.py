# SPDX-License-Identifier: MIT
"""nflogd without memory: at its start it says so and ends; later it goes on, refuses what it has no
memory for, and reports every packet that it had none for as lost."""
import json
import mmap
import os
import struct
import subprocess
import threading

import harness
from harness import pb

STARTS = int(os.environ.get("NFL_MEMORY_RUNS", "12"))
ALLOCATIONS = 700  # more than a start takes
SANITIZER = 99  # exit code
GENERATED, RATE = 10_000, 10_000
GROUP = 100
TOLD = "Cannot allocate memory|no memory|keeper.memory"


class Memory(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.spaces = [self.netns("red"), self.netns("blue")]
        for ns in self.spaces:
            ns.sink(f'udp dport 9 log prefix "memory" group {GROUP}')
        self.config = {
            "history": {"bytes_per_source": "1M", "bytes_total": "4M"},
            "tenants": [{"name": "t", "identities": [{"unix_uid": os.getuid()}],
                         "sources": [{"netns": f"nfl{os.getpid()}-*", "groups": [GROUP]}]}]}

    # --- at the start ---

    def start(self, path, allocation):
        """(exit code, what was said) of a daemon that is stopped once it has started."""
        process = subprocess.Popen(
            [os.path.join(harness.BIN, "nflogd_failing"), "--config", path], stderr=subprocess.PIPE,
            env=dict(os.environ, NFL_FAIL_ALLOCATION=allocation,
                     ASAN_OPTIONS=f"exitcode={SANITIZER}", UBSAN_OPTIONS=f"exitcode={SANITIZER}"))
        self.addCleanup(process.stderr.close)
        said = ""
        for line in process.stderr:
            said += line.decode()
            if b"server.started" in line:
                process.terminate()
        return process.wait(harness.PATIENCE_S), said

    def test_start_ends_with_a_message_or_goes_on_without(self):
        path = os.path.join(self.folder, "config")
        with open(path, "w") as file:
            json.dump(dict(self.config, listen=[{"unix": os.path.join(self.folder, "sock")}]), file)
        ended = 0
        for nth in range(1, ALLOCATIONS, max(1, ALLOCATIONS // STARTS)):
            for allocation in str(nth), f"{nth}+":
                with self.subTest(allocation=allocation):
                    code, said = self.start(path, allocation)
                    self.assertIn(code, (0, 1), said)
                    if code == 1:
                        self.assertRegex(said, TOLD)
                        ended += 1
        self.assertGreater(ended, 0)

    # --- later ---

    def fail_one_of(self, number):
        """From now on one of so many allocations fails; 0: none."""
        self.rate[:] = struct.pack("=Q", number)

    def failing_daemon(self):
        path = os.path.join(self.folder, "rate")
        with open(path, "w+b") as file:
            file.write(bytes(8))
            file.flush()
            self.rate = mmap.mmap(file.fileno(), 8)
        self.addCleanup(self.rate.close)
        return self.daemon(self.config, program="nflogd_failing",
                           environment={"NFL_FAIL_RATE": path})

    def ask_all(self, daemon, answers, stop):
        """Questions and short streams until told to stop: how each of them ended."""
        stub = self.stub(daemon)
        asked = (
            lambda: stub.ListNetns(pb.ListNetnsRequest()),
            lambda: stub.ListSources(pb.ListSourcesRequest()),
            lambda: stub.GetStats(pb.GetStatsRequest()),
            lambda: stub.GetServerInfo(pb.GetServerInfoRequest()),
            lambda: list(stub.Subscribe(pb.SubscribeRequest(
                include=[pb.PacketFilter(destination_port=[pb.PortRange(first=9, last=9)])],
                start=pb.StartPosition(last=10), follow=False))))
        while not stop.is_set():
            for ask in asked:
                try:
                    ask()
                    answers.append(harness.grpc.StatusCode.OK)
                except harness.grpc.RpcError as error:
                    answers.append(error.code())

    def test_every_packet_is_delivered_or_reported_lost(self):
        daemon = self.failing_daemon()
        stream = self.subscribe(daemon)
        answers, stop, generated = [], threading.Event(), 0
        threads = [threading.Thread(target=self.ask_all, args=(daemon, answers, stop))
                   for _ in range(2)]
        self.addCleanup(stop.set)
        for thread in threads:
            thread.start()
        for number in 50, 7, 2, 1:
            self.fail_one_of(number)
            generated += sum(ns.generate(GENERATED, rate=RATE) for ns in self.spaces)
            daemon.reload()
        late = self.netns("late")
        self.fail_one_of(0)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertIn("config.reloaded", daemon.reload())
        generated += sum(ns.generate(1) for ns in self.spaces)
        stream.wait_accounted(generated)
        self.assertEqual(len(stream.packets) + stream.lost(), generated)
        self.assertGreater(stream.lost(), 0)
        self.assertEqual(set(answers), {harness.grpc.StatusCode.OK,
                                        harness.grpc.StatusCode.RESOURCE_EXHAUSTED})
        harness.wait_until("a namespace that was made without memory is read", lambda: any(
            source.netns == late.name and source.state == pb.SOURCE_STATE_LISTENING
            for source in self.stub(daemon).ListSources(pb.ListSourcesRequest()).sources))
        later = self.subscribe(daemon)
        generated = sum(ns.generate(100) for ns in self.spaces)
        later.wait_accounted(generated)
        self.assertEqual(len(later.packets), generated)
        print(f"without memory: {len(stream.packets)} delivered, {stream.lost()} lost, "
              f"{len(answers)} answers")


if __name__ == "__main__":
    harness.main()
