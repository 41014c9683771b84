# SPDX-License-Identifier: MIT
"""Carries out one fault of the schedule. What is held to the end of the round returns how to undo it."""
import os
import signal
import threading

import harness


class Faults:
    def __init__(self, world, history):
        self.world, self.history = world, history
        self.to_undo = []

    def carry_out(self, fault):
        """Raises nothing of its own: what cannot be done now (no such process) is not counted."""
        kind, what = fault["kind"].split()[0], fault["kind"].split()[-1]
        undo = getattr(self, "_" + kind)(what, fault)
        self.history.did(fault["kind"], fault=fault)
        if undo and fault.get("held"):
            self.to_undo.append(undo)
        elif undo:
            threading.Event().wait(fault["for_s"])  # how long the fault lasts
            undo()

    def undo_all(self):
        while self.to_undo:
            self.to_undo.pop()()

    def _kill(self, what, fault):
        if what == "reader":
            self.world.readers[fault["reader"]].kill()
            return
        pid = harness.wait_until(f"there is the {what}", lambda: self.world.process(what))
        os.kill(pid, signal.SIGKILL)
        if what != "opener":
            self.world.daemon_died()
        else:
            harness.wait_until("another opener", lambda: self.world.process("opener") not in (
                None, pid))

    def _stop(self, what, fault):
        if what == "reader":
            reader = self.world.readers[fault["reader"]]
            reader.stop()
            return reader.go
        pid = harness.wait_until(f"there is the {what}", lambda: self.world.process(what))
        os.kill(pid, signal.SIGSTOP)
        return lambda: os.kill(pid, signal.SIGCONT)

    def _reload(self, _, fault):
        self.world.hand_over(fault["holders"])

    def _proxy(self, what, fault):
        proxy = self.world.proxies[fault["proxy"]]
        if what == "cut":
            proxy.cut()
            return None
        proxy.set_mode(what)
        return lambda: proxy.set_mode("pass")

    def _drop(self, where, fault):
        self.world.allow(fault["space"])
        self.world.forbid(fault["space"], where)
        return lambda: self.world.allow(fault["space"])
