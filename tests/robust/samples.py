# SPDX-License-Identifier: MIT
"""Resident memory, descriptors and threads of the daemon's processes over time."""
import json
import os
import threading
import time

import harness

EVERY_S = 1.0
PROCESSES = ("daemon", "warden", "opener")


def sample(pid):
    status = harness.status_of(pid)
    return {"rss_kib": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


class Sampler:
    """Writes a line of JSON a second into a file; without a file it does nothing."""

    def __init__(self, world, path):
        self.world, self.path = world, path
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        if self.path:
            self._thread.start()

    def __exit__(self, *_):
        self._ended.set()
        if self.path:
            self._thread.join()

    def _run(self):
        begin = time.monotonic()
        with open(self.path, "w", encoding="ascii") as f:
            while not self._ended.wait(EVERY_S):
                line = {"time_s": time.monotonic() - begin}
                for name in PROCESSES:
                    try:
                        line[name] = sample(self.world.process(name))
                    except (OSError, KeyError, TypeError):
                        pass  # it is dead just now
                f.write(json.dumps(line) + "\n")
