# SPDX-License-Identifier: MIT
"""nflogctl subscribe: where a stream begins and ends, and what is asked of the server for it."""
import json
import os
import time
import unittest

import fake
from fake import batch, caught_up, loss, packet, pb, started


class Request(fake.CommandTest):
    def request(self, *args, env=None):
        self.serve(Subscribe=[started()])
        self.run_ctl("subscribe", "-q", *args,
                     env={"NFLOGCTL_SERVER": self.address, **(env or {})})
        request = self.service.requests[-1]
        self.doCleanups()
        self.setUp()
        return request

    def test_every_start_is_asked_of_the_server_and_follows(self):
        for args, start in (
                (("--last", "5"), pb.StartPosition(last=5)),
                (("--all",), pb.StartPosition(oldest=True)),
                (("--since", "1h30m"), pb.StartPosition(since_ago={"seconds": 5400})),
                (("--since", "1500ms"),
                 pb.StartPosition(since_ago={"seconds": 1, "nanos": 500000000})),
                (("--since", "2026-01-02T03:04:05.000006Z"), pb.StartPosition(since=fake.TIME))):
            with self.subTest(args=args):
                request = self.request(*args)
                self.assertEqual(request.start, start)
                self.assertTrue(request.follow)
                self.assertFalse(self.request(*args, "--no-follow").follow)

    def test_time_without_a_zone_is_local(self):
        request = self.request("--since", "2026-01-02 04:04:05.000006", env={"TZ": "CET-1"})
        self.assertEqual(request.start.since, fake.TIME)

    def test_until_ends_what_has_a_start(self):
        request = self.request("--all", "--until", "2026-01-02T03:04:05.000006Z")
        self.assertEqual(request.until, fake.TIME)
        self.assertFalse(request.follow)
        request = self.request("--since", "2h", "--until", "1h")
        ago = time.time() - request.until.seconds
        self.assertTrue(3590 < ago < 3600 + fake.PATIENCE_S, ago)

    def test_terms_of_the_stream_are_asked_of_the_server(self):
        request = self.request("--wait", "-n", "later", "--max-lag", "8M", "--slow",
                               "disconnect")
        self.assertTrue(request.wait_for_netns)
        self.assertEqual(request.max_lag_bytes, 8 << 20)
        self.assertEqual(request.slow_consumer_policy, pb.SLOW_CONSUMER_POLICY_DISCONNECT)
        for size, wanted in ("1", 1), ("3K", 3072), ("2G", 2 << 30):
            self.assertEqual(self.request("--max-lag", size).max_lag_bytes, wanted)
        self.assertEqual(self.request("--slow", "drop").slow_consumer_policy,
                         pb.SLOW_CONSUMER_POLICY_DROP_OLDEST)


class Usage(fake.CommandTest):
    def refused(self, *args):
        out, err = self.run_ctl("subscribe", *args, expect=2)
        self.assertEqual(out, "")
        return err

    def test_values_that_are_none_are_refused(self):
        for args, named in (
                (("--last", "0"), "--last 0: expected a number from 1"),
                (("--since", "yesterday"), "--since yesterday: expected how long ago, as 90s"),
                (("--since", "+10s"), "--since +10s: expected how long ago"),
                (("--until", "10"), "--until 10: expected how long ago"),
                (("--max-lag", "0"), "--max-lag 0: expected bytes from 1"),
                (("--max-lag", "8MB"), "expected bytes from 1"),
                (("--max-lag", "8m"), "expected bytes from 1"),
                (("--max-lag", "-1"), "expected bytes from 1"),
                (("--max-lag", "17179869184G"), "expected bytes from 1"),
                (("--slow", "wait"), "--slow wait: expected drop or disconnect"),
                (("--resume-file", ""), "expected the name of a file")):
            with self.subTest(args=args):
                self.assertIn(named, self.refused(*args))

    def test_what_cannot_go_together_is_refused_with_both_names(self):
        later = "2100-01-01T00:00:00Z"
        for args in (
                ("--last=5", "--since=1h"), ("--last=5", "--all"), ("--since=1h", "--all"),
                ("--since=1h", "--until=2h"), ("--since=1h", "--until=1h"),
                ("--since=2026-01-02 03:04:05", "--until=2026-01-02 03:04:05"),
                ("--since=" + later, "--until=+1h"),
                ("--wait", "--no-follow", "--all", "--netns=x"),
                ("--wait", "--until=+1h", "--netns=x"),
                ("--no-reconnect", "--strict-resume")):
            with self.subTest(args=args):
                err = self.refused(*args)
                self.assertIn("cannot go together", err)
                for option in args[:2]:
                    self.assertIn(option.split("=")[0], err)

    def test_what_needs_another_option_is_refused_with_both_names(self):
        file = os.path.join(self.folder, "file")
        for args, named in (
                (("--no-follow",), "--no-follow needs --last, --since or --all"),
                (("--no-follow", "--resume-file", file), "--resume-file has no place in its first"),
                (("--until", "1h"), "--until in the past needs --last, --since or --all"),
                (("--wait",), "--wait needs --netns")):
            with self.subTest(args=args):
                self.assertIn(named, self.refused(*args))


class Shown(fake.CommandTest):
    def test_end_of_the_history_is_told(self):
        self.serve(Subscribe=[started(), batch(packet(1), packet(2)), caught_up(2),
                              batch(packet(3))])
        out, err = self.run_ctl("subscribe", "--all")
        self.assertEqual(len(out.splitlines()), 3)
        self.assertEqual(err, "-- caught up after 2 packets\n-- 3 packets, 0 lost\n")
        out, err = self.run_ctl("subscribe", "--all", "-o", "json")
        self.assertEqual([json.loads(line).get("type") for line in out.splitlines()],
                         [None, None, "caught_up", None])
        self.assertEqual(json.loads(out.splitlines()[2]),
                         {"type": "caught_up", "packets_replayed": 2})
        self.assertEqual(self.run_ctl("subscribe", "--all", "-q")[1], "-- 3 packets, 0 lost\n")

    def test_source_that_goes_is_told_with_its_reason_and_made_harmless(self):
        def event(name, state, detail):
            return pb.SubscribeResponse(source_event=pb.SourceEvent(
                source=fake.source(1, name, 100, state=state, detail=detail), time=fake.TIME))
        self.serve(Subscribe=[
            started(), event("red", pb.SOURCE_STATE_GONE, "the namespace was deleted"),
            event("red\x1b[31m", pb.SOURCE_STATE_FAILED, "\x1b]0;x\x07\u202e\n" + "x" * 5000)])
        out, err = self.run_ctl("subscribe")
        self.assertEqual(out, "")
        gone, failed, _ = err.splitlines()
        self.assertEqual(gone, "-- netns red group 100: gone (the namespace was deleted)")
        self.assertTrue(failed.startswith(
            "-- netns red\\x1b[31m group 100: failed (\\x1b]0;x\\x07\\u{202e}\\x0axxx"), failed)
        self.assertTrue(failed.isprintable())
        out, _ = self.run_ctl("subscribe", "-o", "json", "--utc")
        self.assertEqual(json.loads(out.splitlines()[0]), {
            "type": "source", "netns": "red", "group": 100, "source_id": 1, "state": "gone",
            "state_time": "2026-01-02T03:04:05.000006000Z", "detail": "the namespace was deleted"})

    def test_lower_bound_is_told_until_an_exact_loss_settles_it(self):
        bound = loss(5, 5, lower_bound=True)
        for responses, wanted in (
                ([bound], "5 lost, at least"),
                ([bound, loss(3, 8)], "8 lost"),
                ([bound, loss(3, 8, lower_bound=True), loss(1, 9)], "9 lost"),
                ([bound, loss(3, 8, source_id=2)], "8 lost, at least"),
                ([bound, loss(3, 8, stage=pb.LOSS_STAGE_HISTORY)], "8 lost, at least"),
                ([loss(0, 0, lower_bound=True)], "0 lost, at least")):
            with self.subTest(wanted=wanted):
                self.serve(Subscribe=[started(), *responses])
                _, err = self.run_ctl("subscribe", "-q")
                self.assertEqual(err, f"-- 0 packets, {wanted}\n")
                self.run_ctl("subscribe", "-q", "--exit-on-loss", expect=7)
            self.doCleanups()
            self.setUp()

    def test_live_stream_ends_at_its_time_also_when_nothing_comes(self):
        def stream(request, context):
            yield started()
            yield batch(packet())
            self.wait()
        self.serve(Subscribe=stream)
        _, err = self.run_ctl("subscribe", "-q", "--until", "+100ms")
        self.assertEqual(err, "-- 1 packet, 0 lost\n")
        request = self.service.requests[0]
        self.assertFalse(request.HasField("start"))
        self.assertTrue(request.HasField("until"))


if __name__ == "__main__":
    unittest.main()
