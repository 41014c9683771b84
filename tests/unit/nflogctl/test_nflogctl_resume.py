# SPDX-License-Identifier: MIT
"""nflogctl subscribe: lost connections, and the place in the stream from one run to the next."""
import json
import os
import re
import signal
import stat
import time
import unittest

import fake
from fake import at, batch, loss, packet, pb, started

UNAVAILABLE = fake.grpc.StatusCode.UNAVAILABLE


class Connections(fake.CommandTest):
    def serve_calls(self, *calls):
        """Each call answers with its responses, and ends with UNAVAILABLE unless it is the last."""
        count = 0

        def stream(request, context):
            nonlocal count
            count += 1
            yield from calls[min(count, len(calls)) - 1]
            if count < len(calls):
                context.abort(UNAVAILABLE, "going\x1b[31m down")
        self.serve(Subscribe=stream)

    def resumed(self, status, *responses):
        return [started(resume_status=status), *responses]

    def test_lost_connection_is_told_and_the_stream_goes_on_where_it_was(self):
        self.serve_calls(
            [at(0, started()), at(2, batch(packet(1), packet(2)))],
            self.resumed(pb.RESUME_STATUS_CONTINUED, at(3, batch(packet(3)))))
        out, err = self.run_ctl("subscribe")
        self.assertEqual(len(out.splitlines()), 3)
        lost, resumed, summary = err.splitlines()
        self.assertRegex(lost, r"^-- connection lost \(going\\x1b\[31m down\), "
                               r"trying again in \d+\.\d s$")
        self.assertEqual((resumed, summary), ("-- resumed", "-- 3 packets, 0 lost"))
        self.assertEqual(self.service.requests[1].start.resume_token, b"2")

    def test_gap_and_restart_are_told_and_summed_up(self):
        first = [at(0, started()), at(1, loss(1, 1)), at(2, batch(packet(1)))]
        for status, words, summary in (
                (pb.RESUME_STATUS_GAP, "resumed with a gap: losses below", "2 packets, 5 lost"),
                (pb.RESUME_STATUS_EPOCH_CHANGED,
                 "server was restarted: what was lost meanwhile cannot be counted",
                 "2 packets, 5 lost, at least")):
            with self.subTest(words=words):
                self.serve_calls(first, self.resumed(status, loss(4, 5), batch(packet(6))))
                _, err = self.run_ctl("subscribe")
                self.assertEqual(err.splitlines()[2], "-- " + words)
                self.assertEqual(err.splitlines()[-1], "-- " + summary)
            self.doCleanups()
            self.setUp()

    def test_restart_is_a_loss_that_may_have_been(self):
        self.serve_calls([at(0, started())], self.resumed(pb.RESUME_STATUS_EPOCH_CHANGED))
        _, err = self.run_ctl("subscribe", "-q", "--exit-on-loss", expect=7)
        self.assertEqual(err, "-- 0 packets, 0 lost, at least\n")

    def test_json_tells_connections_as_objects(self):
        self.serve_calls([at(0, started())],
                         self.resumed(pb.RESUME_STATUS_GAP, batch(packet(1))))
        out, err = self.run_ctl("subscribe", "-o", "json")
        lost, resumed, logged = (json.loads(line) for line in out.splitlines())
        self.assertTrue(out.replace("\n", "").isprintable())
        self.assertIsInstance(lost.pop("pause_ms"), int)
        self.assertEqual(lost, {"type": "reconnecting", "code": "UNAVAILABLE",
                                "reason": "going\x1b[31m down", "try": 1})
        self.assertEqual(resumed, {"type": "resumed", "status": "gap"})
        self.assertNotIn("type", logged)
        self.assertEqual(err, "-- 1 packet, 0 lost\n")

    def test_connections_are_not_told_when_quiet_and_yet_counted(self):
        self.serve_calls([at(0, started()), at(1, batch(packet(1)))],
                         self.resumed(pb.RESUME_STATUS_CONTINUED, batch(packet(2))))
        self.assertEqual(self.run_ctl("subscribe", "-q"), ("", "-- 2 packets, 0 lost\n"))

    def test_lost_connection_is_the_end_where_that_is_wanted(self):
        self.serve_calls([at(0, started()), at(1, batch(packet(1)))], [started()])
        _, err = self.run_ctl("subscribe", "-q", "--no-reconnect", expect=6)
        self.assertIn("-- 1 packet, 0 lost\nnflogctl: UNAVAILABLE: going\\x1b[31m down\n", err)
        self.assertEqual(len(self.service.requests), 1)

    def test_interrupt_ends_a_pause_between_two_tries(self):
        for stored in False, True:
            args = ["--resume-file", os.path.join(self.folder, "place")] if stored else []
            calls = [[at(0, started())]] + [[]] * 1000
            self.serve_calls(*calls)
            process = self.start("subscribe", *args)
            for line in process.stderr:
                if re.search(rb"trying again in (0\.[4-9]|[1-9])", line):
                    break
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=fake.PATIENCE_S)
            self.assertEqual(process.returncode, 130, err)
            self.assertIn(b"-- 0 packets, 0 lost\n", err)
            self.doCleanups()
            self.setUp()


class File(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.folder, "place")

    def again(self):
        """Another server and another run; the place of the last one is kept."""
        with open(self.file, "rb") as file:
            content = file.read()
        self.doCleanups()
        self.setUp()
        with open(self.file, "wb") as file:
            file.write(content)

    def place(self):
        """The token in the file, as a server is asked to go on there."""
        self.again()
        self.serve(Subscribe=[started()])
        self.run_ctl("subscribe", "-q", "--resume-file", self.file)
        return self.service.requests[0].start.resume_token.decode()

    def test_second_run_goes_on_where_the_first_one_ended(self):
        self.serve(Subscribe=[at(0, started()), at(2, batch(packet(1), packet(2))),
                              at(3, loss(1, 1))])
        self.run_ctl("subscribe", "--resume-file", self.file, "--all", "--no-follow")
        self.assertTrue(self.service.requests[0].start.oldest)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(set(os.listdir(self.folder)), {"place", "sock"})
        self.again()
        self.serve(Subscribe=[at(3, started(resume_status=pb.RESUME_STATUS_GAP))])
        _, err = self.run_ctl("subscribe", "--resume-file", self.file, "--all", "--no-follow")
        request = self.service.requests[0]
        self.assertEqual(request.start, pb.StartPosition(resume_token=b"3"))
        self.assertFalse(request.follow)
        self.assertIn("-- resumed with a gap: losses below\n", err)

    def test_place_is_stored_before_the_first_packet_comes(self):
        self.serve(Subscribe=(UNAVAILABLE, "not now"))
        self.run_ctl("subscribe", "--resume-file", self.file, expect=6)
        self.assertFalse(os.path.exists(self.file))
        self.doCleanups()
        self.setUp()
        self.serve(Subscribe=[at("begin", started())])
        self.run_ctl("subscribe", "--resume-file", self.file)
        self.assertEqual(self.place(), "begin")

    def test_file_that_is_not_sound_is_an_error_before_connecting(self):
        self.serve(Subscribe=[started()])
        other = os.path.join(self.folder, "other\x1b")

        def refused(path, why):
            _, err = self.run_ctl("subscribe", "--resume-file", path, expect=1)
            self.assertIn(f"--resume-file {path}: {why}".replace("\x1b", "\\x1b"), err)
        for content, why in ((b"", "it is damaged"), (b"\0" * 100, "it is damaged"),
                             (b"x" * (3 << 20), "it is too long")):
            with open(self.file, "wb") as file:
                file.write(content)
            refused(self.file, why)
        os.symlink(self.file, other)
        refused(other, "it is a symbolic link")
        refused("/dev/null", "it is no regular file")
        refused(self.folder, "it is no regular file")
        self.assertEqual(self.service.requests, [])

    def test_place_that_cannot_be_stored_is_an_error(self):
        missing = os.path.join(self.folder, "missing", "place")
        self.serve(Subscribe=[at(0, started()), at(1, batch(packet()))])
        _, err = self.run_ctl("subscribe", "--resume-file", missing, expect=1)
        self.assertIn(f"cannot write the resume file {missing}: No such file", err)

    def test_place_stays_where_what_follows_could_not_be_written(self):
        reading, writing = os.pipe()
        os.close(reading)
        for path, code in (writing, 0), ("/dev/full", 1):
            self.serve(Subscribe=[at("begin", started()), at(1, batch(packet()))])
            with open(path, "wb") as broken:
                self.run_ctl("subscribe", "--resume-file", self.file, stdout=broken, expect=code)
            self.assertEqual(self.place(), "begin")
            self.doCleanups()
            self.setUp()

    def test_strict_resume_tells_what_is_missing_and_keeps_the_file(self):
        self.serve(Subscribe=[at(7, started())])
        self.run_ctl("subscribe", "--resume-file", self.file)
        self.again()
        self.serve(Subscribe=(fake.grpc.StatusCode.OUT_OF_RANGE, "gone"))
        _, err = self.run_ctl("subscribe", "--resume-file", self.file, "--strict-resume", expect=1)
        self.assertTrue(self.service.requests[0].strict_resume)
        self.assertIn("the server no longer has what follows", err)
        self.assertIn("nflogctl: OUT_OF_RANGE: gone\n", err)
        self.assertEqual(self.place(), "7")

    def endless(self, request, context):
        """Batches of 100 packets, the second half of now; a place is the number of packets before
        it."""
        number = int(request.start.resume_token or b"0")
        now = fake.Timestamp()
        yield at(number, started())
        while context.is_active() and not self.leave.is_set():
            now.GetCurrentTime()
            times = [fake.TIME] * 50 + [now] * 50
            yield at(number + 100, batch(*(packet(number + i, receive_time=when)
                                           for i, when in enumerate(times, 1))))
            number += 100

    def test_count_ends_where_a_response_ends(self):
        self.serve(Subscribe=self.endless)
        for count, shown in (200, 200), (250, 300), (1, 100):
            file = f"{self.file}-{count}"
            out, _ = self.run_ctl("subscribe", "--count", str(count), "--resume-file", file)
            self.assertEqual(len(out.splitlines()), shown)
            os.rename(file, self.file)
        self.assertEqual(self.place(), "100")

    def test_interrupted_runs_repeat_nothing_and_miss_nothing(self):
        seen = []
        for _ in range(10):
            self.serve(Subscribe=self.endless)
            process = self.start("subscribe", "-o", "json", "--resume-file", self.file, bufsize=0)
            out = b"".join(process.stdout.readline() for _ in range(42))
            process.send_signal(signal.SIGINT)
            out += process.communicate(timeout=fake.PATIENCE_S)[0]
            self.assertEqual(process.returncode, 130)
            seen += [json.loads(line)["sequence"] for line in out.splitlines()]
            self.again()
        self.assertEqual(seen, list(range(1, len(seen) + 1)))

    def test_killed_run_misses_nothing(self):
        last = 0
        for _ in range(5):
            shown = os.path.join(self.folder, "shown")
            self.serve(Subscribe=self.endless)
            with open(shown, "wb") as out:
                process = self.start("subscribe", "-o", "json", "--resume-file", self.file,
                                     stdout=out)
                self.until(lambda: os.path.exists(self.file) and os.path.getsize(shown) > 100000)
                process.kill()
                process.wait()
            with open(shown, encoding="utf-8") as lines:
                numbers = [json.loads(line)["sequence"] for line in lines
                           if line.endswith("\n") and '"sequence"' in line]
            self.assertLessEqual(numbers[0], last + 1)
            last = numbers[-1]
            self.assertLessEqual(int(self.place()), last)
            self.again()

    def until(self, condition):
        deadline = time.monotonic() + fake.PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
