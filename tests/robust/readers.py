# SPDX-License-Identifier: MIT
"""Subscribers under test: nflogctl that writes a file and keeps its place in another, and the raw
contract in Python, which goes on with the last resume token."""
import datetime
import json
import os
import signal
import subprocess
import threading
import time

import grpc

import harness
from harness import pb, rpc

KEEPALIVE = [("grpc.keepalive_time_ms", 20_000), ("grpc.max_receive_message_length", 64 << 20)]
AGAIN_S = 0.1  # before the next try to connect
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED,
           grpc.StatusCode.CANCELLED}
STAGES = {value: name[len("LOSS_STAGE_"):].lower() for name, value in pb.LossStage.items()}
UNIX_EPOCH = datetime.datetime(1970, 1, 1)


def unix_time(text):
    """RFC 3339 of nanoseconds, printed in UTC, as a float."""
    moment = datetime.datetime.fromisoformat(text[:19])
    return (moment - UNIX_EPOCH).total_seconds() + int(text[20:29]) / 1e9


class Tool:
    """nflogctl -o json --write --resume-file. What it wrote is judged from the beginning of its file
    whenever it was killed, because the next run takes back what lies behind the stored place."""

    def __init__(self, account, server, folder):
        self.account = account  # as of the last time the file was put away
        self.folder = folder
        self.output = os.path.join(folder, account.name + ".json")
        self.errors = os.path.join(folder, account.name + ".stderr")
        self.command = [os.path.join(harness.BIN, "nflogctl"), *server, "subscribe", "--all",
                        "-o", "json", "--write", self.output,
                        "--resume-file", os.path.join(folder, account.name + ".place")]
        self.process = None
        self.ended_by_itself = []
        self._was_killed = False  # since the file was begun: it may be cut under our eyes
        self._forget()
        self.start()

    def _forget(self):
        self._now, self._offset = self.account.fork(), 0
        self._read_at = None  # the file's time of change when it was read last

    def start(self):
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=errors,
                                            env=dict(os.environ, TZ="UTC"))

    def signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self):
        self.signal(signal.SIGSTOP)

    def go(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9; begun again by revive()."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def revive(self):
        """Begin again after a kill; an end of its own is noted."""
        if self.process.poll() is None:
            return
        if self.process.returncode != -signal.SIGKILL and not self._never_reached():
            self.ended_by_itself.append(f"nflogctl ended with {self.process.returncode}: "
                                        + self._last_error())
        self._was_killed = True
        self.start()
        self._forget()

    def _never_reached(self):
        """A server that cannot be reached in the first place ends it, as its manual says."""
        return self.process.returncode == 6 and "-- 0 packets, 0 lost" in self._last_error()

    def _last_error(self):
        with open(self.errors, errors="replace") as f:
            return " / ".join(f.read().splitlines()[-2:])

    def state(self):
        """The account of what has been written by now."""
        try:
            changed = os.stat(self.output).st_mtime_ns
        except FileNotFoundError:
            return self._now
        if changed == self._read_at:
            return self._now
        if self._was_killed:
            self._forget()
        try:
            self._read()
        except ValueError:
            if self._was_killed:  # it was being cut: the next look finds it whole
                self._forget()
                return self._now
            raise
        self._read_at = changed
        return self._now

    def _read(self):
        with open(self.output, "rb") as f:
            f.seek(self._offset)
            whole, _, _ = f.read().rpartition(b"\n")
        self._take(whole)

    def _take(self, lines):
        seen = time.time()
        for line in lines.split(b"\n") if lines else ():
            self._take_item(json.loads(line), seen)
        self._offset += len(lines) + 1 if lines else 0

    def _take_item(self, item, seen):
        kind = item.get("type")
        if kind is None:
            self._now.take_packet(item["netns"], item["source_id"], item["sequence"],
                                  item["prefix"], unix_time(item["receive_time"]), seen)
        elif kind == "loss":
            self._now.take_loss(item.get("netns"), item.get("source_id", 0), item["stage"],
                                item["count"], item.get("lower_bound", False))
        elif kind == "resumed" and item["status"] == "epoch_changed":
            self._now.announce()

    def put_away(self, keep):
        """End it as a user does, judge all that it wrote, begin a new file."""
        self.signal(signal.SIGINT)
        if self.process.wait(harness.PATIENCE_S) != 130 and not self._never_reached():
            self.ended_by_itself.append(f"nflogctl, interrupted, ended with "
                                        f"{self.process.returncode}: {self._last_error()}")
        self._was_killed = False
        self._forget()
        self.account = self.state()
        if os.path.exists(self.output):
            os.replace(self.output, keep)
        self._forget()
        self.start()

    def close(self):
        self.go()
        self.kill()


class Raw:
    """A Python client of the contract; stopping and killing it are its own doing."""

    def __init__(self, account, token, connect, **request):
        """connect(): a new channel; token: a bearer's."""
        self.account, self.token = account, token
        self.connect, self.request = connect, request
        self.ended_by_itself = []
        self._place = None  # the last resume token
        self._sources = {}
        self._unbroken = False
        self._lock = threading.Lock()
        self._may_read = threading.Event()
        self._may_read.set()
        self._ended = threading.Event()
        self._call = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ended.is_set():
            try:
                with self.connect() as channel:
                    self._read(channel)
            except grpc.RpcError as error:
                if error.code() not in RETRIED and not self._ended.is_set():
                    self.ended_by_itself.append(f"{error.code().name}: {error.details()}")
            except Exception as error:  # a thread must not end unnoticed
                self.ended_by_itself.append(f"{type(error).__name__}: {error}")
            self._ended.wait(AGAIN_S)

    def _read(self, channel):
        start = pb.StartPosition(resume_token=self._place) if self._place else pb.StartPosition(
            oldest=True)
        request = pb.SubscribeRequest(start=start, follow=True, **self.request)
        request.heartbeat_interval.FromMilliseconds(1000)
        self._call = rpc.NflogServiceStub(channel).Subscribe(
            request, metadata=harness.bearer(self.token))
        for response in self._call:
            self._may_read.wait()
            with self._lock:
                if self._ended.is_set():
                    return
                self._take(response)
                self._place = response.resume_token or self._place

    def _take(self, response):
        kind = response.WhichOneof("event")
        if kind == "started":
            self._take_started(response.started)
        elif kind == "batch":
            seen = time.time()
            for packet in response.batch.packets:
                received = packet.receive_time
                self.account.take_packet(
                    self._sources[packet.source_id], packet.source_id, packet.sequence,
                    packet.prefix, received.seconds + received.nanos / 1e9, seen)
        elif kind == "loss":
            loss = response.loss
            self.account.take_loss(self._sources.get(loss.source_id), loss.source_id,
                                   STAGES[loss.stage], loss.count, loss.lower_bound)
        elif kind == "source_event":
            source = response.source_event.source
            self._sources[source.source_id] = source.netns
        elif kind == "heartbeat" and self._unbroken and self.account.filtered:
            self.account.filtered_count = response.heartbeat.packets_filtered

    def _take_started(self, started):
        changed = started.resume_status == pb.RESUME_STATUS_EPOCH_CHANGED
        if changed:
            self._sources = {}
            self.account.announce()
        self._sources.update((s.source_id, s.netns) for s in started.sources)
        self._unbroken = changed or self._place is None
        self.account.filtered_count = None

    def stop(self):
        self._may_read.clear()

    def go(self):
        self._may_read.set()

    def kill(self):
        """The stream ends between two responses, whatever is in flight."""
        with self._lock:
            if self._call:
                self._call.cancel()

    def revive(self):
        pass  # its thread does

    def state(self):
        with self._lock:
            return self.account.fork()

    def put_away(self, keep):
        pass

    def close(self):
        self._ended.set()
        self.go()
        self.kill()
        self._thread.join(harness.PATIENCE_S)
