#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the fuzzers of a build, each so many seconds, and prints a line for each.

A crash, a leak, a hang or too much memory fails; the input that does it stays in --crashes. What is
found of new inputs is kept in --corpus for the next run.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RSS_MB = 1024
INPUT_S = 30  # one input at most, on a busy machine under sanitizers
INPUT_BYTES = 8192
STATUS = re.compile(r"#(\d+)\s+(?:DONE|INITED|pulse|NEW|REDUCE|RELOAD)\s+cov: (\d+) .*?corp: (\d+)")
STATS = re.compile(r"stat::(\w+):\s+(\d+)")
ROW = "{:<12} {:>12} {:>9} {:>8} {:>9} {:>8} {:>8}"


def run(name, options):
    """One fuzzer: its row, and its output where it failed."""
    corpus = options.corpus / name
    corpus.mkdir(parents=True, exist_ok=True)
    before = set(options.crashes.glob(f"{name}-*"))
    command = ["nice", "-n", "19", str(options.fuzzers / f"fuzz_{name}"), str(corpus),
               str(options.seeds / name), f"-max_total_time={options.seconds}",
               f"-max_len={INPUT_BYTES}", f"-timeout={INPUT_S}", f"-rss_limit_mb={RSS_MB}",
               f"-artifact_prefix={options.crashes}/{name}-", "-print_final_stats=1",
               "-use_value_profile=1"]
    words = options.seeds / f"{name}.dict"
    if words.exists():
        command.append(f"-dict={words}")
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    stats = dict(STATS.findall(ended.stderr))
    status = STATUS.findall(ended.stderr) or [("0", "0", "0")]
    crashes = sorted(set(options.crashes.glob(f"{name}-*")) - before)
    row = (name, stats.get("number_of_executed_units", status[-1][0]),
           stats.get("average_exec_per_sec", "?"), status[-1][2], status[-1][1],
           stats.get("peak_rss_mb", "?"), len(crashes))
    return row, ended.returncode, crashes, ended.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="corpora and crashes")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="*", help="fuzzers; none: all")
    options = parser.parse_args()
    options.fuzzers = options.build / "fuzzers"
    options.corpus, options.crashes = options.out / "fuzz-corpus", options.out / "fuzz-crashes"
    options.seeds = options.build / "fuzz-seeds"
    options.crashes.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, str(HERE / "seeds.py"), str(options.seeds)], check=True,
                   env=dict(os.environ, NFL_BUILD=str(options.build.resolve())))
    names = options.names or sorted(path.name[5:] for path in options.fuzzers.glob("fuzz_*"))
    failed = not names
    print(ROW.format("fuzzer", "executions", "exec/s", "corpus", "coverage", "MB", "crashes"),
          flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for row, code, crashes, output in pool.map(lambda name: run(name, options), names):
            print(ROW.format(*row), flush=True)
            if code != 0:
                failed = True
                print(output[-6000:], *(f"input: {path}" for path in crashes), sep="\n", flush=True)
    sys.exit(failed)


main()
