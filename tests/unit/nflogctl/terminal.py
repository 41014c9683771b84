# SPDX-License-Identifier: MIT
"""A program on a terminal of the test's own: what it shows, and whether it gives the terminal back."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte

PATIENCE_S = 30


class Screen(pyte.Screen):
    """With what ncurses sends and pyte does not know."""

    def scroll_up(self, count=1):
        _, bottom = self.margins or (0, self.lines - 1)
        row, self.cursor.y = self.cursor.y, bottom
        for _ in range(count):
            self.index()
        self.cursor.y = row


class Stream(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "S": "scroll_up"}
    events = pyte.ByteStream.events | {"scroll_up"}


class Terminal:
    def __init__(self, argv, env, rows=24, columns=80):
        self.screen = Screen(columns, rows)
        self.stream = Stream(self.screen)
        self.written = b""
        self.master, self.slave = pty.openpty()
        self._set_size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            argv, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**env, "TERM": "screen", "LC_ALL": "C.UTF-8"})

    def _set_size(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        """The kernel sends SIGWINCH."""
        self.screen.resize(rows, columns)
        self._set_size(rows, columns)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def read(self, timeout_s):
        if not select.select([self.master], [], [], timeout_s)[0]:
            return False
        piece = os.read(self.master, 65536)
        self.written += piece
        self.stream.feed(piece)
        return True

    def wait_for(self, what, condition):
        """Until condition(lines) is true; its value."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                value = condition(self.lines())
            except IndexError:  # half of a screen was read so far
                value = None
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError("never shown: " + what + "\n" + "\n".join(self.lines()))
            self.read(0.2)

    def wait_text(self, text):
        return self.wait_for(text, lambda lines: [line for line in lines if text in line])

    def end(self):
        """Waits for the end of the program; its exit code."""
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError("does not end:\n" + "\n".join(self.lines()))
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode

    def is_restored(self):
        """None, or what is not as it was."""
        if termios.tcgetattr(self.slave) != self.before:
            return "the terminal's settings differ"
        if self.written.count(b"\x1b[?1049h") != self.written.count(b"\x1b[?1049l"):
            return "the other screen is still shown"
        if self.screen.cursor.hidden:
            return "the cursor is hidden"
        return None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
