# SPDX-License-Identifier: MIT
"""What a run does, made of a seed alone: the same seed and options give the same schedule.

A round is traffic in some namespaces, faults while it lasts, and maybe a settlement, where everything
is let go and every subscriber must have accounted for all that was logged.
"""
import random

SPACES = ("red", "blue", "both", "swing")  # who may read them; swing changes hands
READERS = ("watch", "red", "blue", "picky", "lazy")  # what they are: readers.py, world.py
HOLDERS = ((), ("red",), ("blue",), ("red", "blue"))  # of swing
PORTS = (9, 10)  # two rules in each namespace

KILLS = {"kill daemon": 2, "kill warden": 1}
FAULTS = {"kill opener": 2, "kill reader": 3, "stop daemon": 2, "stop warden": 1, "stop opener": 1,
          "stop reader": 3, "reload": 2, "proxy stall": 2, "proxy cut": 3, "proxy slow": 2,
          "proxy delay": 2, "drop before": 1, "drop after": 1, "renew": 2, "flood": 2}
PROXIES = ("unix", "tls")
FLOOD_PACKETS = 40_000


def make_fault(chance, kind, holders):
    fault = {"kind": kind, "pause_s": round(chance.uniform(0.05, 0.4), 2)}
    if kind.split()[0] in ("stop", "proxy", "drop"):
        fault["for_s"] = round(chance.uniform(0.1, 0.9), 2)
    if kind in ("stop reader", "proxy stall", "proxy slow", "proxy delay", "drop before",
                "drop after"):
        fault["held"] = chance.random() < 0.4  # to the end of the round
    if kind in ("stop reader", "kill reader"):
        fault["reader"] = chance.choice(READERS)
    elif kind.startswith("proxy"):
        fault["proxy"] = chance.choice(PROXIES)
    elif kind.startswith("drop") or kind in ("renew", "flood"):
        fault["space"] = chance.choice(SPACES)
    elif kind == "reload":
        fault["holders"] = chance.choice([other for other in HOLDERS if other != holders])
    return fault


def make_bursts(chance):
    bursts = []
    for space in chance.sample(SPACES, chance.randint(2, len(SPACES))):
        rate = chance.choice((500, 2000, 4000))
        bursts.append({"space": space, "port": chance.choice(PORTS), "rate": rate,
                       "count": int(rate * chance.uniform(0.5, 2.0))})
    return bursts


def rounds(seed, steady):
    """Endless. steady: the daemon is not killed, so that its memory can be watched."""
    chance = random.Random(seed)
    weights = dict(FAULTS) if steady else {**FAULTS, **KILLS}
    kinds = list(weights)
    bag, holders = [], HOLDERS[1]
    while True:
        faults = []
        for _ in range(chance.randint(1, 4)):
            if not bag:  # each kind comes up, the likely ones more often
                bag = [kind for kind in kinds for _ in range(weights[kind])]
                chance.shuffle(bag)
            faults.append(make_fault(chance, bag.pop(), holders))
            holders = faults[-1].get("holders", holders)
        yield {"bursts": make_bursts(chance), "faults": faults, "settle": chance.random() < 0.5}
