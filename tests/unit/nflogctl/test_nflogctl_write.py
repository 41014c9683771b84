# SPDX-License-Identifier: MIT
"""nflogctl subscribe --write: files that are whole, begun anew in time, and with --resume-file hold
each packet once whatever kills the writer."""
import json
import os
import resource
import signal
import stat
import subprocess
import time
import unittest

import fake
from fake import at, batch, packet, pb, started

PER_RESPONSE = 50


def wait_for(condition):
    deadline = time.monotonic() + fake.PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("not in time")
        time.sleep(0.005)  # the pace of looking


class Write(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "packets")
        self.place = os.path.join(self.folder, "place")

    def history(self, total, stay=False):
        """A server with so many packets, which goes on behind the token it is given."""
        def stream(request, context):
            first = int(request.start.resume_token.decode() or 0)
            yield at(first, started())
            for number in range(first, total, PER_RESPONSE):
                last = min(number + PER_RESPONSE, total)
                yield at(last, batch(*[packet(n + 1, mark=n + 1) for n in range(number, last)]))
            if stay:
                self.wait()
        self.serve(Subscribe=stream)

    def write(self, *args, expect=0, **kwargs):
        return self.run_ctl("subscribe", "-w", self.path, *args, expect=expect, **kwargs)[1]

    def files(self):
        """Paths of the output, oldest first."""
        names = [name for name in os.listdir(self.folder) if name.startswith("packets")]
        names.sort(key=lambda name: -int(name.partition(".")[2] or 0))
        return [os.path.join(self.folder, name) for name in names]

    def sequences(self):
        """Numbers of the packets in all files of JSON lines; each line must be whole."""
        found = []
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                text = file.read()
            self.assertTrue(not text or text.endswith("\n"), path)
            found += [json.loads(line)["sequence"] for line in text.splitlines()]
        return found

    @staticmethod
    def marks(path):
        """Marks of the packets in a capture; tshark must find no fault in it."""
        done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=f", "-e",
                               "frame.interface_name", "-e", "nflog.tlv_value"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, done.stderr
        return [int(line.split("\t")[1], 16) for line in done.stdout.decode().splitlines()]


class File(Write):
    def test_capture_is_what_a_file_gets_and_its_owners_alone(self):
        self.history(3)
        self.assertEqual(self.write(), "-- 3 packets, 0 lost\n")
        self.assertEqual(self.marks(self.path), [1, 2, 3])
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_any_format_goes_into_a_file(self):
        self.history(3)
        for form in "compact", "table", "hex", "json", "protojson", "raw":
            self.write("-o", form)
            self.assertGreater(os.path.getsize(self.path), 100)

    def test_file_that_is_there_is_replaced(self):
        self.history(3)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("old\n" * 1000)
        self.write("-o", "json")
        self.assertEqual(self.sequences(), [1, 2, 3])

    def test_file_that_is_there_is_kept_with_rotation(self):
        self.history(3)
        for _ in range(2):
            self.write("-o", "json", "--rotate", "1M")
        self.assertEqual(self.sequences(), [1, 2, 3] * 2)
        self.assertEqual(len(self.files()), 2)

    def test_rotation_keeps_so_many_files_and_loses_nothing_in_them(self):
        self.history(1000)
        self.write("-o", "json", "--rotate", "20K", "--keep", "4")
        self.assertEqual(len(self.files()), 4)
        found = self.sequences()
        self.assertEqual(found, list(range(found[0], 1001)))
        for path in self.files()[:-1]:
            self.assertGreaterEqual(os.path.getsize(path), 20 * 1024)
            self.assertLess(os.path.getsize(path), 22 * 1024)

    def test_one_file_is_begun_anew_alone(self):
        self.history(1000)
        self.write("-o", "json", "--rotate", "20K", "--keep", "1")
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(self.sequences()[-1], 1000)

    def test_each_file_can_be_read_on_its_own(self):
        self.history(400)
        self.write("--rotate", "5K", "--keep", "100")
        self.assertGreater(len(self.files()), 3)
        self.assertEqual([mark for path in self.files() for mark in self.marks(path)],
                         list(range(1, 401)))
        for path in self.files():
            os.unlink(path)
        self.write("-o", "protojson", "--rotate", "20K", "--keep", "100")
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                first = json.loads(file.readline())
            self.assertEqual(first["started"]["sources"][0]["netns"], "red")
        for path in self.files():
            os.unlink(path)
        self.write("-o", "table", "--rotate", "10K", "--keep", "100")
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                self.assertTrue(file.readline().startswith("TIME"))

    def test_new_names_of_sources_are_in_every_later_file(self):
        event = pb.SubscribeResponse(source_event=pb.SourceEvent(source=fake.source(2, "blue", 7)))
        gone = pb.SubscribeResponse(source_event=pb.SourceEvent(source=fake.source(
            2, "blue", 7, state=pb.SOURCE_STATE_GONE)))
        packets = [batch(*[packet(n + 1) for n in range(100)])]
        self.serve(Subscribe=[started(), event, *packets, gone, *packets])
        self.write("-o", "protojson", "--rotate", "20K", "--keep", "100")
        heads = []
        for path in self.files():
            with open(path, encoding="utf-8") as file:
                heads.append([json.loads(line) for line in file][1].get("sourceEvent", {}).get(
                    "source", {}).get("netns"))
        self.assertEqual(heads[1], "blue")
        self.assertIsNone(heads[-1])

    def test_what_cannot_be_written_is_an_error(self):
        self.history(3)
        self.assertIn("cannot write to /dev/full: No space left on device",
                      self.run_ctl("subscribe", "-w", "/dev/full", expect=1)[1])
        self.assertIn("/nowhere/file: No such file or directory",
                      self.run_ctl("subscribe", "-w", "/nowhere/file", expect=1)[1])
        self.assertIn("it is no regular file",
                      self.run_ctl("subscribe", "-w", "/dev/null", "--rotate", "1M", expect=1)[1])
        self.run_ctl("subscribe", "-w", "/dev/null")

    def test_file_ends_with_a_whole_packet_where_there_is_no_room(self):
        self.history(3000)
        limit = 300_000

        def no_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        err = self.write("-o", "json", expect=1, preexec_fn=no_room)
        self.assertIn(f"cannot write to {self.path}: File too large", err)
        found = self.sequences()
        self.assertEqual(found, list(range(1, len(found) + 1)))
        self.assertLess(len(found), 3000)

    def test_packets_are_in_the_file_when_it_is_quiet(self):
        self.history(3, stay=True)
        process = self.start("subscribe", "-w", self.path, "-o", "json")
        wait_for(lambda: os.path.exists(self.path) and len(self.sequences()) == 3)
        process.kill()
        self.assertEqual(self.sequences(), [1, 2, 3])


class Resume(Write):
    def resumed(self, *args, expect=0):
        return self.write("-o", "json", "--resume-file", self.place, "--all", *args, expect=expect)

    def kill_when(self, condition, *args):
        process = self.start("subscribe", "-w", self.path, "--resume-file", self.place, "--all", *args)
        wait_for(condition)
        process.kill()
        process.communicate()

    def test_writer_that_is_killed_leaves_no_packet_out_and_none_twice(self):
        total = 30_000
        self.history(total)
        for kill in range(8):
            reached = (kill + 1) * 200_000
            self.kill_when(lambda size=reached: os.path.exists(self.path) and
                           os.path.getsize(self.path) > size, "-o", "json")
            # What comes behind the place may be cut short here: it is cut off by the next run.
        self.resumed()
        self.assertEqual(self.sequences(), list(range(1, total + 1)))

    def test_writer_that_is_killed_while_it_rotates_leaves_each_packet_once(self):
        total = 30_000
        self.history(total)
        args = ("--rotate", "200K", "--keep", "1000")
        for kill in range(8):
            self.kill_when(lambda count=3 * (kill + 1): len(self.files()) >= count, "-o", "json", *args)
        self.resumed(*args)
        self.assertEqual(self.sequences(), list(range(1, total + 1)))

    def test_capture_goes_on_as_a_new_section(self):
        self.history(200)
        for count in 70, 200:
            self.run_ctl("subscribe", "-w", self.path, "--resume-file", self.place, "--count", str(count))
        self.assertEqual(self.marks(self.path), list(range(1, 201)))

    def test_what_a_killed_run_wrote_behind_its_place_is_cut_off(self):
        self.history(100)
        self.resumed()
        with open(self.path, "a", encoding="utf-8") as file:
            file.write('{"sequence": 101}\n{"sequ')
        self.history(150)
        self.resumed()
        self.assertEqual(self.sequences(), list(range(1, 151)))

    def test_file_that_was_rotated_behind_the_place_is_found(self):
        self.history(100)
        self.resumed("--rotate", "1G")
        os.rename(self.path, self.path + ".1")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write('{"sequence": 101}\n')
        self.history(150)
        self.resumed("--rotate", "1G")
        self.assertEqual(self.sequences(), list(range(1, 151)))

    def test_file_that_is_not_of_the_place_stays_as_it_is(self):
        self.history(100)
        self.resumed()
        os.rename(self.path, self.path + ".old")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("mine\n")
        self.assertIn("not the file that the resume file goes with", self.resumed(expect=1))
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine\n")
        os.unlink(self.path)
        self.history(150)
        self.resumed()  # moved away: a new one
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(json.loads(file.readline())["sequence"], 101)

    def test_file_that_was_emptied_is_gone_on_with(self):
        self.history(100)
        self.resumed()
        os.truncate(self.path, 0)
        self.history(150)
        self.resumed()
        self.assertEqual(self.sequences(), list(range(101, 151)))


if __name__ == "__main__":
    unittest.main()
