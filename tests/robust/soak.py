# SPDX-License-Identifier: MIT
"""The long form: two runs beside each other for some minutes, then their figures.

wild: every fault, kill -9 of the daemon's processes among them. steady: the same without those that
end the daemon, so that one process lives through it, whose memory, descriptors and threads must be
flat: the growth that a line fitted through the second half of the run shows is within LIMITS.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from samples import PROCESSES  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LIMITS = {"rss_kib": 4096, "descriptors": 4, "threads": 2}  # growth over the second half, at least
LIMIT_PERCENT = 5  # of the mean, where that is more


def fit(points):
    """(mean, growth from the first to the last by the line of least squares)."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return mean_y, slope * (points[-1][0] - points[0][0])


def read_samples(path):
    with open(path, encoding="ascii") as f:
        return [json.loads(line) for line in f]


def points_of(samples, process, what):
    return [(s["time_s"], s[process][what]) for s in samples if process in s]


def print_flatness(samples):
    """Figures of the steady run; returns whether all are flat."""
    flat = True
    late = [s for s in samples if s["time_s"] > samples[-1]["time_s"] / 2]
    print("soak: steady, over the second half: mean, growth (limit)")
    for process in PROCESSES:
        for what, least in LIMITS.items():
            mean, growth = fit(points_of(late, process, what))
            limit = max(least, mean * LIMIT_PERCENT / 100)
            flat &= growth <= limit
            print(f"  {process} {what}: {mean:.1f}, {growth:+.1f} ({limit:.1f})"
                  + ("" if growth <= limit else " NOT FLAT"))
    return flat


def print_highest(name, samples):
    for process in PROCESSES:
        print(f"  {name} {process}, highest: " + ", ".join(
            f"{what} {max(y for _, y in points_of(samples, process, what))}" for what in LIMITS))


def start(seed, seconds, folder, name, *more):
    return subprocess.Popen(
        [sys.executable, os.path.join(HERE, "run.py"), "--seed", str(seed), "--seconds",
         str(seconds), "--samples", os.path.join(folder, name), *more], stdout=subprocess.PIPE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("seed", type=int, nargs="?", default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"soak: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="nfl-test-") as folder:
        runs = {name: start(options.seed + i, options.minutes * 60, folder, name, *more)
                for i, (name, more) in enumerate({"wild": (), "steady": ("--steady",)}.items())}
        try:
            good = True
            for name, run in runs.items():
                print(f"--- {name}\n{run.communicate()[0].decode()}", end="", flush=True)
                good &= run.returncode == 0
            samples = {name: read_samples(os.path.join(folder, name)) for name in runs}
            good &= print_flatness(samples["steady"])
            for name, of in samples.items():
                print_highest(name, of)
        finally:
            for run in runs.values():
                run.terminate()  # nothing happens to one that has ended
                run.wait()
    print("soak: " + ("passed" if good else "FAILED"))
    sys.exit(not good)


if __name__ == "__main__":
    main()
