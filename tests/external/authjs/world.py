"""The three programs: Gatepass, an OpenID provider, the application; and ways to look into them from outside."""

import contextlib
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

SECRET = "a secret of a test that is long enough"
COOKIE = "authjs.session-token"
DECODE = """
import { decode } from "@auth/core/jwt";
const [token, secret, salt] = process.argv.slice(1);
console.log(JSON.stringify(await decode({ token, secret, salt })));
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


class World:
    def __init__(self, root, program, folder):
        self.root, self.program, self.folder = pathlib.Path(root), program, pathlib.Path(folder)
        self.grpc, self.http, self.admin, self.idp, self.app = free_ports(5)
        self.origin = f"http://127.0.0.1:{self.app}"
        self.processes = {}

    def run(self, name, command, variables, ready):
        """Starts a program and waits until it answers there."""
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes[name] = process
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(ready, timeout=5).close()
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} did not start:\n" + (self.folder / f"{name}.log").read_text(encoding="utf-8"))

    def start_gatepass(self, **settings):
        """A Gatepass with the example's configuration, and these settings over it."""
        variables = {
            "GATEPASS_SERVER__GRPC_ADDR": f"127.0.0.1:{self.grpc}",
            "GATEPASS_SERVER__HTTP_ADDR": f"127.0.0.1:{self.http}",
            "GATEPASS_SERVER__ADMIN_ADDR": f"127.0.0.1:{self.admin}",
            "GATEPASS_BASE_URLS": self.origin,
            "GATEPASS_AUTH_LOG__EXCLUDE": "[]",
            **settings,
        }
        config = self.root / "examples/authjs/gatepass.yaml"
        command = [self.program, "--config", str(config)]
        self.run("gatepass", command, variables, f"http://127.0.0.1:{self.admin}/readyz")

    def start_idp(self):
        program = self.root / ".external/idp/idp.mjs"
        command = ["node", str(program), str(self.idp), f"{self.origin}/api/auth/callback/company"]
        self.run("idp", command, {}, f"http://127.0.0.1:{self.idp}/.well-known/openid-configuration")

    def start_app(self):
        variables = {
            "ORIGIN": self.origin,
            "PORT": str(self.app),
            "GATEPASS_TARGET": f"127.0.0.1:{self.grpc}",
            "AUTH_SECRET": SECRET,
            "AUTH_COMPANY_ISSUER": f"http://127.0.0.1:{self.idp}",
            "AUTH_COMPANY_ID": "authjs",
            "AUTH_COMPANY_SECRET": "a-secret-for-trials",
        }
        self.run("app", ["node", str(self.root / ".external/authjs/server.mjs")], variables, self.origin)

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(timeout=30)

    def admin_call(self, method, message):
        """Calls AdminService; None where there is no such user."""
        address = f"127.0.0.1:{self.grpc}"
        command = ["grpcurl", "-plaintext", "-d", json.dumps(message), address, f"gatepass.v1.AdminService/{method}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if "NotFound" in done.stderr:
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def user(self, email):
        found = self.admin_call("GetUser", {"email": email})
        return found and found["user"]

    def change(self, user, mask, **fields):
        message = {"user": {"id": user["id"], **fields}, "update_mask": {"paths": mask.split(",")}}
        return self.admin_call("UpdateUser", message)["user"]

    def rows(self, sql, *arguments):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/gatepass.db?mode=ro", uri=True)) as database:
            return database.execute(sql, arguments).fetchall()

    def logged(self, email):
        """The auth log of an e-mail address, oldest first."""
        sql = "SELECT action, outcome, reason, provider FROM auth_logs WHERE email = ? ORDER BY rowid"
        return [tuple(row) for row in self.rows(sql, email)]

    def decode(self, cookie):
        """What Auth.js keeps in a session cookie."""
        command = ["node", "--input-type=module", "-e", DECODE, cookie, SECRET, COOKIE]
        done = subprocess.run(command, cwd=self.root / ".external/authjs", capture_output=True, text=True, check=True)
        return json.loads(done.stdout)
