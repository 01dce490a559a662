"""A Gatepass, a callback service, and a client that calls both."""

import contextlib
import subprocess

import grpc
from google.protobuf import json_format

from support.programs import Programs, free_ports

TOKEN = "a-secret-of-a-test"
ORIGIN = "http://localhost:3000"


class Refused(Exception):
    """The error of a failed call."""

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
        """Starts Gatepass with the configuration from the example's README."""
        config = self.folder / "gatepass.yaml"
        config.write_text(self.language.files["gatepass.yaml"], encoding="utf-8")
        variables = {
            "GATEPASS_CALLBACKS__REMOTE__URL": f"http://{self.service}",
            "GATEPASS_CALLBACKS__REMOTE__TIMEOUT": "4s",  # A busy machine must not cause failures.
            "CALLBACK_TOKEN": TOKEN,
        }
        self.run_gatepass(config, variables)

    def start_service(self):
        self.run_service("service", self.service)

    def start_service_on_ipv6(self):
        """Starts a second service, which Gatepass does not call."""
        self.run_service("service-on-ipv6", f"[::1]:{free_ports(1)[0]}")

    def run_service(self, name, address):
        command = [*self.language.command, address]
        self.run(name, command, {"CALLBACK_TOKEN": TOKEN}, lambda: self.is_reachable(address), self.language.folder)

    def is_reachable(self, address):
        """True if a service at this address accepts calls."""
        with grpc.insecure_channel(address) as channel, contextlib.suppress(grpc.FutureTimeoutError):
            grpc.channel_ready_future(channel).result(timeout=5)
            return True

    def start_service_without_secret(self):
        """Starts the service without a secret; returns its exit code and output."""
        command = [*self.language.command, self.service]
        done = subprocess.run(
            command, cwd=self.language.folder, env=self.environment({}), capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def call(self, method, message):
        """Calls Gatepass; returns a dictionary."""
        module, stub = self.admin if method == "UpdateUser" else self.auth
        request = json_format.ParseDict(message, getattr(module, f"{method}Request")())
        try:
            answer = getattr(stub, method)(request, timeout=30)
        except grpc.RpcError as error:
            raise Refused(error) from None
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def ask_service(self, authorization=None):
        """Calls Redirect of the service itself; returns the URL."""
        pb, stub = self.callbacks
        metadata = [("authorization", authorization)] if authorization else []
        with grpc.insecure_channel(self.service) as channel:
            request = pb.RedirectRequest(url=f"{ORIGIN}/orders", base_url=ORIGIN)
            try:
                return stub(channel).Redirect(request, timeout=30, metadata=metadata).url
            except grpc.RpcError as error:
                raise Refused(error) from None

    def health(self):
        """The encoded response of the health service for an empty name."""
        with grpc.insecure_channel(self.service) as channel:
            return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=30)
