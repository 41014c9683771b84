# SPDX-License-Identifier: MIT
"""Instructions a packet in user space, under callgrind: the same in every run on one machine.

Each step of bench_path is run with two numbers of rounds: the difference is free of the start. What is
stored in instructions.json is compared; more than TOLERANCE above it is a regression.
"""
import json
import os
import re
import sys

import harness
from figures import title

STORED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.json")
STEPS = ("decode", "decode-known", "store", "store-known", "compose-basic", "compose-full", "filter",
         "read", "protobuf-c", "json", "compact")
FEW, MANY = 2, 12  # rounds
TOLERANCE = 0.03


def instructions(step, times):
    """(of the whole run, packets of a round)."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
               os.path.join(harness.BIN, "bench_path"), step, str(times)]
    done = harness.subprocess.run(command, stdout=harness.subprocess.PIPE,
                                  stderr=harness.subprocess.PIPE, check=True)
    refs = re.search(rb"refs:\s+([\d,]+)", done.stderr).group(1)
    return int(refs.replace(b",", b"")), int(done.stdout.split()[0])


def measure(step):
    few, packets = instructions(step, FEW)
    many, _ = instructions(step, MANY)
    return round((many - few) / (MANY - FEW) / packets, 1)


def bench_guard(update=False):
    title("instructions a packet, all kernel messages of the fixtures (callgrind)")
    counts = {step: measure(step) for step in STEPS}
    stored = {}
    if os.path.exists(STORED):
        with open(STORED) as f:
            stored = json.load(f)
    worse = []
    for step, count in counts.items():
        before = stored.get(step)
        change = f"{100 * (count / before - 1):+.1f} %" if before else "new"
        print(f"{step:14} {count:8.1f}  stored {before or '-':>8}  {change}")
        if before and count > before * (1 + TOLERANCE):
            worse.append(step)
    print(f"protobuf-c / read: {counts['protobuf-c'] / counts['read']:.1f}x")
    if update:
        with open(STORED, "w") as f:
            json.dump(counts, f, indent=1)
            f.write("\n")
    elif worse:
        sys.exit(f"more instructions than before: {', '.join(worse)} "
                 f"(./dev bench guard --update where that is meant)")
