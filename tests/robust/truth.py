# SPDX-License-Identifier: MIT
"""What really was: packets logged, by nft's counters, and who might read them when.

What was logged in an epoch is known as [low, high]: exactly where nothing was sent while the daemon
came up and while a namespace went, otherwise between the counters before and after.
"""
import json

import harness

RULES = ("a", "b")


class Range:
    """A number that is known to lie between two."""

    def __init__(self, low=0, high=0):
        self.low, self.high = low, high

    def add(self, low, high):
        self.low += low
        self.high += high

    def __repr__(self):
        return f"{self.low}..{self.high}" if self.low != self.high else f"{self.low}"


class Life:
    """One namespace from its making to its end, and what its rules have counted."""

    def __init__(self, space, number):
        self.space = space
        self.netns = harness.Netns(space)
        self.tag = f"{self.netns.name}/{number}"
        self.base = None  # rule: Range, the counter when this epoch began to listen
        self.netns.sink("\n".join(
            f'udp dport {port} counter log prefix "{self.tag}/{rule}" group 100'
            for rule, port in zip(RULES, (9, 10))))

    def counters(self, prefix=()):
        """prefix: a command that enters a namespace that has no name any more."""
        command = prefix or ("ip", "netns", "exec", self.netns.name)
        listed = json.loads(harness.run(*command, "nft", "-j", "list", "chain", "inet", "logs",
                                        "out"))
        counts = {}
        for entry in listed["nftables"]:
            parts = {key: value for part in entry.get("rule", {}).get("expr", [])
                     for key, value in part.items()}
            if "log" in parts:
                counts[parts["log"]["prefix"].rsplit("/", 1)[1]] = parts["counter"]["packets"]
        return counts


class Logged:
    def __init__(self, spaces):
        self.spaces = spaces  # (netns, rule): Range, of all its lives
        self.lives = {}  # tag: Range, of the one that lives

    def add_living(self, life, rule, low, high):
        self.spaces.setdefault((life.netns.name, rule), Range()).add(low, high)
        self.lives.setdefault(life.tag, Range()).add(low, high)


class Epoch:
    def __init__(self, number, begin):
        self.number, self.begin = number, begin  # begin: time.time() before the daemon started
        self.whole = True  # False: killed, what it has read last nobody knows
        self.closed = {}  # (netns, rule): Range of lives that have ended
        self.changed = set()  # (tenant, netns) that was not granted all the time


class Truth:
    def __init__(self):
        self.epochs = []
        self.lives = {}  # space: Life
        self.grants = {}  # (tenant, netns): [[granted, revoked or None], ...]

    @property
    def now(self):
        return self.epochs[-1]

    def begin_epoch(self, begin):
        """Before the daemon starts: subscribers may see its packets before we know that it listens."""
        epoch = Epoch(len(self.epochs), begin)
        epoch.changed = {key for key, spans in self.grants.items() if spans[-1][1] is not None}
        self.epochs.append(epoch)

    def begin_lives(self, before, after):
        """before, after: counters of each space before the start and when all were listened to."""
        for space, life in self.lives.items():
            self.begin_life(life, before[space], after[space])

    @staticmethod
    def begin_life(life, before, after):
        life.base = {rule: Range(before[rule], after[rule]) for rule in RULES}

    @staticmethod
    def end_life(epoch, life, low, high):
        """low, high: its counters before its name went and at its very end."""
        for rule in RULES:
            closed = epoch.closed.setdefault((life.netns.name, rule), Range())
            closed.add(max(0, low[rule] - life.base[rule].high), high[rule] - life.base[rule].low)

    def end_epoch(self):
        """The daemon was killed: it has read so much or less."""
        for life in self.lives.values():
            counters = life.counters()
            self.end_life(self.now, life, counters, counters)
        self.now.whole = False
        for known in self.now.closed.values():
            known.low = 0

    def logged(self, epoch):
        """Of an epoch so far; reads the counters where it is the running one."""
        logged = Logged({key: Range(known.low, known.high) for key, known in epoch.closed.items()})
        if epoch is self.now and epoch.whole:
            for life in self.lives.values():
                for rule, count in life.counters().items():
                    base = life.base[rule]
                    logged.add_living(life, rule, max(0, count - base.high), count - base.low)
        return logged

    def epoch_at(self, when):
        return next((e for e in reversed(self.epochs) if when >= e.begin), None)

    def grant(self, tenant, netns, when):
        self.grants.setdefault((tenant, netns), []).append([when, None])

    def revoke(self, tenant, netns, when):
        self.grants[tenant, netns][-1][1] = when

    def may_ever_read(self, tenant, netns):
        return (tenant, netns) in self.grants

    def was_taken(self, tenant, netns, received, seen):
        """Received by the daemon after the grant had gone, and seen before the next was given?"""
        spans = self.grants[tenant, netns]
        after = [revoked for granted, revoked in spans if granted <= received]
        if not after:
            return seen < spans[0][0]
        if after[-1] is None or received <= after[-1]:
            return False
        return not any(after[-1] < granted <= seen for granted, _ in spans)
