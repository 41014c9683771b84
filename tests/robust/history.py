# SPDX-License-Identifier: MIT
"""The history file: every operation of a run and every judgement, one JSON object a line."""
import json
import threading
import time


class History:
    def __init__(self, path):
        self.path = path
        self.counts = {}  # operations, by kind
        self.violations = []
        self._file = open(path, "w", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, what, **details):
        with self._lock:
            json.dump({"time": time.time(), "what": what, **details}, self._file)
            self._file.write("\n")
            self._file.flush()

    def did(self, kind, **details):
        """An operation; they are counted."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.note(kind, **details)

    def violation(self, who, text):
        self.violations.append(f"{who}: {text}")
        self.note("VIOLATION", who=who, text=text)

    def close(self):
        self._file.close()
