"""The programs of a suite. They run in a temporary folder on free ports, and end with the suite."""

import contextlib
import os
import pathlib
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

# The timeout of every wait in seconds: longer than any working step takes.
PATIENCE = 90
given = set()


def free_ports(count):
    """Ports that are free and were not returned before."""
    ports = []
    while len(ports) < count:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        if port not in given:
            given.add(port)
            ports.append(port)
    return ports


def until(what, is_so, process=None):
    """Waits until a condition returns a true value; returns that value."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        with contextlib.suppress(OSError):
            if found := is_so():
                return found
        time.sleep(0.05)
    raise AssertionError(f"timed out before this: {what}")


def get(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return answer.read().decode()


class Programs:
    """A built Gatepass and what runs beside it, until the end of a `with`."""

    def __init__(self, root, program):
        self.root, self.program = pathlib.Path(root), program
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.processes = {}
        # The ports of Gatepass: gRPC, HTTP and admin.
        self.ports = free_ports(3)
        self.address = f"127.0.0.1:{self.ports[0]}"

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            print(self.logs())
        try:
            for name in list(self.processes):
                self.stop(name)
        finally:
            for process in self.processes.values():
                process.kill()
            self.temporary.cleanup()

    def environment(self, variables):
        """The environment of a program: a minimum of this process's environment, and these variables."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}

    def run(self, name, command, variables, ready, folder=None):
        """Starts a program and waits until it is ready."""
        with open(self.folder / f"{name}.log", "a", encoding="utf-8") as log:
            self.processes[name] = process = subprocess.Popen(
                command, cwd=folder or self.folder, env=self.environment(variables), stdout=log, stderr=log)
        until(f"{name} is ready", ready, process)

    def run_gatepass(self, config, settings, name="gatepass", ports=None):
        """Starts a Gatepass with this configuration, if any, and settings that override it."""
        ports = ports or self.ports
        kinds = ["GRPC", "HTTP", "ADMIN"]
        variables = {f"GATEPASS_SERVER__{kind}_ADDR": f"127.0.0.1:{port}" for kind, port in zip(kinds, ports)}
        command = [self.program, *(["--config", str(config)] if config else [])]
        self.run(name, command, variables | settings, lambda: get(f"http://127.0.0.1:{ports[2]}/readyz"))

    def run_idp(self, name, port, callbacks, issuer=None, **variables):
        """Starts an OpenID provider that redirects to these addresses."""
        command = ["node", str(self.root / ".external/idp/idp.mjs"), str(port), *callbacks]
        issuer = issuer or f"http://127.0.0.1:{port}"
        self.run(name, command, variables, lambda: get(f"{issuer}/.well-known/openid-configuration"))

    def runs(self, name):
        return self.processes[name].poll() is None

    def stop(self, name):
        """Stops a program with SIGTERM; returns its exit code."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def logs(self):
        """The end of every log."""
        return "".join(f"--- {path.name}\n{self.log(path.stem)[-6000:]}" for path in sorted(self.folder.glob("*.log")))

    def rows(self, sql, *arguments):
        """The result of a query on Gatepass's database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/gatepass.db?mode=ro", uri=True)) as database:
            return database.execute(sql, arguments).fetchall()
