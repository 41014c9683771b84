# SPDX-License-Identifier: MIT
"""What a process has used, and headings: shared by the benches."""
import re
import time


def cpu_seconds(pid):
    """CPU of all threads of a process so far, by its CPU clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) / 1024


def title(text):
    print(f"\n{text}", flush=True)
