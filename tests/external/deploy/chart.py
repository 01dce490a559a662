"""Lints, renders, validates and runs the chart `helm/gatepass` offline (see chart.sh). Exit code 1 on any finding."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import uuid

import yaml

from deploy import engine
from deploy.pod import Pod
from deploy.refusals import IMPOSSIBLE, MISTYPED, laid_over
from deploy.standards import faults
from support.programs import get

# The oldest version that the chart supports, one in between, and the newest one with schemas.
KUBERNETES = ("v1.30.0", "v1.33.0", "v1.37.0")
SQLITE, TLS, EVERYTHING, README = "sqlite", "tls", "everything", "README.md"


def rendered(chart, name, values, program):
    """The faults of the objects that a value set renders to."""
    for kube in KUBERNETES:
        yield from engine.lint(chart, values, kube)
        documents = engine.objects(engine.render(chart, values, kube))
        yield from (f"Kubernetes {kube}: {fault}" for fault in faults(documents, kube))
    yield from promised(name, documents)
    with tempfile.TemporaryDirectory() as folder:
        pod = Pod(documents, folder)
        fault = pod.check(program)
        yield from [fault] if fault else served([pod], program) if name == SQLITE else []


def served(pods, program):
    """The faults of pods that start in parallel, pass their probes, and end."""
    try:
        for pod in pods:
            pod.start(program)
        unready = [fault for pod in pods for fault in pod.probes()]
        yield from unready
        keys = [] if unready else [get(f"http://127.0.0.1:{pod.http_port()}/.well-known/jwks.json") for pod in pods]
        if len(set(keys)) > 1:
            yield f"the pods have different keys: {keys}"
        for pod in pods:
            yield from pod.end()
    finally:
        for pod in pods:
            pod.process.kill()


def replicas(chart, values, program, server):
    """The faults of all replicas in parallel, on one empty database of this PostgreSQL server."""
    documents = engine.objects(engine.render(chart, values, KUBERNETES[-1]))
    (deployment,) = (document for document in documents if document["kind"] == "Deployment")
    database = f"chart_{uuid.uuid4().hex}"
    url = urllib.parse.urlsplit(server)._replace(path=f"/{database}").geturl()
    with tempfile.TemporaryDirectory() as folder:
        execute(server, f"CREATE DATABASE {database}")
        try:
            pods = [Pod(documents, f"{folder}/{number}", url) for number in range(deployment["spec"]["replicas"])]
            yield from served(pods, program)
        finally:
            execute(server, f"DROP DATABASE {database} WITH (FORCE)")


def execute(server, sql):
    """Runs a statement on a PostgreSQL server."""
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", server, "-c", sql], check=True, timeout=60)


def promised(name, documents):
    """The promises of the chart that a value set breaks."""
    objects = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    kinds = {kind for kind, _ in objects}
    full = "sign-in" if name == EVERYTHING else "gatepass"
    spec = objects["Deployment", full]["spec"]
    pod = spec["template"]
    services = {service: item["spec"] for (kind, service), item in objects.items() if kind == "Service"}
    grpc = [port for service in (full, f"{full}-headless") for port in services[service]["ports"]]
    sqlite = name == SQLITE
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    kept = {
        "replicas": spec["replicas"] == {SQLITE: 1, EVERYTHING: 3}.get(name, 2),
        "a strategy that loses no call, or no file": spec["strategy"] == ({"type": "Recreate"} if sqlite else rolling),
        "a PodDisruptionBudget for several": ("PodDisruptionBudget" in kinds) != sqlite,
        "spread of several": ("topologySpreadConstraints" in pod["spec"]) != sqlite,
        "a volume claim for SQLite": ("PersistentVolumeClaim" in kinds) == sqlite,
        "a ConfigMap, unless there is one": ("ConfigMap" in kinds) == (name != EVERYTHING),
        "three Services": set(services) == {full, f"{full}-headless", f"{full}-http"},
        "a headless Service": services[f"{full}-headless"].get("clusterIP") == "None",
        "appProtocol": {port["appProtocol"] for port in grpc} == {"https" if name == TLS else "kubernetes.io/h2c"},
        "Services of these pods": all(
            service["selector"].items() <= pod["metadata"]["labels"].items() for service in services.values()
        ),
    }
    yield from (f"{promise}: not kept" for promise, holds in kept.items() if not holds)


def refused(chart, base, values, message):
    """The faults in the rejection of values."""
    try:
        engine.render(chart, laid_over(base, values), KUBERNETES[-1])
    except engine.Refused as error:
        if message not in str(error):
            yield f"the error does not contain: {message}\n{error}"
    else:
        yield "accepted"


def pods_replaced(chart, base, values):
    """A fault if changed values leave the pods unchanged."""
    pods = []
    for these in (base, laid_over(base, values)):
        documents = engine.objects(engine.render(chart, these, KUBERNETES[-1]))
        pods += [document["spec"]["template"] for document in documents if document["kind"] == "Deployment"]
    if pods[0] == pods[1]:
        yield "the pods are unchanged"


def documented(chart, root):
    """Values without a comment or a schema, references outside the schema, and different versions."""
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    for block in text.split("\n\n"):
        lines = block.splitlines()
        for above, line in zip(lines, lines[1:]):
            # Settings that Kubernetes defines have one comment for the block.
            leaf = re.match(r" *\w+: \S", line) and not block.startswith("# Resources of one pod")
            if leaf and not above.lstrip().startswith("#"):
                yield f"values.yaml: no comment above: {line.strip()}"
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    known = set(schema["properties"]) - {"global"}
    yield from (f"values.schema.json or values.yaml lacks {name}" for name in known ^ set(yaml.safe_load(text)))
    references = re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema))
    yield from (f"values.schema.json: {to} is not in it" for to in references if not to.startswith("#/definitions/"))
    about = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    version = re.search(r'^version = "(.*)"$', (root / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]
    if about["appVersion"] != version:
        yield f"Chart.yaml: appVersion {about['appVersion']}, not {version}"
    yield from engine.lint(chart, {}, KUBERNETES[-1])


def checks(root, program, server):
    """Name and findings of every check."""
    chart = root / "helm/gatepass"
    sets = engine.value_sets(root)
    yield "values and schema", documented(chart, root)
    for name, values in sets.items():
        yield f"values of {name}", rendered(chart, name, values, program)
    yield "replicas of README.md on PostgreSQL", replicas(chart, sets[README], program, server)
    for values, message in IMPOSSIBLE + MISTYPED:
        yield f"refused: {json.dumps(values)[:100]}", refused(chart, sets[README], values, message)
    for values in (
        {"config": {"issuer": "https://b.example.com"}},
        {"secrets": {"existingSecret": {"keys": ["b", "secret"]}}},
    ):
        yield f"pods replaced for: {json.dumps(values)}", pods_replaced(chart, sets[README], values)


def main():
    root, program, server = pathlib.Path(sys.argv[1]), sys.argv[2], os.environ["TEST_POSTGRES_URL"]
    ran = failed = 0
    for name, findings in checks(root, program, server):
        found = list(findings)
        ran, failed = ran + 1, failed + bool(found)
        print("FAILED" if found else "ok    ", name)
        for finding in found:
            print("       " + finding.replace("\n", "\n       "))
    print(f"chart: {ran - failed} of {ran} checks passed, on Kubernetes {', '.join(KUBERNETES)}")
    sys.exit(1 if failed else 0)


main()
