# SPDX-License-Identifier: MIT
"""A gRPC server that says what a test wants, and nflogctl run against it. No root, no network."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from concurrent import futures

sys.path.insert(0, os.path.join(os.environ["NFL_BUILD"], "python"))
import grpc  # noqa: E402
from google.protobuf.timestamp_pb2 import Timestamp  # noqa: E402
from nflog.v1 import nflog_pb2 as pb  # noqa: E402
from nflog.v1 import nflog_pb2_grpc as rpc  # noqa: E402

NFLOGCTL = os.path.join(os.environ["NFL_BUILD"], "bin", "nflogctl")
PATIENCE_S = 30
# 2026-01-02 03:04:05.000006 UTC
TIME = Timestamp(seconds=1767323045, nanos=6000)


class Service(rpc.NflogServiceServicer):
    """Answers with the attributes of the same names; a function is called with the request."""

    def __init__(self, **answers):
        self.answers = answers
        self.requests = []
        self.metadata = []

    def _answer(self, name, request, context):
        self.requests.append(request)
        answer = self.answers.get(name)
        if answer is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"no {name}")
        if isinstance(answer, tuple):
            context.abort(*answer)
        return answer(request, context) if callable(answer) else answer

    def Subscribe(self, request, context):
        yield from self._answer("Subscribe", request, context)

    def ListNetns(self, request, context):
        return self._answer("ListNetns", request, context)

    def ListSources(self, request, context):
        return self._answer("ListSources", request, context)

    def GetStats(self, request, context):
        return self._answer("GetStats", request, context)

    def GetServerInfo(self, request, context):
        return self._answer("GetServerInfo", request, context)


def source(number, netns, group, **fields):
    fields.setdefault("state", pb.SOURCE_STATE_LISTENING)
    return pb.Source(source_id=number, netns=netns, group=group, state_time=TIME, **fields)


def started(*sources, **fields):
    return pb.SubscribeResponse(started=pb.Started(subscription_id="s1", server_epoch="e1",
                                                   sources=sources or [source(1, "red", 100)],
                                                   **fields))


def at(token, response):
    """The response, with the place behind it."""
    response.resume_token = str(token).encode()
    return response


def packet(sequence=1, source_id=1, **fields):
    fields.setdefault("prefix", "drop: ")
    fields.setdefault("receive_time", TIME)
    fields.setdefault("family", pb.FAMILY_IPV4)
    fields.setdefault("hook", pb.HOOK_INPUT)
    fields.setdefault("hook_number", 1)
    fields.setdefault("hw_protocol", 0x800)
    fields.setdefault("input", pb.Device(index=2, name="eth0"))
    return pb.Packet(sequence=sequence, source_id=source_id, decoded=pb.Decoded(
        ip_version=pb.IP_VERSION_4, source_address=bytes([10, 0, 1, 60]),
        destination_address=bytes([10, 0, 1, 5]), protocol=17, source_port=4711,
        destination_port=53, total_length=60, ttl=63), **fields)


def batch(*packets):
    return pb.SubscribeResponse(batch=pb.PacketBatch(packets=packets))


def loss(count, total, source_id=1, stage=pb.LOSS_STAGE_KERNEL_SOCKET, **fields):
    return pb.SubscribeResponse(loss=pb.LossReport(stage=stage, source_id=source_id, count=count,
                                                   cumulative_count=total, first_time=TIME,
                                                   last_time=TIME, **fields))


def caught_up(packets):
    return pb.SubscribeResponse(caught_up=pb.CaughtUp(packets_replayed=packets))


class CommandTest(unittest.TestCase):
    """Runs nflogctl, most often against a server of the test's own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nfl-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.leave = threading.Event()  # set when the test is over
        self.addCleanup(self.leave.set)

    def serve(self, name="sock", **answers):
        """Another server, the one of self.address from now on."""
        self.service = Service(**answers)
        self.address = f"unix:{self.folder}/{name}"
        server = self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        rpc.add_NflogServiceServicer_to_server(self.service, server)
        server.add_insecure_port(self.address)
        server.start()
        self.addCleanup(lambda: server.stop(0).wait())

    def wait(self):
        """For a stream: stay until the test is over or the client is gone."""
        self.leave.wait(PATIENCE_S)

    def start(self, *args, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("NFLOGCTL_")}
        environment["XDG_CONFIG_HOME"] = self.folder  # not what its user has set
        environment.update(kwargs.pop("env", {"NFLOGCTL_SERVER": getattr(self, "address", "/x")}))
        process = subprocess.Popen([NFLOGCTL, *args], env=environment, **kwargs)
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_ctl(self, *args, expect=0, **kwargs):
        """(stdout, stderr) of nflogctl, which must end with the exit code `expect`."""
        process = self.start(*args, **kwargs)
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, expect, (out or b"", err))
        return (out or b"").decode(), err.decode()
