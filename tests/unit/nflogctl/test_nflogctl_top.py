# SPDX-License-Identifier: MIT
"""nflogctl top on a terminal of 80 columns and 24 lines: what it shows, its keys, how it ends."""
import os
import queue
import signal
import subprocess
import time
import unittest

import fake
from fake import batch, loss, packet, source, started
from terminal import Terminal

TABLE = 5  # first line of the table


class TopTest(fake.CommandTest):
    def setUp(self):
        super().setUp()
        self.events = queue.Queue()

    def answer(self, request, context):
        yield started(source(1, "red", 100), source(2, "blue", 7))
        while context.is_active():
            try:
                yield self.events.get(timeout=0.1)
            except queue.Empty:
                pass

    def top(self, *args, rows=24, columns=80, **answers):
        self.serve(Subscribe=answers.get("subscribe", self.answer))
        environment = {**os.environ, "NFLOGCTL_SERVER": self.address,
                       "XDG_CONFIG_HOME": self.folder}
        self.terminal = Terminal([fake.NFLOGCTL, "top", "--interval", "0.1", *args], environment,
                                 rows, columns)
        self.addCleanup(self.terminal.close)
        return self.terminal

    def send(self, source_id, count, **fields):
        self.events.put(batch(*[packet(number, source_id, original_length=100, **fields)
                                for number in range(1, count + 1)]))

    def rows(self, lines):
        """The table: lists of words."""
        return [line.split() for line in lines[TABLE:-1] if line]

    def wait_rows(self, what, condition):
        return self.terminal.wait_for(what, lambda lines: condition(self.rows(lines)))

    def assert_restored(self):
        self.assertIsNone(self.terminal.is_restored())


class Screen(TopTest):
    def test_it_counts_by_source_with_losses(self):
        terminal = self.top()
        terminal.wait_text("connected, 2 of 2 sources listening")
        self.send(1, 20)
        self.send(2, 5)
        self.events.put(loss(3, 3, source_id=2))
        self.wait_rows("both sources", lambda rows: [row[2:] for row in rows] == [
            ["20", "2000", "0", "red/100"], ["5", "500", "3", "blue/7"]])
        lines = terminal.lines()
        self.assertIn("total 25 packets  2500 bytes  lost 3", lines[1])
        self.assertTrue(lines[0].startswith("nflogctl top  "), lines)
        self.assertIn("unix:", lines[0])
        self.assertIn(" 1 Sources 2   2 Prefixes 1   3 Flows 2 ", lines[2] + " ")
        self.assertEqual(lines[4].split(),
                         ["PACKETS/S", "BYTES/S", "PACKETS", "BYTES", "LOST", "NETNS/GROUP"])
        self.assertIn("q quit", lines[23])
        self.assertEqual(lines[TABLE + 2:-1], [""] * 16)

    def test_it_counts_by_prefix_and_by_flow(self):
        terminal = self.top()
        self.send(1, 2, prefix="one: ")
        self.send(1, 3, prefix="")
        terminal.type("2")
        self.wait_rows("prefixes", lambda rows: [row[2:] for row in rows] == [
            ["3", "300", "(no", "prefix)"], ["2", "200", "one:"]])
        terminal.type("\t")
        self.wait_rows("flows", lambda rows: [row[2:] for row in rows] == [
            ["5", "500", "red", "10.0.1.60:4711", ">", "10.0.1.5:53", "UDP"]])

    def test_a_rate_is_shown_while_packets_come_and_ends_with_them(self):
        terminal = self.top()
        terminal.wait_text("connected")
        self.wait_rows("a rate", lambda rows: self.send(1, 40) or rows and rows[0][0] != "0")
        self.wait_rows("no rate", lambda rows: rows[0][0] == "0" and rows[0][2] != "0")

    def test_keys_choose_the_column_to_sort_by(self):
        terminal = self.top()
        self.send(1, 1, prefix="b")
        self.send(1, 2, prefix="a")
        self.send(1, 3, prefix="c")
        terminal.type("2")
        order = lambda *names: lambda rows: [row[4] for row in rows] == list(names)  # noqa: E731
        self.wait_rows("by packets", order("c", "a", "b"))
        terminal.type("<")  # from the first column to the last one, the name
        self.wait_rows("by name", order("a", "b", "c"))
        terminal.type(">>>")
        self.wait_rows("by packets again", order("c", "a", "b"))

    def test_a_pause_holds_the_screen_and_loses_no_count(self):
        terminal = self.top()
        self.send(1, 4)
        self.wait_rows("4 packets", lambda rows: rows and rows[0][2] == "4")
        terminal.type(" ")
        terminal.wait_text("PAUSED")
        self.send(1, 6)
        terminal.type("2")  # a key draws again: from the same moment
        self.wait_rows("4 packets still", lambda rows: rows and rows[0][2] == "4")
        terminal.type(" ")
        self.wait_rows("10 packets", lambda rows: rows and rows[0][2] == "10")

    def test_count_anew(self):
        terminal = self.top()
        self.send(1, 4)
        self.wait_rows("4 packets", lambda rows: rows and rows[0][2] == "4")
        terminal.type("c")
        terminal.wait_text("total 0 packets  0 bytes")
        self.send(1, 1)
        self.wait_rows("1 packet", lambda rows: rows and rows[0][2] == "1")

    def test_more_rows_than_lines_scroll(self):
        terminal = self.top()
        for number in range(40):
            self.send(1, 100 - number, prefix=f"p{number:02}")
        terminal.type("2")
        first = lambda name: lambda rows: rows and rows[0][4] == name  # noqa: E731
        terminal.wait_text(" 2 Prefixes 40 ")
        self.wait_rows("the first page", lambda rows: len(rows) == 18 and rows[0][4] == "p00" and
                       rows[17][4] == "p17")
        terminal.type("\x1bOB\x1bOB")  # down
        self.wait_rows("two rows down", first("p02"))
        terminal.type("\x1b[6~\x1b[6~\x1b[6~")  # page down: no further than the last page
        self.wait_rows("the last page", lambda rows: rows[-1][4] == "p39" and len(rows) == 18)
        terminal.type("\x1b[1~")
        self.wait_rows("the first row", first("p00"))

    def test_a_table_keeps_the_heavy_keys_however_many_there_are(self):
        terminal = self.top()
        self.send(1, 500, prefix="heavy")
        for some in range(40):
            self.events.put(batch(*[packet(1, 1, prefix=f"x{some}-{number}")
                                    for number in range(50)]))
        terminal.type("2")
        terminal.wait_text(" 2 Prefixes 512+ ")
        terminal.wait_text("total 2500 packets")
        terminal.type(">>")  # by packets
        self.wait_rows("the heavy one", lambda rows: rows[0][2] == "500" and rows[0][4] == "heavy")

    def test_the_screen_follows_the_size_of_the_terminal(self):
        terminal = self.top()
        for number in range(40):
            self.send(1, 1, prefix=f"p{number:02}")
        terminal.type("2")
        self.wait_rows("18 rows", lambda rows: len(rows) == 18)
        terminal.resize(40, 100)
        terminal.wait_for("the keys in line 40", lambda lines: "q quit" in lines[39] and
                          len(self.rows(lines)) == 34)
        for rows, columns in (24, 80), (3, 10), (1, 1), (24, 80):
            terminal.resize(rows, columns)
        terminal.wait_for("80x24 again", lambda lines: "q quit" in lines[23] and
                          len(self.rows(lines)) == 18)

    def test_filters_are_those_of_subscribe(self):
        terminal = self.top("-n", "red", "--dport", "53", "--not", "--src", "10.0.0.0/8")
        terminal.wait_text("connected")
        request, = self.service.requests
        self.assertEqual(list(request.netns), ["red"])
        self.assertEqual(request.include[0].destination_port[0].first, 53)
        self.assertEqual(len(request.exclude), 1)

    def test_bytes_of_outside_origin_do_not_reach_the_terminal(self):
        terminal = self.top()
        self.send(1, 1, prefix="\x1b[2Jevil\u202e\u4e2d" + "w" * 200)
        terminal.type("2")
        line, = terminal.wait_text("evil")
        self.assertIn("\\x1b[2Jevil\\u{202e}\u4e2d", line)
        self.assertNotIn(b"\x1b[2Jevil", terminal.written)
        self.assertEqual(terminal.lines()[TABLE + 1], "")  # cut, not wrapped


class End(TopTest):
    def test_q_ends_it_and_the_terminal_is_as_before(self):
        terminal = self.top()
        terminal.wait_text("connected")
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)
        self.assert_restored()

    def test_control_c_ends_it_and_the_terminal_is_as_before(self):
        terminal = self.top()
        terminal.wait_text("connected")
        terminal.type("\x03")
        self.assertEqual(terminal.end(), 130)
        self.assert_restored()

    def test_every_signal_that_ends_it_gives_the_terminal_back(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
            with self.subTest(number):
                terminal = self.top()
                terminal.wait_text("connected")
                terminal.process.send_signal(number)
                self.assertEqual(terminal.end(), 130)
                self.assert_restored()

    def test_it_ends_while_the_server_says_nothing(self):
        terminal = self.top(subscribe=lambda request, context: self.wait() or iter(()))
        terminal.wait_text("connecting")
        terminal.process.terminate()
        self.assertEqual(terminal.end(), 130)
        self.assert_restored()

    def test_an_error_of_the_server_is_told_on_the_restored_terminal(self):
        terminal = self.top(subscribe=(fake.grpc.StatusCode.PERMISSION_DENIED, "not for you\x1b["))
        self.assertEqual(terminal.end(), 4)
        self.assert_restored()
        self.assertIn(b"nflogctl: PERMISSION_DENIED: not for you\\x1b[",
                      terminal.written.split(b"\x1b[?1049l")[-1])

    def test_a_server_that_goes_away_is_waited_for(self):
        terminal = self.top()
        terminal.wait_text("connected")
        self.server.stop(0).wait()
        terminal.wait_text("connection lost, trying again")
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)
        self.assert_restored()

    def test_suspended_it_gives_the_terminal_back_and_takes_it_again(self):
        terminal = self.top()
        terminal.wait_text("connected")
        terminal.process.send_signal(signal.SIGTSTP)
        # In a session without a shell only SIGSTOP stops; the state letter is behind the name.
        stat = f"/proc/{terminal.process.pid}/stat"
        end = time.monotonic() + fake.PATIENCE_S
        while self.state_of(stat) != "T":
            self.assertLess(time.monotonic(), end)
            terminal.read(0.05)
        while terminal.read(0):
            pass
        self.assert_restored()
        self.send(1, 7)
        terminal.process.send_signal(signal.SIGCONT)
        self.wait_rows("7 packets", lambda rows: rows and rows[0][2] == "7")
        terminal.type("q")
        self.assertEqual(terminal.end(), 0)
        self.assert_restored()

    @staticmethod
    def state_of(stat):
        with open(stat, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0]

    def test_without_a_terminal_it_is_wrong_usage(self):
        self.serve()
        for kwargs in {"stdin": subprocess.DEVNULL}, {}:
            _, err = self.run_ctl("top", expect=2, **kwargs)
            self.assertIn("top needs a terminal", err)

    def test_a_terminal_that_nobody_knows_is_an_error(self):
        self.serve(Subscribe=self.answer)
        environment = {**os.environ, "NFLOGCTL_SERVER": self.address,
                       "XDG_CONFIG_HOME": self.folder}
        terminal = Terminal(["env", "TERM=no-such", fake.NFLOGCTL, "top"], environment)
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.end(), 1)
        self.assertIn(b"this terminal is not known: TERM=no-such", terminal.written)


if __name__ == "__main__":
    unittest.main()
