# SPDX-License-Identifier: MIT
"""Services that every gRPC client knows: health, and clients made of nothing but reflection.

Their messages are loaded by path: a folder grpc/ on Python's path would hide grpc itself.
"""
import importlib.util
import os
import queue

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from harness import BUILD, PATIENCE_S


def load(name):
    """The Python messages of a .proto file: "google/rpc/status"."""
    path = os.path.join(BUILD, "python", "known", name + "_pb2.py")
    spec = importlib.util.spec_from_file_location(name.replace("/", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


health = load("grpc/health/v1/health")
reflection = load("grpc/reflection/v1/reflection")
status = load("google/rpc/status")
errors = load("google/rpc/error_details")


def check(channel, service=""):
    call = channel.unary_unary("/grpc.health.v1.Health/Check",
                               health.HealthCheckRequest.SerializeToString,
                               health.HealthCheckResponse.FromString)
    return call(health.HealthCheckRequest(service=service), timeout=PATIENCE_S).status


def watch(channel, service=""):
    call = channel.unary_stream("/grpc.health.v1.Health/Watch",
                                health.HealthCheckRequest.SerializeToString,
                                health.HealthCheckResponse.FromString)
    return call(health.HealthCheckRequest(service=service), timeout=PATIENCE_S)


class Reflection:
    """A stream of questions about a server, and what was learned of its messages."""

    def __init__(self, channel, version="v1"):
        self.channel = channel
        self.pool = descriptor_pool.DescriptorPool()
        self._known = set()
        self._questions = queue.Queue()
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection.ServerReflectionRequest.SerializeToString,
            reflection.ServerReflectionResponse.FromString)
        self.answers = call(iter(self._questions.get, None), timeout=PATIENCE_S)

    def ask(self, **question):
        request = reflection.ServerReflectionRequest(host="here", **question)
        self._questions.put(request)
        answer = next(self.answers)
        assert answer.original_request == request and answer.valid_host == "here"
        return answer

    def close(self):
        """No more questions; the server must end the stream with OK."""
        self._questions.put(None)
        return list(self.answers)

    def services(self):
        return [s.name for s in self.ask(list_services="").list_services_response.service]

    def _learn(self, encoded):
        """Puts files into the pool, imports first."""
        files = {}
        for one in encoded:
            file = descriptor_pb2.FileDescriptorProto.FromString(one)
            files[file.name] = file

        def add(name):
            if name in self._known:
                return
            for imported in files[name].dependency:
                add(imported)
            self.pool.Add(files[name])
            self._known.add(name)
        for name in files:
            add(name)

    def service(self, name):
        answer = self.ask(file_containing_symbol=name)
        self._learn(answer.file_descriptor_response.file_descriptor_proto)
        return self.pool.FindServiceByName(name)

    def call(self, service, method):
        """(message class of the request, callable) of a method, from what the server told of it."""
        found = self.service(service).methods_by_name[method]
        factory = message_factory.MessageFactory(self.pool)
        request = factory.GetPrototype(found.input_type)
        response = factory.GetPrototype(found.output_type)
        described = descriptor_pb2.MethodDescriptorProto()
        found.CopyToProto(described)
        make = self.channel.unary_stream if described.server_streaming else self.channel.unary_unary
        return request, make(f"/{service}/{method}", request.SerializeToString, response.FromString)
