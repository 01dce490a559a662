"""A rendered pod without a cluster: its volumes as files in a folder, its variables, and its program."""

import datetime
import json
import pathlib
import signal
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.programs import free_ports

HEALTH_PROTO = """syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
enum Status { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; }
message HealthCheckResponse { Status status = 1; }
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
"""


def certificate():
    """A key and its self-signed certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gatepass")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("gatepass")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *form).decode(), signed.decode()


KEY, CERTIFICATE = certificate()
URL = "postgres://gatepass:a%20password@postgres.example.com:5432/gatepass"
# The objects that exist before the installation of the chart; the value sets name them.
EXISTING = {
    "gatepass-database": {"url": URL},
    "gatepass-database-app": {
        "uri": URL + "?sslmode=verify-full&sslrootcert=/etc/gatepass/database/ca.crt",
    },
    "gatepass-database-ca": {"ca.crt": CERTIFICATE},
    "gatepass-secrets": {"secret": "s" * 44, "2026-11": "b" * 44, "2026-05": "a" * 44},
    "gatepass-tls": {"tls.crt": CERTIFICATE, "tls.key": KEY, "ca.crt": CERTIFICATE},
    "2026": {"database": URL, "a": "a" * 44, "b": "b" * 44, "client": "c" * 20},
    "sign-in-signing": {"es256.pem": KEY},
    "4711": {
        "1": json.dumps({
            "issuer": "https://auth.example.com",
            "server": {"plaintext": True},
            "tokens": {"signing_keys": ["/etc/gatepass/signing/es256.pem"]},
            "callers": [{"id": "web", "allow": ["session.read"], "credential": {"key_sha256": "ab" * 32}}],
        })
    },
}


class Pod:
    """The only container of a rendered Deployment, in `folder`. The URL is that of its database, unless it uses SQLite."""

    def __init__(self, documents, folder, database=URL):
        self.folder = pathlib.Path(folder)
        self.objects = EXISTING | {"gatepass-database": {"url": database}}
        for document in documents:
            if document["kind"] == "ConfigMap":
                self.objects[document["metadata"]["name"]] = document["data"]
        (deployment,) = (document for document in documents if document["kind"] == "Deployment")
        self.spec = deployment["spec"]["template"]["spec"]
        (self.container,) = self.spec["containers"]
        self.mounts = {mount["name"]: mount["mountPath"] for mount in self.container["volumeMounts"]}
        for volume in self.spec["volumes"]:
            self.mount(volume)

    def mount(self, volume):
        """Writes the files of a volume. Raises KeyError for an unknown name or key."""
        at = self.folder / self.mounts[volume["name"]].lstrip("/")
        at.mkdir(parents=True)
        sources = volume.get("projected", {}).get("sources", [volume])
        for source in sources:
            what = source.get("secret") or source.get("configMap")
            if what is None:
                continue
            entries = self.objects[what.get("secretName") or what["name"]]
            for item in what.get("items") or [{"key": key, "path": key} for key in entries]:
                (at / item["path"]).write_text(self.here(entries[item["key"]]), encoding="utf-8")

    def here(self, text):
        """Replaces paths of the pod by paths in the folder."""
        for path in self.mounts.values():
            text = text.replace(path + "/", f"{self.folder}{path}/")
        return text

    def variables(self):
        """The whole environment of the container."""
        variables = {}
        for variable in self.container["env"]:
            source = variable.get("valueFrom", {}).get("secretKeyRef")
            value = self.objects[source["name"]][source["key"]] if source else variable["value"]
            variables[variable["name"]] = self.here(value)
        return variables

    def check(self, program):
        """The error of `gatepass config check` for the pod's configuration, or None."""
        command = [program, "config", "check"]
        run = subprocess.run(
            command, cwd=self.folder, env=self.variables(), capture_output=True, text=True, timeout=20
        )
        return None if run.returncode == 0 else f"config check: exit code {run.returncode}: {run.stderr.strip()}"

    def start(self, program):
        """Runs the container on free ports."""
        variables, self.ports = self.variables(), {}
        for name in ("GRPC", "HTTP", "ADMIN"):
            setting = f"GATEPASS_SERVER__{name}_ADDR"
            host, _, port = variables[setting].rpartition(":")
            self.ports[int(port)], = free_ports(1)
            variables[setting] = f"{host}:{self.ports[int(port)]}"
        command = [program, *self.container["args"]]
        with (self.folder / "log").open("w", encoding="utf-8") as stderr:
            self.process = subprocess.Popen(command, cwd=self.folder, env=variables, stderr=stderr)

    def probes(self):
        """Waits until each probe passes; returns the faults of those that do not."""
        probes = (self.container[f"{name}Probe"]["grpc"] for name in ("startup", "liveness", "readiness"))
        return [self.told(fault) for probe in probes if (fault := self.probe(probe))]

    def end(self):
        """Ends the container as the kubelet does; returns the faults."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(self.spec["terminationGracePeriodSeconds"])
        return [self.told(f"SIGTERM: exit code {code}")] if code else []

    def told(self, fault):
        """The fault together with the container's log."""
        return f"{fault}\n{(self.folder / 'log').read_text(encoding='utf-8')}"

    def http_port(self):
        """The port that publishes the keys."""
        (port,) = (port["containerPort"] for port in self.container["ports"] if port["name"] == "http")
        return self.ports[port]

    def probe(self, probe):
        """Polls the health service for at most 20 s; returns None if it serves, else its last response."""
        (self.folder / "health.proto").write_text(HEALTH_PROTO, encoding="utf-8")
        command = ["grpcurl", "-plaintext", "-max-time", "2", "-proto", "health.proto"]
        command += ["-d", json.dumps({"service": probe["service"]})]
        command += [f"127.0.0.1:{self.ports[probe['port']]}", "grpc.health.v1.Health/Check"]
        deadline = time.monotonic() + 20
        while True:
            run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=10)
            if run.returncode == 0 and json.loads(run.stdout) == {"status": "SERVING"}:
                return None
            if time.monotonic() > deadline:
                return f"probe {probe}: {run.stdout}{run.stderr}"
            time.sleep(0.05)
