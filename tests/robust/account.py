# SPDX-License-Identifier: MIT
"""What one subscriber was given, judged as it comes and when all has come.

Packet by packet: sequences grow, a jump is what was reported lost, nothing of a source that the
tenant may not read, nothing of another epoch that was not announced. Settled: the loss equation.
"""
import copy

from truth import RULES, Range


class Given:
    """What came in one epoch."""

    def __init__(self, number=None):
        self.number = number  # of the epoch; None until something tells
        self.seen = {}  # source id: its highest sequence
        self.owed = {}  # source id: missing numbers less reported losses of the history
        self.tags = {}  # source id: the life whose rules have logged
        self.delivered = {}  # (netns, rule): packets
        self.lost = {}  # netns, None where it is not told: packets
        self.accounted = {}  # source id: packets delivered or lost
        self.at_least = False  # a loss could not be counted

    def copy(self):
        return copy.deepcopy(self)


class Account:
    def __init__(self, name, tenant, truth, filtered=None):
        """filtered: the rule whose packets the subscription holds back."""
        self.name, self.tenant, self.truth, self.filtered = name, tenant, truth, filtered
        self.past = []  # what came in earlier epochs
        self.given = Given()
        self.filtered_count = None  # of an unbroken stream, as its server tells
        self.faults = []  # violations found in what came
        self.packets = self.lost = self.announced = self.exact = 0

    def fork(self):
        """A copy that goes its own way; the truth stays one."""
        made = copy.copy(self)
        made.past, made.faults = list(self.past), list(self.faults)
        made.given = self.given.copy()
        return made

    def fault(self, text):
        if len(self.faults) < 20:  # one fault may break every packet after it
            self.faults.append(text)

    def announce(self, number=None):
        """EPOCH_CHANGED, or the first stream of all."""
        self.announced += 1
        if self.given.number is not None:
            if number == self.given.number:
                self.fault(f"epoch {number} was announced to have ended, and has not")
            self.past.append(self.given)
        self.given = Given(number)

    def learn_epoch(self, number):
        given = self.given
        if given.number is None:
            if self.past and number <= self.past[-1].number:
                self.fault(f"epoch {number} again, after {self.past[-1].number} had ended")
            given.number = number
        elif number != given.number:
            self.fault(f"epoch {number} after {given.number} without EPOCH_CHANGED")
            self.announce(number)

    def take_packet(self, netns, source_id, sequence, prefix, received, seen):
        self.packets += 1
        epoch = self.truth.epoch_at(received)
        if not epoch:
            return self.fault(f"packet of {received}, before the first daemon")
        self.learn_epoch(epoch.number)
        self._check_isolation(netns, prefix, received, seen)
        self._check_place(epoch, netns, source_id, sequence)
        tag, _, rule = prefix.rpartition("/")
        if self.given.tags.setdefault(source_id, tag) != tag:
            self.fault(f"source {source_id} is {tag} and {self.given.tags[source_id]}")
        key = (netns, rule)
        self.given.delivered[key] = self.given.delivered.get(key, 0) + 1
        if rule == self.filtered:
            self.fault(f"{prefix} passed a filter that excludes it")
        return None

    def _check_isolation(self, netns, prefix, received, seen):
        if prefix.split("/")[0] != netns:
            self.fault(f"{prefix} came as a packet of {netns}")
        if not self.truth.may_ever_read(self.tenant, netns):
            self.fault(f"ISOLATION: {self.tenant} was given a packet of {netns}")
        elif self.truth.was_taken(self.tenant, netns, received, seen):
            self.fault(f"ISOLATION: {self.tenant} was given a packet of {netns}, of {received}, "
                       f"after the grant had gone")

    def _check_place(self, epoch, netns, source_id, sequence):
        given = self.given
        last = given.seen.get(source_id, 0)
        jump = sequence - last - 1
        given.seen[source_id] = max(last, sequence)
        given.accounted[source_id] = given.accounted.get(source_id, 0) + 1
        if jump < 0:
            self.fault(f"source {source_id}: {sequence} after {last}")
        elif (self.tenant, netns) in epoch.changed or self.filtered:
            return  # what came while the grant was away, or is filtered, is no loss
        owed = given.owed.get(source_id, 0) + jump
        # A second report waits until the first is a second old; what it counts is owed until then.
        if owed < 0 or (owed > 0 and source_id not in given.owed):
            self.fault(f"source {source_id}: {sequence} after {last}, {jump - owed} reported lost")
        if jump > 0 or source_id in given.owed:
            given.owed[source_id] = owed

    def take_loss(self, netns, source_id, stage, count, lower_bound):
        given = self.given
        self.lost += count
        given.lost[netns] = given.lost.get(netns, 0) + count
        given.accounted[source_id] = given.accounted.get(source_id, 0) + count
        if stage == "history":
            given.owed[source_id] = given.owed.get(source_id, 0) - count
            given.at_least |= lower_bound
        if count == 0 and not lower_bound:
            self.fault(f"source {source_id}: a loss of nothing")

    # --- when all has come ----------------------------------------------------------------------

    def balance(self, given, logged):
        """(what it was given, Range of what it should have) for each namespace that can be judged."""
        epoch = self.truth.epochs[given.number]
        for netns in sorted({netns for netns, _ in logged.spaces}):
            if (self.truth.may_ever_read(self.tenant, netns)
                    and (self.tenant, netns) not in epoch.changed):
                known = [logged.spaces.get((netns, rule), Range()) for rule in RULES]
                due = Range(sum(k.low for k in known), sum(k.high for k in known))
                got = sum(given.delivered.get((netns, rule), 0) for rule in RULES)
                if self.filtered:
                    due.low = max(0, due.low - logged.spaces.get((netns, self.filtered), Range()).high)
                yield netns, got + given.lost.get(netns, 0), due

    def is_square(self, logged):
        """Has everything of the running epoch come?"""
        given = self.given
        if given.number != self.truth.now.number:
            return False
        lost_somewhere = given.lost.get(None, 0)
        if any(got + lost_somewhere < due.low for _, got, due in self.balance(given, logged)):
            return False
        if any(got < due.low for _, got, due in self.living(given, logged)):
            return False
        return self.filtered_count is None or self.missing(given, logged) <= 0

    def missing(self, given, logged):
        """By the stream's own count of what its filter held back."""
        rows = list(self.balance(given, logged))
        logged_low = sum(logged.spaces.get((netns, rule), Range()).low for netns, _, _ in rows
                         for rule in RULES)
        return logged_low - sum(got for _, got, _ in rows) - self.filtered_count

    def judge(self, given, logged):
        """Violations of the loss equation in one epoch; of one that was killed, what it cannot exceed."""
        whole = self.truth.epochs[given.number].whole
        for netns, got, due in self.balance(given, logged):
            if got > due.high:
                yield f"{netns}: {got} delivered and lost of {due} logged"
            elif whole and got < due.low and not given.lost.get(None) and not given.at_least:
                yield f"{netns}: only {got} delivered and lost of {due} logged"
        if whole and not self.filtered:
            yield from self.judge_owed(given)
            yield from self.judge_living(given, logged)
        if whole and self.filtered_count is not None and self.missing(given, logged) > 0:
            yield f"{self.missing(given, logged)} packets were neither delivered nor lost nor filtered"

    def judge_owed(self, given):
        """After a last packet of each namespace that lives, every loss has shown as missing numbers."""
        alive = {life.tag for life in self.truth.lives.values()}
        for source_id, owed in given.owed.items():
            tag = given.tags.get(source_id, "")
            if (self.tenant, tag.split("/")[0]) in self.truth.epochs[given.number].changed:
                continue
            if owed > 0:
                yield f"source {source_id}: {owed} numbers are missing and not reported lost"
            elif owed < 0 and tag in alive:
                yield f"source {source_id}: {-owed} are reported lost and no numbers are missing"

    def living(self, given, logged):
        """(tag, what it was given, Range of what it should have) for each namespace that lives."""
        if self.filtered or given.at_least or given.lost.get(None):
            return
        for tag, due in logged.lives.items():
            netns = tag.split("/")[0]
            if (self.truth.may_ever_read(self.tenant, netns)
                    and (self.tenant, netns) not in self.truth.epochs[given.number].changed):
                yield tag, sum(count for source_id, count in given.accounted.items()
                               if given.tags.get(source_id) == tag), due

    def judge_living(self, given, logged):
        """Exact where nothing was sent while the namespace was bound."""
        for tag, got, due in self.living(given, logged):
            if not due.low <= got <= due.high:
                yield f"{tag}: {got} delivered and lost of {due} logged"
            elif due.low == due.high:
                self.exact += 1
