"""The programs: replicas of Gatepass on one database, and OpenID providers; and ways to look into them from outside."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import string
import subprocess
import time
import urllib.request
import uuid

from client import CALLBACK, Client
from secrets_seen import Secrets

# What idp.mjs knows its clients by.
SECRET = "a-secret-for-trials"
ODD_SECRET = "a secret: 100% + for/trials & \"tests\" = ~'"

ISSUERS = ["alpha", "beta", "gamma"]
# Longer than anything takes that is not stuck.
PATIENCE = 90


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def until(what, is_so, process=None):
    """Waits until something is so; answers it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        with contextlib.suppress(OSError):
            if found := is_so():
                return found
        time.sleep(0.05)
    raise AssertionError(f"never so: {what}")


def get(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return answer.read().decode()


class World:
    def __init__(self, root, program, folder):
        self.root, self.program, self.folder = pathlib.Path(root), program, pathlib.Path(folder)
        self.ports = dict(zip(ISSUERS, free_ports(len(ISSUERS))))
        self.processes = {}
        self.seen = Secrets()
        self.people = 0
        self.write_configuration()

    def write_configuration(self):
        key, public = self.folder / "key.pem", self.folder / "public.pem"
        curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", *curve, "-out", key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
        (self.folder / "secret").write_text(SECRET, encoding="utf-8")
        names = {name.upper(): self.issuer(name) for name in ISSUERS}
        names |= {"FOLDER": self.folder, "MISNAMED": f"http://localhost:{self.ports['alpha']}"}
        template = (pathlib.Path(__file__).parent / "gatepass.yaml").read_text(encoding="utf-8")
        text = string.Template(template).substitute(names)
        (self.folder / "gatepass.yaml").write_text(text, encoding="utf-8")
        self.seen.add(SECRET, ODD_SECRET, *key.read_text(encoding="utf-8").splitlines()[1:-1])

    def issuer(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def run(self, name, command, variables, ready):
        """Starts a program and waits until it answers."""
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        self.processes[name] = process
        try:
            until(f"{name} answers", ready, process)
        except AssertionError:
            raise AssertionError(f"{name} did not start:\n{self.log(name)}") from None

    def start_idp(self, name):
        program = self.root / ".external/idp/idp.mjs"
        command = ["node", str(program), str(self.ports[name]), CALLBACK]
        variables = {"CLIENT_KEY": str(self.folder / "public.pem"), "RECORD": str(self.folder / f"{name}.record")}
        if name == "gamma":
            variables["EMAIL_IN"] = "userinfo"
        self.run(name, command, variables, lambda: get(f"{self.issuer(name)}/.well-known/openid-configuration"))

    def start_gatepass(self, name, **settings):
        """A replica, with the most talkative log there is; answers who asks it."""
        grpc, http, admin = free_ports(3)
        variables = {
            "GATEPASS_SERVER__GRPC_ADDR": f"127.0.0.1:{grpc}",
            "GATEPASS_SERVER__HTTP_ADDR": f"127.0.0.1:{http}",
            "GATEPASS_SERVER__ADMIN_ADDR": f"127.0.0.1:{admin}",
            "GATEPASS_DATABASE__URL": f"sqlite://{self.folder}/gatepass.db?mode=rwc",
            # A busy machine is no failure.
            "GATEPASS_DATABASE__ACQUIRE_TIMEOUT": "20s",
            "GATEPASS_SECRETS": "the one secret of all these replicas",
            "GATEPASS_ISSUER": "http://localhost:3001",
            "GATEPASS_TELEMETRY__LOG_LEVEL": "trace",
            "SECRET": SECRET,
            "ODD_SECRET": ODD_SECRET,
            **settings,
        }
        command = [self.program, "--config", str(self.folder / "gatepass.yaml")]
        self.run(name, command, variables, lambda: get(f"http://127.0.0.1:{admin}/readyz"))
        return Client(self, f"127.0.0.1:{grpc}", f"http://127.0.0.1:{admin}")

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(timeout=30)

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait(timeout=30)

    def tell(self, name, number):
        self.processes[name].send_signal(number)

    @contextlib.contextmanager
    def hanging(self, name):
        """A provider that takes connections, and answers nothing."""
        self.tell(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self.tell(name, signal.SIGCONT)

    def keys(self, name):
        """The names of the keys that a provider publishes."""
        return [key["kid"] for key in json.loads(get(f"{self.issuer(name)}/jwks"))["keys"]]

    def record(self, name):
        """What a provider's token endpoint was asked, and answered."""
        path = self.folder / f"{name}.record"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def somebody(self, name="person"):
        """Somebody who was never here."""
        self.people += 1
        return f"{name}-{self.people}"

    def rows(self, sql, *arguments):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/gatepass.db?mode=ro", uri=True)) as database:
            return database.execute(sql, arguments).fetchall()

    def counts(self):
        """How many users, accounts and sessions there are."""
        return [self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ["users", "accounts", "sessions"]]

    def logged(self, request_id):
        """What the auth log has of a request, oldest first."""
        sql = "SELECT action, outcome, reason, provider, email FROM auth_logs WHERE request_id = ? ORDER BY rowid"
        return self.rows(sql, request_id)

    def providers_of(self, user):
        """By which providers a user signs in."""
        sql = "SELECT provider FROM accounts WHERE user_id = ? ORDER BY provider"
        return [provider for provider, in self.rows(sql, uuid.UUID(user["id"]).bytes)]

    def all_text(self):
        """Everything that the tables hold, in one text: blobs as hexadecimal digits and as they are."""
        tables = [name for name, in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        values = [value for name in tables for row in self.rows(f'SELECT * FROM "{name}"') for value in row]
        return "\n".join(
            f"{value.hex()} {value.decode('latin-1')}" if isinstance(value, bytes) else str(value) for value in values
        )


def decoded(log):
    """A log of JSON, line by line."""
    return [json.loads(line) for line in log.splitlines() if re.match(r"\{", line)]
