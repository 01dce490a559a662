"""A Gatepass and a callback service beside it, and a client that asks both."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import grpc
import grpc_tools
from google.protobuf import json_format
from grpc_tools import protoc

TOKEN = "a-secret-of-a-test"
ORIGIN = "http://localhost:3000"


def generate_stubs(root, folder):
    """Makes the modules of gatepass.v1 and gatepass.callback.v1 importable."""
    proto = pathlib.Path(root) / "proto"
    sources = [str(path) for path in sorted(proto.rglob("*.proto"))]
    wellknown = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = [f"-I{proto}", f"-I{wellknown}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    assert protoc.main(["protoc", *arguments, *sources]) == 0
    sys.path.insert(0, str(folder))


class Refused(Exception):
    """An error that a call ended with."""

    def __init__(self, error):
        self.code, self.details = error.code().name, error.details()
        self.reason = dict(error.trailing_metadata() or ()).get("gatepass-reason", "")
        super().__init__(f"{self.code} {self.reason}: {self.details}")


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


class World:
    def __init__(self, program, language, folder):
        from gatepass.callback.v1 import callback_pb2, callback_pb2_grpc
        from gatepass.v1 import admin_pb2, admin_pb2_grpc, auth_pb2, auth_pb2_grpc

        self.program, self.language, self.folder = program, language, pathlib.Path(folder)
        grpc_port, http, admin, service = free_ports(4)
        self.addresses = {"GRPC": grpc_port, "HTTP": http, "ADMIN": admin}
        self.service = f"127.0.0.1:{service}"
        self.processes = {}
        self.gatepass = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
        self.auth = (auth_pb2, auth_pb2_grpc.AuthServiceStub(self.gatepass))
        self.admin = (admin_pb2, admin_pb2_grpc.AdminServiceStub(self.gatepass))
        self.callbacks = (callback_pb2, callback_pb2_grpc.CallbackServiceStub)

    def start(self, name, command, folder, variables):
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        self.processes[name] = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    def until(self, name, ready):
        """Waits until a program does what is asked, which it does not before it is ready."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.processes[name].poll() is None:
            with contextlib.suppress(OSError, grpc.FutureTimeoutError):
                return ready()
            time.sleep(0.05)
        raise AssertionError(f"{name} did not start")

    def start_gatepass(self):
        """A Gatepass with the configuration that the example's README shows."""
        config = self.folder / "gatepass.yaml"
        config.write_text(self.language.files["gatepass.yaml"], encoding="utf-8")
        variables = {f"GATEPASS_SERVER__{name}_ADDR": f"127.0.0.1:{port}" for name, port in self.addresses.items()}
        variables |= {
            "GATEPASS_CALLBACKS__REMOTE__URL": f"http://{self.service}",
            "GATEPASS_CALLBACKS__REMOTE__TIMEOUT": "4s",  # A busy machine is no failure.
            "CALLBACK_TOKEN": TOKEN,
        }
        self.start("gatepass", [self.program, "--config", str(config)], self.folder, variables)
        url = f"http://127.0.0.1:{self.addresses['ADMIN']}/readyz"
        self.until("gatepass", lambda: urllib.request.urlopen(url, timeout=5).close())

    def start_service(self):
        command = [*self.language.command, self.service]
        self.start("service", command, self.language.folder, {"CALLBACK_TOKEN": TOKEN})
        with grpc.insecure_channel(self.service) as channel:
            self.until("service", lambda: grpc.channel_ready_future(channel).result(timeout=5))

    def start_service_without_secret(self):
        """What it answers to be started with none: its exit code, and what it says."""
        command = [*self.language.command, self.service]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        done = subprocess.run(
            command, cwd=self.language.folder, env=environment, capture_output=True, text=True, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

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

    def logs(self):
        return "".join(f"--- {path.name}\n{path.read_text(encoding='utf-8')[-4000:]}" for path in self.folder.glob("*.log"))
