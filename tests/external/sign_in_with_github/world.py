"""The programs: Gatepass, an OpenID provider, the application over http and over https; and ways to look into them from outside."""

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import re
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def end_tls(port, plain_port, certificate, key):
    """Ends TLS before a program, as a proxy in production does, for as long as this process lives."""

    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader, writer):
        try:
            plain_reader, plain_writer = await asyncio.open_connection("127.0.0.1", plain_port)
        except OSError:
            return writer.close()
        await asyncio.gather(copy(reader, plain_writer), copy(plain_reader, writer))

    async def serve():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        async with await asyncio.start_server(connect, "127.0.0.1", port, ssl=context) as server:
            listening.set()
            await server.serve_forever()

    listening = threading.Event()
    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    assert listening.wait(30)


class World:
    def __init__(self, root, program, folder):
        self.root, self.program, self.folder = pathlib.Path(root), program, pathlib.Path(folder)
        self.example = self.root / ".external/sign-in-with-github/examples/sign-in-with-github"
        self.grpc, self.http, self.admin, self.idp, self.plain, self.tls, self.behind = free_ports(7)
        self.origins = [f"http://localhost:{self.plain}", f"https://localhost:{self.tls}"]
        self.provider = f"http://127.0.0.1:{self.idp}"
        self.processes = {}
        # What must never be in a log: cookies, codes, states, as they come by.
        self.secrets = set()

    def run(self, name, command, variables, ready, folder=None):
        """Starts a program and waits until it answers there."""
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        process = subprocess.Popen(command, cwd=folder or self.folder, env=environment, stdout=log, stderr=log)
        self.processes[name] = process
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(ready, timeout=5).close()
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} did not start:\n" + self.log(name))

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def start_gatepass(self, **settings):
        """A Gatepass with the example's configuration, but for its addresses, and for who `github` is."""
        github = f"{{id: github, preset: keycloak, issuer: '{self.provider}', client_id: gatepass, client_secret: {{env: IDP_SECRET}}}}"
        variables = {
            "GATEPASS_SERVER__GRPC_ADDR": f"127.0.0.1:{self.grpc}",
            "GATEPASS_SERVER__HTTP_ADDR": f"127.0.0.1:{self.http}",
            "GATEPASS_SERVER__ADMIN_ADDR": f"127.0.0.1:{self.admin}",
            "GATEPASS_BASE_URLS": ",".join(self.origins),
            "GATEPASS_PROVIDERS": f"[{github}]",
            "GATEPASS_AUTH_LOG__EXCLUDE": "[]",
            "IDP_SECRET": "a-secret-for-trials",
            **settings,
        }
        command = [self.program, "--config", str(self.example / "gatepass.yaml")]
        self.run("gatepass", command, variables, f"http://127.0.0.1:{self.admin}/readyz")

    def check_configuration(self):
        """Asks Gatepass whether the example's configuration is sound as it is."""
        command = [self.program, "--config", str(self.example / "gatepass.yaml"), "config", "check"]
        environment = {"GITHUB_CLIENT_SECRET": "a-secret-for-trials"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=30)

    def start_idp(self):
        command = ["node", str(self.root / ".external/idp/idp.mjs"), str(self.idp)]
        command += [origin + "/auth/callback/github" for origin in self.origins]
        self.run("idp", command, {}, f"{self.provider}/.well-known/openid-configuration")

    def start_apps(self):
        """The application twice: as it is in the README, and as it is behind a proxy that ends TLS."""
        for name, port, origin in [("app", self.plain, self.origins[0]), ("app-https", self.behind, self.origins[1])]:
            command = [str(self.example / ".venv/bin/waitress-serve"), f"--listen=127.0.0.1:{port}", "app:app"]
            variables = {"ORIGIN": origin, "GATEPASS_TARGET": f"127.0.0.1:{self.grpc}"}
            self.run(name, command, variables, f"http://127.0.0.1:{port}/", self.example)
        certificate, key = self.folder / "localhost.crt", self.folder / "localhost.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        end_tls(self.tls, self.behind, certificate, key)

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(timeout=30)

    def call(self, method, message):
        """Calls Gatepass as another backend would; answers the message, or the reason of the error."""
        address = f"127.0.0.1:{self.grpc}"
        command = ["grpcurl", "-plaintext", "-d", json.dumps(message), address, f"gatepass.v1.{method}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode == 0:
            return json.loads(done.stdout)
        # grpcurl does not know ErrorInfo: the first field of the raw message is its reason.
        info = base64.b64decode(re.search(r'"@value": *"([^"]+)"', done.stderr)[1])
        return info[2:2 + info[1]].decode()

    def user(self, email):
        found = self.call("AdminService/GetUser", {"email": email})
        return None if found == "USER_NOT_FOUND" else found["user"]

    def change(self, user, mask, **fields):
        message = {"user": {"id": user["id"], **fields}, "update_mask": {"paths": mask.split(",")}}
        return self.call("AdminService/UpdateUser", message)["user"]

    def rows(self, sql, *arguments):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/gatepass.db?mode=ro", uri=True)) as database:
            return database.execute(sql, arguments).fetchall()
