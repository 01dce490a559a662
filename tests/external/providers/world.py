"""The programs (replicas of Gatepass on one database, OpenID providers) and access to their state."""

import contextlib
import json
import pathlib
import re
import signal
import socket
import string
import subprocess
import uuid

from providers.client import CALLBACK, Client
from providers.secrets_seen import Secrets
from support.programs import Programs, free_ports, get

# The client secrets in idp.mjs.
SECRET = "a-secret-for-trials"
ODD_SECRET = "a secret: 100% + for/trials & \"tests\" = ~'"

ISSUERS = ["alpha", "beta", "gamma"]
# The name of this machine, which its resolver knows.
HOST = socket.gethostname()


class World(Programs):
    def __init__(self, root, program):
        super().__init__(root, program)
        self.issuer_ports = dict(zip([*ISSUERS, "delta"], free_ports(len(ISSUERS) + 1)))
        self.seen = Secrets()
        self.people = 0
        self.write_configuration()

    def write_configuration(self):
        key, public = self.folder / "key.pem", self.folder / "public.pem"
        curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", *curve, "-out", key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
        self.make_certificate("delta", HOST)
        (self.folder / "secret").write_text(SECRET, encoding="utf-8")
        names = {name.upper(): self.issuer(name) for name in ISSUERS}
        names |= {"DELTA": self.remote_issuer(), "FOLDER": self.folder, "MISNAMED": f"http://localhost:{self.issuer_ports['alpha']}"}
        template = (pathlib.Path(__file__).parent / "gatepass.yaml").read_text(encoding="utf-8")
        text = string.Template(template).substitute(names)
        (self.folder / "gatepass.yaml").write_text(text, encoding="utf-8")
        self.seen.add(SECRET, ODD_SECRET, *key.read_text(encoding="utf-8").splitlines()[1:-1])

    def make_certificate(self, name, host):
        pems = ["-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem"]
        subject = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-addext", "basicConstraints=CA:FALSE"]
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        subprocess.run(["openssl", "req", "-x509", *key, *subject, *pems], check=True, capture_output=True)

    def issuer(self, name):
        return f"http://127.0.0.1:{self.issuer_ports[name]}"

    def remote_issuer(self):
        return f"https://{HOST}:{self.issuer_ports['delta']}"

    def start_idp(self, name):
        variables = {"CLIENT_KEY": str(self.folder / "public.pem"), "RECORD": str(self.folder / f"{name}.record")}
        variables["JWKS_DOWN"] = str(self.folder / f"{name}.jwks-down")
        if name == "gamma":
            variables["EMAIL_IN"] = "userinfo"
        self.run_idp(name, self.issuer_ports[name], [CALLBACK], **variables)

    def start_gatepass(self, name, **settings):
        """Starts a replica with the most detailed log level; returns its client."""
        grpc, _, admin = ports = free_ports(3)
        variables = {
            "GATEPASS_DATABASE__URL": f"sqlite://{self.folder}/gatepass.db?mode=rwc",
            # A busy machine must not cause failures.
            "GATEPASS_DATABASE__ACQUIRE_TIMEOUT": "20s",
            "GATEPASS_SECRETS": "the one secret of all these replicas",
            "GATEPASS_ISSUER": "http://localhost:3001",
            "GATEPASS_TELEMETRY__LOG_LEVEL": "trace",
            "SECRET": SECRET,
            "ODD_SECRET": ODD_SECRET,
            **settings,
        }
        self.run_gatepass(self.folder / "gatepass.yaml", variables, name, ports)
        return Client(self, f"127.0.0.1:{grpc}", f"http://127.0.0.1:{admin}")

    def kill(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait(timeout=30)

    def tell(self, name, number):
        self.processes[name].send_signal(number)

    @contextlib.contextmanager
    def hanging(self, name):
        """Stops a provider's process: it accepts connections and does not respond."""
        self.tell(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self.tell(name, signal.SIGCONT)

    def keys(self, name):
        """The ids of the keys that a provider publishes."""
        return [key["kid"] for key in json.loads(get(f"{self.issuer(name)}/jwks"))["keys"]]

    def record(self, name):
        """The requests to a provider's token endpoint, and its responses."""
        path = self.folder / f"{name}.record"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def somebody(self, name="person"):
        """The name of a new person."""
        self.people += 1
        return f"{name}-{self.people}"

    def counts(self):
        """The numbers of users, accounts and sessions."""
        return [self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ["users", "accounts", "sessions"]]

    def logged(self, request_id):
        """The rows of a request in the auth log, oldest first."""
        sql = "SELECT action, outcome, reason, provider, email FROM auth_logs WHERE request_id = ? ORDER BY rowid"
        return self.rows(sql, request_id)

    def providers_of(self, user):
        """The providers of a user's accounts."""
        sql = "SELECT provider FROM accounts WHERE user_id = ? ORDER BY provider"
        return [provider for provider, in self.rows(sql, uuid.UUID(user["id"]).bytes)]

    def all_text(self):
        """The content of all tables as one text: blobs as hexadecimal digits and as Latin-1."""
        tables = [name for name, in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        values = [value for name in tables for row in self.rows(f'SELECT * FROM "{name}"') for value in row]
        return "\n".join(
            f"{value.hex()} {value.decode('latin-1')}" if isinstance(value, bytes) else str(value) for value in values
        )


def decoded(log):
    """The lines of a JSON log."""
    return [json.loads(line) for line in log.splitlines() if re.match(r"\{", line)]
