# SPDX-License-Identifier: MIT
"""nflogctl subscribe with several servers: order, who is who, and what happens to one of them."""
import json
import os
import signal
import threading
import time
import unittest

import fake
from fake import at, batch, caught_up, loss, packet, pb, source, started

UNAVAILABLE = fake.grpc.StatusCode.UNAVAILABLE


def seconds(number):
    """A time of the history."""
    return fake.Timestamp(seconds=fake.TIME.seconds + number)


def old(number, text="p"):
    return packet(number, receive_time=seconds(number), prefix=f"{text}{number}")


def now(text, offset_s=0):
    stamp = fake.Timestamp()
    stamp.FromNanoseconds(time.time_ns() + int(offset_s * 1e9))
    return packet(1, receive_time=stamp, prefix=text)


class ServersTest(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.a, self.b = (f"unix:{self.folder}/{name}" for name in "ab")

    def serve_two(self, a, b):
        """Streams, as functions of request and context, or lists of responses."""
        self.services = []
        for name, stream in ("a", a), ("b", b):
            answer = stream if callable(stream) or isinstance(stream, tuple) else (
                lambda request, context, stream=stream: iter(stream))
            self.serve(name, Subscribe=answer)
            self.services.append(self.service)

    def start_two(self, *args):
        return self.start("subscribe", "-s", self.a, "-s", self.b, *args, env={})

    def run_two(self, *args, expect=0):
        return self.run_ctl("subscribe", "-s", self.a, "-s", self.b, *args, expect=expect, env={})

    def objects(self, out):
        """(server, prefix or type) of each."""
        names = {self.a: "a", self.b: "b"}
        return [(names[one["server"]], one.get("prefix", one.get("type")))
                for one in map(json.loads, out.splitlines())]

    def stay(self, *responses):
        """A stream that goes on until the test is over."""
        def stream(request, context):
            yield from responses
            self.wait()
        return stream


class Order(ServersTest):
    def test_histories_are_merged_by_the_time_of_receipt(self):
        self.serve_two([started(), batch(old(1), old(4), old(5)), batch(old(8))],
                       [started(), batch(old(2)), batch(old(3), old(6), old(7)), batch(old(9))])
        out, err = self.run_two("--all", "--no-follow", "-o", "json")
        self.assertEqual(self.objects(out), [
            ("a", "p1"), ("b", "p2"), ("b", "p3"), ("a", "p4"), ("a", "p5"), ("b", "p6"),
            ("b", "p7"), ("a", "p8"), ("b", "p9")])
        self.assertEqual(sorted(err.splitlines()), [f"-- {self.a}: 4 packets, 0 lost",
                                                    f"-- {self.b}: 5 packets, 0 lost"])

    def test_a_history_that_is_slow_to_begin_is_waited_for(self):
        def slow(request, context):
            yield started()
            time.sleep(0.3)  # no synchronisation: the server's slowness
            yield batch(old(1))
        self.serve_two(slow, [started(), batch(old(2))])
        out, _ = self.run_two("--all", "--no-follow", "-o", "json")
        self.assertEqual(self.objects(out), [("a", "p1"), ("b", "p2")])

    def test_within_the_window_an_older_packet_of_another_server_goes_first(self):
        sent, both = threading.Event(), threading.Event()

        def late(request, context):
            yield started(source(1, "red", 100, state=pb.SOURCE_STATE_FAILED))
            sent.wait(fake.PATIENCE_S)
            yield batch(now("older", -5))

        def early(request, context):
            yield started()
            both.wait(fake.PATIENCE_S)
            yield batch(now("newer"))
            sent.set()
            self.wait()
        self.serve_two(late, early)
        process = self.start_two("--window", "3600", "-o", "json")
        self.assertEqual(self.objects(process.stdout.readline().decode()), [("a", "source")])
        both.set()
        # The end of the other stream is when nothing older can come.
        out = process.stdout.readline() + process.stdout.readline()
        self.assertEqual(self.objects(out.decode()), [("a", "older"), ("b", "newer")])

    def test_a_server_that_says_nothing_holds_nobody_up_for_longer_than_the_window(self):
        self.serve_two(self.stay(started()), self.stay(started(), batch(now("one"), now("two"))))
        process = self.start_two("--window", "0.2", "-o", "json")
        out = process.stdout.readline() + process.stdout.readline()
        self.assertEqual(self.objects(out.decode()), [("b", "one"), ("b", "two")])

    def test_a_clock_that_is_ahead_holds_nothing_up_for_longer(self):
        self.serve_two(self.stay(started()), self.stay(started(), batch(now("one", 3600)),
                                                       batch(now("two", 3601))))
        process = self.start_two("-o", "json")
        self.assertEqual(self.objects(process.stdout.readline().decode()), [("b", "one")])
        self.assertEqual(self.objects(process.stdout.readline().decode()), [("b", "two")])

    def test_losses_stand_before_the_next_packet_of_their_server(self):
        self.serve_two([started(), batch(old(1)), loss(3, 3), batch(old(5))],
                       [started(), batch(old(2), old(3), old(4))])
        out, err = self.run_two("--all", "--no-follow", "-o", "json")
        objects = self.objects(out)
        self.assertEqual([one for one in objects if one[0] == "a"],
                         [("a", "p1"), ("a", "loss"), ("a", "p5")])
        self.assertEqual([one[1] for one in objects if one[1] != "loss"],
                         ["p1", "p2", "p3", "p4", "p5"])
        self.assertIn(f"-- {self.a}: 2 packets, 3 lost\n", err)
        self.assertIn(f"-- {self.b}: 3 packets, 0 lost\n", err)


class WhoIsWho(ServersTest):
    def test_every_line_tells_its_server(self):
        self.serve_two([started(source(1, "red", 100, state=pb.SOURCE_STATE_FAILED)),
                        batch(old(1)), loss(3, 3)], [started(), batch(old(2)), caught_up(1)])
        out, err = self.run_two("--all", "--no-follow", "--utc")
        self.assertEqual([line.split()[0] for line in out.splitlines()], [self.a, self.b])
        self.assertEqual(out.splitlines()[0].split()[1], "03:04:06.000000")
        for line in (f"-- {self.a}: netns red group 100: failed",
                     f"-- {self.a}: lost 3 packets of red/100 in the kernel's socket buffer "
                     "(total 3)", f"-- {self.b}: caught up after 1 packet"):
            self.assertIn(line, err.splitlines())

    def test_the_bytes_of_an_address_do_not_reach_the_terminal(self):
        self.a = f"unix:{self.folder}/a\x1b[2J\""
        self.serve("a\x1b[2J\"", Subscribe=lambda request, context: iter([started(),
                                                                         batch(old(1))]))
        self.serve("b", Subscribe=lambda request, context: iter([started()]))
        out, err = self.run_two("--all", "--no-follow")
        self.assertTrue(out.startswith(f"unix:{self.folder}/a\\x1b[2J\" "), out)
        self.assertNotIn("\x1b", out + err)
        out, _ = self.run_two("--all", "--no-follow", "-o", "json")
        self.assertEqual(json.loads(out)["server"], self.a)

    def test_what_cannot_tell_the_server_is_refused(self):
        for args, told in ((["-o", "pcapng"], "--output pcapng is for one server, not for 2"),
                           (["-o", "raw"], "--output raw is for one server"),
                           (["-w", "/nonexistent/x"], "--write is for one server, not for 2")):
            self.assertIn(told, self.run_two(*args, expect=2)[1])
        _, err = self.run_ctl("subscribe", "--window", "1", expect=2)
        self.assertIn("--window is for several servers", err)


class OneOfThem(ServersTest):
    def test_that_is_refused_does_not_stop_the_others(self):
        self.serve_two((fake.grpc.StatusCode.PERMISSION_DENIED, "not for you"),
                       [started(), batch(old(1))])
        out, err = self.run_two("--all", "--no-follow", "-o", "json", expect=4)
        self.assertEqual(self.objects(out), [("b", "p1")])
        self.assertIn(f"nflogctl: {self.a}: the stream has ended\n"
                      "nflogctl: PERMISSION_DENIED: not for you\n", err)

    def test_that_is_away_at_first_is_tried_again(self):
        self.serve("b", Subscribe=self.stay(started(), batch(now("there"))))
        process = self.start_two("--connect-timeout", "0.2")
        self.assertIn(b"there", process.stdout.readline())
        while b"no connection" not in (line := process.stderr.readline()):
            self.assertNotEqual(line, b"")
        self.assertTrue(line.startswith(f"-- {self.a}: ".encode()), line)
        self.assertIn(b"trying again in 1.0 s", line)
        self.serve("a", Subscribe=self.stay(started(), batch(now("later"))))
        self.assertIn(b"later", process.stdout.readline())

    def test_all_away_is_an_error(self):
        _, err = self.run_two("--connect-timeout", "0.2", expect=6)
        self.assertIn(f"-- {self.a}: no connection", err)
        self.assertIn(f"-- {self.b}: no connection", err)

    def test_whose_connection_is_lost_is_told_and_connected_again(self):
        tries = []

        def breaks(request, context):
            tries.append(request)
            yield started()
            if len(tries) == 1:
                context.abort(UNAVAILABLE, "leaving")
            yield batch(now("again"))
            self.wait()
        self.serve_two(breaks, self.stay(started(), batch(now("steady"))))
        process = self.start_two("-o", "json")
        seen = []
        while ("a", "again") not in seen or ("b", "steady") not in seen:
            seen += self.objects(process.stdout.readline().decode())
        self.assertIn(("a", "reconnecting"), seen)


class Ends(ServersTest):
    def test_a_count_is_of_all_servers(self):
        self.serve_two(self.stay(started(), batch(*[old(n) for n in range(1, 100, 2)])),
                       self.stay(started(), batch(*[old(n) for n in range(2, 100, 2)])))
        out, _ = self.run_two("--all", "--count", "5", "-o", "json")
        self.assertEqual([name for _, name in self.objects(out)], ["p1", "p2", "p3", "p4", "p5"])

    def test_a_signal_shows_what_was_held_back_and_the_counts(self):
        self.serve_two(self.stay(started()), self.stay(started(), batch(now("held"))))
        process = self.start_two("--window", "3600", "-o", "json", "--heartbeat", "1")
        end = time.monotonic() + fake.PATIENCE_S
        while not all(service.requests for service in self.services):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        time.sleep(0.5)  # for the packet to arrive: sooner is no failure, only less of a test
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=fake.PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.objects(out.decode()), [("b", "held")])
        self.assertIn(f"-- {self.a}: 0 packets, 0 lost\n-- {self.b}: 1 packet, 0 lost\n",
                      err.decode())

    def test_a_loss_of_one_is_exit_code_7_where_it_was_asked_for(self):
        self.serve_two(self.stay(started(), loss(1, 1)), self.stay(started()))
        self.run_two("--exit-on-loss", expect=7)

    def test_without_anything_left_it_ends(self):
        self.serve_two([started()], [started()])
        self.assertEqual(self.run_two("--all", "--no-follow")[0], "")

    def test_a_reader_that_goes_away_is_no_error(self):
        self.serve_two([started(), batch(old(1))] + [batch(*[old(n) for n in range(200)])] * 100,
                       [started()])
        process = self.start_two("--all", "--no-follow")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(fake.PATIENCE_S), 0, process.stderr.read())


class Resume(ServersTest):
    def files(self):
        return sorted(name for name in os.listdir(self.folder) if name.startswith("place"))

    def test_each_server_has_a_place_of_its_own(self):
        self.serve_two([at("a0", started()), at("a1", batch(old(1))), at("a2", batch(old(3)))],
                       [at("b0", started()), at("b1", batch(old(2)))])
        args = ("--all", "--no-follow", "--resume-file", f"{self.folder}/place", "-o", "json")
        self.run_two(*args)
        escaped = self.folder.replace("/", "%2F")
        self.assertEqual(self.files(), [f"place.unix:{escaped}%2Fa", f"place.unix:{escaped}%2Fb"])
        self.run_two(*args)
        for service, token in zip(self.services, (b"a2", b"b1")):
            self.assertEqual(service.requests[0].start.WhichOneof("position"), "oldest")
            self.assertEqual(service.requests[1].start.resume_token, token)

    def test_a_count_leaves_places_that_repeat_and_miss_nothing(self):
        """Each run takes 3 packets or a few more, so that all runs together have each one once."""
        responses = {}
        for name, numbers in ("a", range(1, 40, 2)), ("b", range(2, 40, 2)):
            numbers = list(numbers)
            responses[name] = [at(0, started())] + [
                at(n + 3, batch(*[old(number) for number in numbers[n:n + 3]]))
                for n in range(0, len(numbers), 3)]

        def replay(name):
            def stream(request, context):
                place = int(request.start.resume_token or 0)
                yield responses[name][0]
                for response in responses[name][1:]:
                    if int(response.resume_token) > place:
                        yield response
            return stream
        self.serve_two(replay("a"), replay("b"))
        seen = []
        for _ in range(30):
            out, _ = self.run_two("--all", "--no-follow", "--count", "3", "-o", "json",
                                  "--resume-file", f"{self.folder}/place")
            run = [one for one in self.objects(out) if one[1] != "resumed"]
            seen += run
            if not run:
                break
        self.assertEqual(sorted(seen), sorted(
            ("a" if n % 2 else "b", f"p{n}") for n in range(1, 40)))

    def test_a_damaged_file_is_told_before_anything_is_asked(self):
        self.serve_two([started()], [started()])
        escaped = self.folder.replace("/", "%2F")
        with open(f"{self.folder}/place.unix:{escaped}%2Fb", "w", encoding="ascii") as f:
            f.write("nonsense\n")
        _, err = self.run_two("--resume-file", f"{self.folder}/place", expect=1)
        self.assertIn("%2Fb: it is damaged", err)
        self.assertEqual([service.requests for service in self.services], [[], []])


if __name__ == "__main__":
    unittest.main()
