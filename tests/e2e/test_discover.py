# SPDX-License-Identifier: MIT
"""Health, and clients that have no .proto file: all they know is told by reflection."""
import filecmp
import os
import shutil
import socket
import subprocess
import threading

import harness
import known
from harness import grpc

NODE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")
SERVICES = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection", "nflog.v1.NflogService"]
STATE = known.health.HealthCheckResponse
SERVICE = "nflog.v1.NflogService"


def node_modules():
    """Installs what the lock file says where that was not done yet; returns the folder to run in."""
    folder = os.path.join(os.path.dirname(harness.BUILD), "npm-e2e")
    os.makedirs(folder, exist_ok=True)
    lock = os.path.join(NODE, "package-lock.json")
    stamp = os.path.join(folder, "installed")  # written last
    if not os.path.exists(stamp) or not filecmp.cmp(lock, stamp, shallow=False):
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(NODE, name), folder)
        harness.run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
        shutil.copy(lock, stamp)
    shutil.copy(os.path.join(NODE, "reflect.js"), folder)
    return folder


class Discover(harness.RealTest):
    def setUp(self):
        super().setUp()
        self.ns = self.netns("red")
        self.ns.sink('udp dport 9 log prefix "red: " group 100')
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def serve(self, **limits):
        """Whoever comes by TCP is nobody: without credentials."""
        self.serving = self.daemon(config={
            "listen": [{"unix": os.path.join(self.folder, "1", "nflogd.sock"), "mode": "0600"},
                       {"tcp": f"127.0.0.1:{self.port}"}],
            "limits": limits,
            "tenants": [{"name": "test", "identities": [{"unix_uid": os.getuid()}],
                         "sources": [{"netns": self.ns.name, "groups": [100]}]}]})

    def open(self, address=None):
        channel = grpc.insecure_channel(address or self.serving.address(),
                                        options=[("grpc.use_local_subchannel_pool", 1)])
        self.addCleanup(channel.close)
        return channel

    def stranger(self):
        return self.open(f"127.0.0.1:{self.port}")

    def test_python_subscribes_by_reflection_alone(self):
        self.serve()
        for version in ("v1", "v1alpha"):
            channel = self.open()
            told = known.Reflection(channel, version)
            self.assertEqual(told.services(), SERVICES)
            request, subscribe = told.call(SERVICE, "Subscribe")
            stream = subscribe(request(netns=[self.ns.name], follow=True, view=2))
            self.assertEqual(next(stream).WhichOneof("event"), "started")
            self.ns.send_udp("10.99.0.7", 9)
            packet = next(r.batch.packets[0] for r in stream if r.WhichOneof("event") == "batch")
            self.assertEqual((packet.prefix, packet.decoded.destination_port), ("red: ", 9))
            self.assertTrue(packet.decoded.HasField("destination_port"))  # `optional` is told too
            stream.cancel()
            request, info = told.call(SERVICE, "GetServerInfo")
            self.assertEqual(info(request()).tenant, "test")
            self.assertEqual(told.close(), [])

    def test_node_subscribes_by_reflection_alone(self):
        self.serve()
        folder = node_modules()
        for version in ("v1", "v1alpha"):
            node = subprocess.Popen(["node", "reflect.js", self.serving.address(), self.ns.name, version],
                                    cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(node.stderr.close)
            self.addCleanup(node.stdout.close)
            watchdog = threading.Timer(harness.PATIENCE_S, node.kill)
            watchdog.start()
            self.addCleanup(watchdog.cancel)
            lines = [node.stdout.readline(), node.stdout.readline()]
            self.ns.send_udp("10.99.0.7", 9, count=3)
            lines += node.stdout.read().splitlines(keepends=True)
            self.assertEqual(node.wait(), 0, node.stderr.read())
            self.assertEqual(lines, ["[" + ",".join(f'"{s}"' for s in SERVICES) + "]\n", '"started"\n']
                             + 3 * ['{"prefix":"red: ","port":9}\n'])

    def test_questions_that_have_no_answer_are_told_so_and_do_not_end_the_stream(self):
        self.serve()
        told = known.Reflection(self.stranger())  # the contract is public: no credentials
        nothing, invalid = grpc.StatusCode.NOT_FOUND.value[0], grpc.StatusCode.INVALID_ARGUMENT.value[0]
        extension = known.reflection.ExtensionRequest(containing_type="nflog.v1.Packet",
                                                      extension_number=7)
        for question, code in (({"file_by_filename": "../nflog.proto"}, nothing),
                               ({"file_by_filename": ""}, nothing),
                               ({"file_containing_symbol": "nflog.v1.Nothing"}, nothing),
                               ({"file_containing_symbol": "x" * 10_000}, nothing),
                               ({"file_containing_extension": extension}, nothing),
                               ({"all_extension_numbers_of_type": "nflog.v1.NflogService"}, nothing),
                               ({}, invalid)):
            answer = told.ask(**question)
            self.assertEqual(answer.WhichOneof("message_response"), "error_response", question)
            self.assertEqual(answer.error_response.error_code, code, question)
            self.assertTrue(answer.error_response.error_message)
        answer = told.ask(all_extension_numbers_of_type="nflog.v1.Packet")
        self.assertEqual(answer.all_extension_numbers_response.base_type_name, "nflog.v1.Packet")
        self.assertEqual(list(answer.all_extension_numbers_response.extension_number), [])
        self.assertEqual(told.services(), SERVICES)
        self.assertEqual(told.close(), [])

    def test_strangers_get_health_and_reflection_and_nothing_else(self):
        self.serve()
        channel = self.stranger()
        self.assertEqual(known.check(channel), STATE.SERVING)
        self.assertEqual(known.check(channel, SERVICE), STATE.SERVING)
        with self.assertRaises(grpc.RpcError) as caught:
            known.check(channel, "nflog.v1.NflogServic")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
        for method in ("Subscribe", "ListNetns", "ListSources", "GetStats", "GetServerInfo", "None"):
            call = channel.unary_unary(f"/{SERVICE}/{method}")
            with self.assertRaises(grpc.RpcError) as caught:
                call(b"")
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED, method)

    def details(self, call):
        """(code, ErrorInfo, BadRequest or None) of a call that fails."""
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        error = caught.exception
        trailers = dict(error.trailing_metadata())
        status = known.status.Status.FromString(trailers["grpc-status-details-bin"])
        self.assertEqual((status.code, status.message), (error.code().value[0], error.details()))
        info, bad = known.errors.ErrorInfo(), known.errors.BadRequest()
        self.assertTrue(status.details[0].Unpack(info))
        self.assertEqual(info.domain, "nflogd")
        has_field = len(status.details) > 1 and status.details[1].Unpack(bad)
        return error.code(), info, bad if has_field else None

    def test_errors_tell_programs_why(self):
        self.serve()
        stub = harness.rpc.NflogServiceStub(self.open())

        def subscribe(**request):
            return lambda: list(stub.Subscribe(harness.pb.SubscribeRequest(**request)))
        code, info, bad = self.details(subscribe(start={"last": 0}))
        self.assertEqual((code, info.reason), (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"))
        self.assertEqual([(v.field, v.description) for v in bad.field_violations],
                         [("start.last", "expected 1 or more")])
        _, info, bad = self.details(lambda: stub.ListSources(harness.pb.ListSourcesRequest(page_size=-1)))
        self.assertEqual(bad.field_violations[0].field, "page_size")
        # One answer whether or not it exists.
        denied = [self.details(subscribe(netns=[name])) for name in ("host", "nobody")]
        self.assertEqual(denied[0], denied[1])
        self.assertEqual((denied[0][1].reason, denied[0][2]), ("NO_GRANT", None))
        stranger = self.stranger().unary_unary(f"/{SERVICE}/GetStats")
        code, info, _ = self.details(lambda: stranger(b""))
        self.assertEqual((code, info.reason), (grpc.StatusCode.UNAUTHENTICATED, "NO_TENANT"))

    def test_watch_is_told_of_the_end_before_streams_end(self):
        self.serve()
        states = known.watch(self.stranger(), SERVICE)
        self.assertEqual(next(states).status, STATE.SERVING)
        other = known.watch(self.stranger(), "nobody")
        self.assertEqual(next(other).status, STATE.SERVICE_UNKNOWN)
        self.serving.stop()
        self.assertEqual(next(states).status, STATE.NOT_SERVING)
        for call in (states, other):
            with self.assertRaises(grpc.RpcError) as caught:
                next(call)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_calls_without_credentials_are_counted_together(self):
        self.serve(anonymous_calls=3)
        held = [known.watch(self.stranger()) for _ in range(2)]
        for call in held:
            self.assertEqual(next(call).status, STATE.SERVING)
        told = known.Reflection(self.stranger())
        self.assertEqual(told.services(), SERVICES)
        late = self.stranger()
        for call in (lambda: known.check(late), lambda: next(known.watch(late)),
                     lambda: known.Reflection(late).services()):
            with self.assertRaises(grpc.RpcError) as caught:
                call()
            self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.subscribe(self.serving)  # a tenant is not concerned
        held[0].cancel()

        def is_served():
            try:
                return known.check(late) == STATE.SERVING
            except grpc.RpcError:
                return False
        harness.wait_until("the place of the one that has left", is_served)


if __name__ == "__main__":
    harness.main()
