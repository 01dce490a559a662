"""Lints the Dockerfile, and builds and runs its last stage with a given program (see image.sh). Exit code 1 on any
finding."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from support.programs import free_ports

USER = 65532
CONFIGURATION = {
    "User": f"{USER}:{USER}",
    "WorkingDir": "/var/lib/gatepass",
    "Entrypoint": ["/gatepass"],
    "ExposedPorts": {"50051/tcp": {}, "8080/tcp": {}, "8081/tcp": {}},
}
FILES = {"gatepass": 0, "var": USER, "var/lib": USER, "var/lib/gatepass": USER}


class Buildah:
    """buildah with a temporary storage and without a daemon."""

    def __init__(self, folder):
        storage = ["--storage-driver", "vfs", "--root", f"{folder}/storage", "--runroot", f"{folder}/run"]
        self.command = ["buildah", *storage]

    def __call__(self, *arguments):
        run = subprocess.run([*self.command, *arguments], capture_output=True, text=True, timeout=300)
        if run.returncode:
            sys.exit(f"FAILED buildah {arguments[0]}: {run.stderr}")
        return run.stdout.strip()

    def run(self, container, variables, *arguments):
        """The command that runs the image's program in the container as its user, without namespaces."""
        settings = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
        return [*self.command, "run", "--isolation", "chroot", *settings, container, "--", "/gatepass", *arguments]


def build(buildah, root, program, folder):
    """Builds the last stage with this program instead of the result of the first stage."""
    out = folder / "build/out"
    (out / "var/lib/gatepass").mkdir(parents=True)
    shutil.copy(program, out / "gatepass")
    last = re.search(r"^FROM scratch$.*", (root / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (folder / "context").mkdir()
    (folder / "context/Dockerfile").write_text(last[0], encoding="utf-8")
    stage = ["--build-context", f"build={out.parent}"]
    buildah("build", "--format", "docker", *stage, "--tag", "gatepass", f"{folder}/context")
    return json.loads(buildah("inspect", "--type", "image", "gatepass"))["Docker"]["config"]


def configured(configuration, program):
    """The faults of the image's configuration."""
    for key, wanted in CONFIGURATION.items():
        if configuration[key] != wanted:
            yield f"{key}: {configuration[key]}, not {wanted}"
    if configuration["Healthcheck"]["Test"] != ["CMD", "/gatepass", "health"]:
        yield f"Healthcheck: {configuration['Healthcheck']}"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    labelled = configuration["Labels"]["org.opencontainers.image.version"]
    if f"gatepass {labelled}" != told.strip():
        yield f"the label of the version is {labelled}, the program {told.strip()}"


def filled(mounted):
    """A fault if the image has missing or unexpected files."""
    files = {str(path.relative_to(mounted)): path.stat().st_uid for path in mounted.rglob("*")}
    if files != FILES:
        yield f"files and their owners: {files}, not {FILES}"


def add_libraries(program, mounted):
    """Adds the shared libraries of a program from `cargo build`; the image's own program is linked statically."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=10).stdout
    for library in re.findall(r"(?:=> |^\s*)(/\S+)", told, re.MULTILINE):
        at = mounted / library.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, at)


def runs(buildah, container, mounted, folder):
    """The faults of a container that starts on an empty database, becomes healthy and ends."""
    kinds = zip(("GRPC", "HTTP", "ADMIN"), free_ports(3))
    addresses = {f"GATEPASS_SERVER__{kind}_ADDR": f"127.0.0.1:{port}" for kind, port in kinds}
    log = folder / "log"
    with log.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(buildah.run(container, addresses), stderr=stderr)
    faults = []
    try:
        if not healthy(buildah.run(container, addresses, "health")):
            faults.append("never healthy")
        database = mounted / "var/lib/gatepass/gatepass.db"
        if not database.exists() or database.stat().st_uid != USER:
            faults.append("no database of the image's user")
        # Signal the program directly: buildah would pass on a SIGKILL.
        os.kill(innermost(process.pid), signal.SIGTERM)
        if code := process.wait(30):
            faults.append(f"SIGTERM: exit code {code}")
    finally:
        process.kill()
    return [f"{fault}\n{log.read_text(encoding='utf-8')}" for fault in faults]


def healthy(command):
    """True if `gatepass health` succeeds within 20 s."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if subprocess.run(command, capture_output=True, timeout=10).returncode == 0:
            return True
    return False


def innermost(pid):
    """The last process in the chain of first children of this one."""
    children = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    below = [int(child) for listed in children for child in listed.read_text().split()]
    return innermost(below[0]) if below else pid


def main():
    root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    failed = 0

    def report(name, findings):
        nonlocal failed
        found = list(findings)
        failed += bool(found)
        print("FAILED" if found else "ok    ", name, *(finding.replace("\n", "\n       ") for finding in found))

    lint = subprocess.run(["hadolint", root / "Dockerfile"], capture_output=True, text=True, timeout=60)
    report("hadolint", [lint.stdout + lint.stderr] if lint.returncode else [])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        buildah = Buildah(folder)
        report("configuration", configured(build(buildah, root, program, folder), program))
        container = buildah("from", "gatepass")
        mounted = pathlib.Path(buildah("mount", container))
        report("files", filled(mounted))
        add_libraries(program, mounted)
        report("serves, is healthy, ends", runs(buildah, container, mounted, folder))
        buildah("rm", container)
    print("image:", "failed" if failed else "passed")
    sys.exit(1 if failed else 0)


main()
