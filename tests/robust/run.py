# SPDX-License-Identifier: MIT
"""One run: carries out the schedule of a seed, settles, judges.

    tests/robust/run.py --seed 7 --rounds 8
    tests/robust/run.py --seconds 600 --steady --samples FILE

Exit 0: no violation. Else the folder with the history and what the subscribers wrote is kept.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import harness  # noqa: E402
import samples  # noqa: E402
import schedule  # noqa: E402
from faults import Faults  # noqa: E402
from history import History  # noqa: E402
from world import World  # noqa: E402

SETTLE_S = 60  # on a busy machine, after pauses of clients that try to connect again
TAIL_S = 3
TAKEN_PACKETS = 200
LOOK_S = 0.1


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.history = History(os.path.join(folder, "history.jsonl"))
        self.world = World(folder, self.history)
        self.faults = Faults(self.world, self.history)
        self.senders, self.burials = [], []
        self.settled = self.rounds = 0
        self.logged = None  # as of the last settlement
        self.exact = collections.Counter()  # reader: balances of namespaces known exactly

    # --- a round ------------------------------------------------------------------------------

    def send(self, space, port, count, rate):
        netns = self.world.truth.lives[space].netns.name
        command = [os.path.join(harness.BIN, "nflog_gen"), "--netns", netns, "--port", str(port),
                   "--count", str(count), "--size", "60"] + (["--rate", str(rate)] if rate else [])
        self.history.note("send", netns=netns, port=port, count=count, rate=rate)
        self.senders.append(subprocess.Popen(  # rules that drop make some of its calls fail
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def carry_out(self, fault):
        threading.Event().wait(fault["pause_s"])  # part of the schedule, nothing waits for it
        if fault["kind"] == "flood":
            self.send(fault["space"], schedule.PORTS[0], schedule.FLOOD_PACKETS, 0)
            self.history.did("flood")
        elif fault["kind"] == "renew":
            self.burials.append(self.world.renew(fault["space"]))
            self.history.did("renew", fault=fault)
        else:
            self.faults.carry_out(fault)
        if fault["kind"] == "reload":  # who has lost swing would be given these
            self.send("swing", schedule.PORTS[0], TAKEN_PACKETS, 0)

    def carry_out_round(self, made):
        self.history.note("round", number=self.rounds, **made)
        for burst in made["bursts"]:
            self.send(burst["space"], burst["port"], burst["count"], burst["rate"])
        for fault in made["faults"]:
            self.carry_out(fault)
        self.faults.undo_all()
        self.end_senders()
        self.rounds += 1

    def end_senders(self):
        for sender in self.senders:
            sender.wait(harness.PATIENCE_S * 4)
        self.senders = []
        for bury in self.burials:
            bury()
        self.burials = []

    # --- settling -----------------------------------------------------------------------------

    def settle(self):
        """Nothing is in the way any more: everybody accounts for everything."""
        if self.world.daemon.process.poll() is not None:
            self.history.violation("daemon", f"ended with {self.world.daemon.process.returncode}")
            raise AssertionError("the daemon is gone")
        for reader in self.world.readers.values():
            reader.revive()
        waiting = self.wait_square()
        logged = self.logged
        for name, reader in self.world.readers.items():
            self.judge(name, reader, logged, name in waiting)
        self.settled += 1
        self.history.note("settled", logged={" ".join(key): repr(n) for key, n in logged.spaces.items()},
                          accounts={name: [r.state().packets, r.state().lost]
                                    for name, r in self.world.readers.items()})

    def send_tail(self):
        """A packet in each namespace settles what was lost behind the last one."""
        for space in schedule.SPACES:
            self.send(space, schedule.PORTS[0], 1, 0)
        self.end_senders()
        self.logged = self.world.truth.logged(self.world.truth.now)

    def wait_square(self):
        """Names of subscribers that have not got all there is in time."""
        deadline = time.monotonic() + SETTLE_S
        waiting, tail = set(self.world.readers), 0
        while waiting and time.monotonic() < deadline:
            if time.monotonic() > tail:  # the last one may be lost as well, in one datagram with others
                self.send_tail()
                waiting = set(self.world.readers)
                tail = time.monotonic() + TAIL_S
            waiting = {name for name in waiting
                       if not self.world.readers[name].state().is_square(self.logged)}
            for name in waiting:
                self.world.readers[name].revive()  # maybe it has ended by itself
            threading.Event().wait(LOOK_S)
        return waiting

    def judge(self, name, reader, logged, late):
        reader.put_away(os.path.join(self.world.folder, f"{name}.{self.settled % 2}.json"))
        state = reader.state()
        for text in (*state.faults, *reader.ended_by_itself):
            self.history.violation(name, text)
        reader.account.faults, reader.ended_by_itself = [], []
        truth, exact = self.world.truth, state.exact
        for given in (*state.past, state.given):
            if given.number is None:
                continue
            running = given.number == truth.now.number
            for text in state.judge(given, logged if running else truth.logged(
                    truth.epochs[given.number])):
                self.history.violation(name, f"epoch {given.number}: {text}")
        self.exact[name] += state.exact - exact
        reader.account.past = reader.account.past[-1:]
        if late:
            self.history.violation(name, f"after {SETTLE_S} s not all is accounted for, epoch "
                                   f"{state.given.number} of {truth.now.number}")

    # --- all of it ----------------------------------------------------------------------------

    def go(self):
        options = self.options
        end = time.monotonic() + options.seconds if options.seconds else None
        self.world.make()
        with samples.Sampler(self.world, options.samples):
            for made in schedule.rounds(options.seed, options.steady):
                self.carry_out_round(made)
                last = time.monotonic() > end if end else self.rounds >= options.rounds
                if made["settle"] or last:
                    self.settle()
                if last or self.history.violations:
                    break
        self.end_daemon()

    def end_daemon(self):
        """As a user does; sanitizers tell of leaks then."""
        for reader in self.world.readers.values():
            reader.close()
        try:
            self.world.daemon.stop()
        except AssertionError as error:
            self.history.violation("daemon", str(error))

    def close(self):
        for sender in self.senders:
            sender.kill()
            sender.wait()
        self.world.close()
        self.history.close()

    def last_balance(self, state):
        """Of the last settlement."""
        if state.given.number is None or not self.logged:
            return "nothing settled"
        rows = list(state.balance(state.given, self.logged))
        lows, highs = (sum(getattr(row[2], end) for row in rows) for end in ("low", "high"))
        return (f"last epoch {sum(row[1] for row in rows)} delivered or lost of {lows}"
                + (f"..{highs}" if highs != lows else "") + " due")

    def report(self):
        epochs = len(self.world.truth.epochs)
        print(f"robust: seed {self.options.seed}: {self.rounds} rounds, {self.settled} settled, "
              f"{epochs} epochs, {self.world.lives_made} namespaces")
        print("  faults: " + ", ".join(f"{kind} {count}" for kind, count in
                                       sorted(self.history.counts.items())))
        for name, reader in self.world.readers.items():
            state = reader.state()
            print(f"  {name}: {state.packets} packets, {state.lost} reported lost, "
                  f"{state.announced} epochs announced, {self.exact[name]} balances exact; "
                  f"{self.last_balance(state)}")
        print(f"  violations: {len(self.history.violations)}")
        for text in self.history.violations[:20]:
            print(f"    {text}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, help="so long, however many rounds that are")
    parser.add_argument("--steady", action="store_true", help="do not kill the daemon")
    parser.add_argument("--samples", help="file for memory, descriptors and threads over time")
    return parser.parse_args()


def main():
    options = parse()
    if os.getuid() != 0:
        sys.exit("robust needs root; see tests/e2e/rights.sh")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleans up as ^C does
    print(f"robust: seed {options.seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="nfl-test-")
    os.chmod(folder, 0o755)  # nflogd reads its files again when it is no longer root
    run = Run(options, folder)
    failed = True
    try:
        run.go()
        run.report()
        failed = bool(run.history.violations)
    finally:
        run.close()
        if failed:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    sys.exit(failed)


if __name__ == "__main__":
    main()
