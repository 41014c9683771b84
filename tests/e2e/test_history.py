# SPDX-License-Identifier: MIT
"""History and resume with packets that a kernel logged: a reader that comes back misses nothing."""
import random
import threading

import grpc

import harness
from harness import pb


def position(**which):
    return {"start": pb.StartPosition(**which), "follow": False}


class History(harness.RealTest):
    def two_namespaces(self):
        spaces = [self.netns("red"), self.netns("blue")]
        for ns in spaces:
            ns.sink('udp dport 9 log prefix "history" group 100')
        return spaces, self.daemon_for(*((ns, [100], {}) for ns in spaces))

    def received(self, daemon, count):
        stub = self.stub(daemon)
        harness.wait_until(f"{count} packets are stored", lambda: sum(
            s.packets_received for s in stub.GetStats(pb.GetStatsRequest()).sources) == count)

    def read(self, daemon, **which):
        stream = self.subscribe(daemon, **position(**which))
        self.assertEqual(stream.wait_end(), grpc.StatusCode.OK)
        self.assertEqual(stream.losses, [])
        return stream.packets

    def test_what_was_logged_before_can_be_read(self):
        spaces, daemon = self.two_namespaces()
        for ns in spaces:
            ns.generate(500)
        self.received(daemon, 1000)
        everything = self.read(daemon, oldest=True)
        self.assertEqual(len(everything), 1000)
        self.assert_no_gap(everything)
        self.assertEqual(self.read(daemon, last=7), everything[-7:])
        self.assertEqual(self.read(daemon, last=5000), everything)
        self.assertEqual(self.read(daemon, since=everything[600].receive_time),
                         [p for p in everything
                          if (p.receive_time.seconds, p.receive_time.nanos) >=
                          (everything[600].receive_time.seconds,
                           everything[600].receive_time.nanos)])
        self.assertEqual(self.read(daemon, since_ago={"seconds": 3600}), everything)

    def test_a_reader_that_is_cut_off_again_and_again_misses_nothing(self):
        spaces, daemon = self.two_namespaces()
        stub = self.stub(daemon)
        threads = [threading.Thread(target=ns.generate, args=(20_000,), kwargs={"rate": 8000})
                   for ns in spaces]
        chance = random.Random(1)
        packets, lost, cuts = [], 0, 0
        start = pb.StartPosition(oldest=True)
        for thread in threads:
            thread.start()
        while len(packets) + lost < 40_000:
            call = stub.Subscribe(pb.SubscribeRequest(
                start=start, follow=True, batch=pb.BatchPolicy(max_packets=40)),
                                  timeout=harness.PATIENCE_S)
            for response, _ in zip(call, range(chance.randrange(1, 60))):
                packets.extend(response.batch.packets)
                lost += response.loss.count
                if response.HasField("started") and cuts:
                    self.assertEqual(response.started.resume_status, pb.RESUME_STATUS_CONTINUED)
                if response.resume_token:
                    start = pb.StartPosition(resume_token=response.resume_token)
                if len(packets) + lost >= 40_000:
                    break
            call.cancel()
            cuts += 1
        for thread in threads:
            thread.join()
        self.assertGreater(cuts, 20)
        self.assertEqual(len(packets) + lost, 40_000)
        self.assertEqual(len({(p.source_id, p.sequence) for p in packets}), len(packets))

    def test_after_a_restart_the_epoch_is_another_and_strict_says_so(self):
        spaces, daemon = self.two_namespaces()
        spaces[0].generate(5)
        self.received(daemon, 5)
        call = self.stub(daemon).Subscribe(pb.SubscribeRequest())
        token = next(iter(call)).resume_token
        call.cancel()
        other = self.daemon_for((self.netns("green"), [100], {}))
        stream = self.subscribe(other, start=pb.StartPosition(resume_token=token))
        self.assertEqual(stream.started.resume_status, pb.RESUME_STATUS_EPOCH_CHANGED)
        with self.assertRaises(grpc.RpcError) as caught:
            next(iter(self.stub(other).Subscribe(pb.SubscribeRequest(
                start=pb.StartPosition(resume_token=token), strict_resume=True))))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.OUT_OF_RANGE)


if __name__ == "__main__":
    harness.main()
