# SPDX-License-Identifier: MIT
"""nflogctl subscribe: what is printed where, how it ends and with which exit code."""
import json
import os
import signal
import subprocess
import time
import unittest

import fake
from fake import batch, loss, packet, pb, source, started

LINE = '03:04:05.000006 red/100 INPUT eth0> 10.0.1.60:4711 > 10.0.1.5:53 UDP len 60 ttl 63 "drop: "\n'


class Output(fake.CommandTest):
    def test_compact_is_a_line_for_each_packet_and_a_summary(self):
        self.serve(Subscribe=[started(), batch(packet(1), packet(2)), batch(packet(3))])
        out, err = self.run_ctl("subscribe", "--utc")
        self.assertEqual(out, LINE * 3)
        self.assertEqual(err, "-- 3 packets, 0 lost\n")

    def test_compact_tells_losses_sources_and_heartbeats_on_standard_error(self):
        self.serve(Subscribe=[
            started(source(1, "red", 100),
                    source(2, "blue", 7, state=pb.SOURCE_STATE_FAILED, detail="port id 4711 has it")),
            loss(12, 30), batch(packet()), loss(1, 1, source_id=0, stage=pb.LOSS_STAGE_RATE_LIMIT),
            loss(0, 0, lower_bound=True, source_id=99, stage=pb.LOSS_STAGE_DECODE),
            loss(2, 2, source_id=2, stage=pb.LOSS_STAGE_HISTORY, lower_bound=True),
            pb.SubscribeResponse(source_event=pb.SourceEvent(source=source(
                1, "red", 100, state=pb.SOURCE_STATE_GONE))),
            pb.SubscribeResponse(heartbeat=pb.Heartbeat(packets_sent=1, packets_lost=15)),
        ])
        out, err = self.run_ctl("subscribe", "--utc", "--heartbeat", "1")
        self.assertEqual(out, LINE)
        self.assertEqual(err.splitlines(), [
            "-- netns blue group 7: failed (port id 4711 has it)",
            "-- lost 12 packets of red/100 in the kernel's socket buffer (total 30)",
            "-- lost 1 packet of all sources to a rate limit (total 1)",
            "-- lost some packets of source 99 in malformed datagrams (total 0)",
            "-- lost at least 2 packets of blue/7 overwritten in the history before they were read (total 2)",
            "-- netns red group 100: gone",
            "-- alive: sent 1, lost 15",
            "-- 1 packet, 15 lost, at least",
        ])

    def test_json_is_an_object_a_line_and_only_packets_have_no_type(self):
        self.serve(Subscribe=[
            started(source(1, "red", 100), source(2, "blue", 7, state=pb.SOURCE_STATE_WAITING)),
            batch(packet(5)), loss(12, 30, lower_bound=True),
            pb.SubscribeResponse(heartbeat=pb.Heartbeat(time=fake.TIME, packets_sent=1)),
        ])
        out, err = self.run_ctl("subscribe", "--utc", "-o", "json", "--heartbeat", "1")
        waiting, logged, lost, alive = (json.loads(line) for line in out.splitlines())
        self.assertEqual(waiting, {"type": "source", "netns": "blue", "group": 7, "source_id": 2,
                                   "state": "waiting", "state_time": "2026-01-02T03:04:05.000006000Z"})
        self.assertNotIn("type", logged)
        self.assertEqual((logged["netns"], logged["group"], logged["sequence"], logged["src"],
                          logged["dport"], logged["prefix"]),
                         ("red", 100, 5, "10.0.1.60", 53, "drop: "))
        self.assertEqual(lost, {"type": "loss", "netns": "red", "group": 100, "source_id": 1,
                                "stage": "kernel_socket", "count": 12, "total": 30,
                                "lower_bound": True,
                                "first_time": "2026-01-02T03:04:05.000006000Z",
                                "last_time": "2026-01-02T03:04:05.000006000Z"})
        self.assertEqual(alive, {"type": "heartbeat", "time": "2026-01-02T03:04:05.000006000Z",
                                 "packets_sent": 1, "packets_lost": 0, "packets_filtered": 0,
                                 "lag_bytes": 0})
        self.assertEqual(err, "-- 1 packet, 12 lost, at least\n")

    def test_heartbeats_nobody_asked_for_are_not_shown(self):
        beat = pb.SubscribeResponse(heartbeat=pb.Heartbeat(time=fake.TIME))
        for output in "compact", "json":
            self.serve(Subscribe=[started(), beat])
            self.assertEqual(self.run_ctl("subscribe", "-o", output), ("", "-- 0 packets, 0 lost\n"))
            self.doCleanups()
            self.setUp()

    def test_payload_longer_than_the_buffer_is_printed_whole(self):
        payload = bytes(range(256)) * 255
        self.serve(Subscribe=[started(), batch(packet(1, payload=payload)), batch(packet(2))])
        out, _ = self.run_ctl("subscribe", "-o", "json", "--view", "full")
        first, second = (json.loads(line) for line in out.splitlines())
        self.assertEqual(bytes.fromhex(first["payload"]), payload)
        self.assertEqual(second["sequence"], 2)

    def test_quiet_prints_the_counts_only(self):
        self.serve(Subscribe=[started(source(1, "red", 100, state=pb.SOURCE_STATE_WAITING)),
                              batch(packet(), packet()), loss(3, 3)])
        self.assertEqual(self.run_ctl("subscribe", "--quiet"), ("", "-- 2 packets, 3 lost\n"))

    def test_colour_only_where_it_is_wanted(self):
        self.serve(Subscribe=[started(), batch(packet())])
        self.assertIn("\x1b[", self.run_ctl("subscribe", "--color", "always")[0])
        self.assertNotIn("\x1b", self.run_ctl("subscribe")[0])  # a pipe
        self.assertNotIn("\x1b", self.run_ctl("subscribe", "--color=never")[0])

    def test_hostile_texts_cannot_drive_the_terminal(self):
        evil = "\x1b]0;x\x07\u202e\n"
        self.serve(Subscribe=[
            started(source(1, evil, 100, state=pb.SOURCE_STATE_FAILED, detail=evil)),
            batch(packet(prefix=evil, output=pb.Device(index=3, name=evil))), loss(1, 1)])
        out, err = self.run_ctl("subscribe")
        for text in out, err:
            self.assertTrue(text.replace("\n", "").isprintable(), text)
        self.assertEqual(len(out.splitlines()), 1)
        self.assertEqual(len(err.splitlines()), 3)
        out, _ = self.run_ctl("subscribe", "-o", "json")
        self.assertTrue(out.replace("\n", "").isprintable(), out)
        self.assertEqual(json.loads(out.splitlines()[1])["netns"], evil)

    def test_packets_are_written_before_the_next_one_comes(self):
        def stream(request, context):
            yield started()
            yield batch(packet())
            self.wait()
        self.serve(Subscribe=stream)
        process = self.start("subscribe", "--utc")
        self.assertEqual(process.stdout.readline().decode(), LINE)


class End(fake.CommandTest):
    def endless(self, request, context):
        yield started()
        number = 0
        while context.is_active() and not self.leave.is_set():
            number += 1
            yield batch(*[packet(number)] * 100)

    def quiet_after(self, *responses):
        def stream(request, context):
            yield from responses
            self.wait()
        return stream

    def test_count_ends_with_success_after_exactly_so_many(self):
        self.serve(Subscribe=self.endless)
        out, err = self.run_ctl("subscribe", "--count", "250")
        self.assertEqual(len(out.splitlines()), 250)
        self.assertEqual(err, "-- 250 packets, 0 lost\n")
        self.assertEqual(self.service.requests[0].max_packets, 250)

    def test_reader_that_goes_away_ends_it_quietly(self):
        self.serve(Subscribe=self.endless)
        process = self.start("subscribe")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.wait(fake.PATIENCE_S), 0)

    def test_pipe_without_a_reader_is_no_error_of_a_list(self):
        self.serve(ListNetns=pb.ListNetnsResponse(netns=[pb.Netns(name="red")] * 2000))
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            self.assertEqual(self.run_ctl("list", "netns", stdout=pipe)[1], "")

    def test_full_disk_is_an_error(self):
        self.serve(Subscribe=self.endless, ListNetns=pb.ListNetnsResponse(
            netns=[pb.Netns(name="red")]))
        with open("/dev/full", "wb") as full:
            _, err = self.run_ctl("subscribe", stdout=full, expect=1)
            self.assertIn("cannot write to standard output: No space left on device", err)
            _, err = self.run_ctl("list", "netns", stdout=full, expect=1)
            self.assertIn("cannot write to standard output: No space left on device", err)

    def interrupt(self, number, *args):
        self.serve(Subscribe=self.quiet_after(started(), batch(packet(1), packet(2))))
        process = self.start("subscribe", "-o", "json", *args)
        process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=fake.PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        return out, err

    def test_sigint_and_sigterm_end_a_quiet_stream_with_a_summary(self):
        for number in signal.SIGINT, signal.SIGTERM:
            _, err = self.interrupt(number)
            self.assertEqual(err, b"-- 2 packets, 0 lost\n")
            self.doCleanups()
            self.setUp()

    def test_interrupted_busy_stream_ends_with_the_first_packet_after_the_signal(self):
        sent = []

        def stream(request, context):
            yield started()
            while context.is_active() and not self.leave.is_set():
                now = fake.Timestamp()
                now.FromNanoseconds(time.time_ns())
                sent.append(now.ToNanoseconds())
                yield batch(packet(len(sent), receive_time=now))
        self.serve(Subscribe=stream)
        process = self.start("subscribe", "-o", "json", bufsize=0)
        process.stdout.readline()
        before = time.time_ns()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=fake.PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        # The first line was read above: everything that was sent before the signal is there.
        printed = len(out.splitlines()) + 1
        self.assertGreaterEqual(printed, sum(1 for when in sent if when < before))
        self.assertEqual(err, b"-- %d packets, 0 lost\n" % printed)

    def test_signal_that_comes_twice_at_once_is_one(self):
        self.serve(Subscribe=self.quiet_after(started(), batch(packet(1))))
        process = self.start("subscribe")
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=fake.PATIENCE_S)
        self.assertEqual((process.returncode, err), (130, b"-- 1 packet, 0 lost\n"))

    def test_second_signal_ends_it_also_when_nobody_takes_its_output(self):
        self.serve(Subscribe=self.endless)
        process = self.start("subscribe", stderr=subprocess.DEVNULL)
        process.stdout.readline()  # and no more: the pipe fills up
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        while process.poll() is None and time.monotonic() - begin < fake.PATIENCE_S:
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)  # the pace of an impatient user
        self.assertEqual(process.returncode, -signal.SIGTERM)

    def test_output_that_nobody_takes_does_not_keep_it_for_ever(self):
        self.serve(Subscribe=self.endless)
        process = self.start("subscribe", stderr=subprocess.DEVNULL)
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(fake.PATIENCE_S), -signal.SIGINT)

    def test_loss_ends_it_where_that_is_wanted(self):
        self.serve(Subscribe=self.quiet_after(started(), batch(packet()), loss(3, 3)))
        _, err = self.run_ctl("subscribe", "--exit-on-loss", expect=7)
        self.assertTrue(err.endswith("-- 1 packet, 3 lost\n"), err)

    def test_status_of_the_server_is_the_exit_code(self):
        for status, code in ((fake.grpc.StatusCode.UNAUTHENTICATED, 3),
                             (fake.grpc.StatusCode.PERMISSION_DENIED, 4),
                             (fake.grpc.StatusCode.NOT_FOUND, 5),
                             (fake.grpc.StatusCode.UNAVAILABLE, 6),
                             (fake.grpc.StatusCode.RESOURCE_EXHAUSTED, 1),
                             (fake.grpc.StatusCode.INVALID_ARGUMENT, 1),
                             (fake.grpc.StatusCode.UNIMPLEMENTED, 1)):
            with self.subTest(status=status):
                self.serve(Subscribe=(status, 'no "x" \\"\x1b[31m'), ListNetns=(status, "no"),
                           GetServerInfo=(status, "no"))
                _, err = self.run_ctl("subscribe", expect=code)
                self.assertIn(f'nflogctl: {status.name}: no "x" \\\\"\\x1b[31m\n', err)
                self.run_ctl("list", "netns", expect=code)
                self.run_ctl("status", expect=code)
            self.doCleanups()
            self.setUp()

    def test_server_that_is_not_there_is_unavailable_and_named(self):
        missing = os.path.join(self.folder, "missing")
        for command in ("subscribe",), ("list", "netns"), ("status",):
            _, err = self.run_ctl(*command, "-s", missing, "--connect-timeout", "0.1", expect=6)
            self.assertIn(f"cannot reach {missing}", err)
            self.assertIn("No such file or directory", err)

    def test_answer_that_is_none_is_an_error(self):
        self.serve(Subscribe=[started(source(1, "red", 70000))])
        _, err = self.run_ctl("subscribe", expect=1)
        self.assertIn("no nflog.v1.SubscribeResponse", err)


if __name__ == "__main__":
    unittest.main()
