"""A Gatepass and a callback service beside it, and a client that asks both."""

import contextlib
import subprocess

import grpc
from google.protobuf import json_format

from support.programs import Programs, free_ports

TOKEN = "a-secret-of-a-test"
ORIGIN = "http://localhost:3000"


class Refused(Exception):
    """An error that a call ended with."""

    def __init__(self, error):
        self.code, self.details = error.code().name, error.details()
        self.reason = dict(error.trailing_metadata() or ()).get("gatepass-reason", "")
        super().__init__(f"{self.code} {self.reason}: {self.details}")


class World(Programs):
    def __init__(self, root, program, language):
        from gatepass.callback.v1 import callback_pb2, callback_pb2_grpc
        from gatepass.v1 import admin_pb2, admin_pb2_grpc, auth_pb2, auth_pb2_grpc

        super().__init__(root, program)
        self.language = language
        self.service = f"127.0.0.1:{free_ports(1)[0]}"
        self.gatepass = grpc.insecure_channel(self.address)
        self.auth = (auth_pb2, auth_pb2_grpc.AuthServiceStub(self.gatepass))
        self.admin = (admin_pb2, admin_pb2_grpc.AdminServiceStub(self.gatepass))
        self.callbacks = (callback_pb2, callback_pb2_grpc.CallbackServiceStub)

    def start_gatepass(self):
        """A Gatepass with the configuration that the example's README shows."""
        config = self.folder / "gatepass.yaml"
        config.write_text(self.language.files["gatepass.yaml"], encoding="utf-8")
        variables = {
            "GATEPASS_CALLBACKS__REMOTE__URL": f"http://{self.service}",
            "GATEPASS_CALLBACKS__REMOTE__TIMEOUT": "4s",  # A busy machine is no failure.
            "CALLBACK_TOKEN": TOKEN,
        }
        self.run_gatepass(config, variables)

    def start_service(self):
        self.run_service("service", self.service)

    def start_service_on_ipv6(self):
        """One more, that Gatepass does not ask."""
        self.run_service("service-on-ipv6", f"[::1]:{free_ports(1)[0]}")

    def run_service(self, name, address):
        command = [*self.language.command, address]
        self.run(name, command, {"CALLBACK_TOKEN": TOKEN}, lambda: self.is_reachable(address), self.language.folder)

    def is_reachable(self, address):
        """Whether a service there takes calls."""
        with grpc.insecure_channel(address) as channel, contextlib.suppress(grpc.FutureTimeoutError):
            grpc.channel_ready_future(channel).result(timeout=5)
            return True

    def start_service_without_secret(self):
        """What it answers to be started with none: its exit code, and what it says."""
        command = [*self.language.command, self.service]
        done = subprocess.run(
            command, cwd=self.language.folder, env=self.environment({}), capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def call(self, method, message):
        """Asks Gatepass; answers a dictionary."""
        module, stub = self.admin if method == "UpdateUser" else self.auth
        request = json_format.ParseDict(message, getattr(module, f"{method}Request")())
        try:
            answer = getattr(stub, method)(request, timeout=30)
        except grpc.RpcError as error:
            raise Refused(error) from None
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def ask_service(self, authorization=None):
        """Asks the service itself for a redirect; answers the URL."""
        pb, stub = self.callbacks
        metadata = [("authorization", authorization)] if authorization else []
        with grpc.insecure_channel(self.service) as channel:
            request = pb.RedirectRequest(url=f"{ORIGIN}/orders", base_url=ORIGIN)
            try:
                return stub(channel).Redirect(request, timeout=30, metadata=metadata).url
            except grpc.RpcError as error:
                raise Refused(error) from None

    def health(self):
        """The answer of the service's health service to an empty name, on the wire."""
        with grpc.insecure_channel(self.service) as channel:
            return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=30)
