"""The programs: Gatepass, an OpenID provider, and the application over http and https."""

import asyncio
import contextlib
import ssl
import subprocess
import threading

from support.backend import Backend
from support.programs import Programs, free_ports, get


def end_tls(port, plain_port, certificate, key):
    """Terminates TLS in front of a program, as a proxy in production does, until this process ends."""

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


class World(Programs, Backend):
    def __init__(self, root, program):
        super().__init__(root, program)
        self.example = self.root / ".external/sign-in-with-github/examples/sign-in-with-github"
        self.config = self.example / "gatepass.yaml"
        self.idp, self.plain, self.tls, self.behind = free_ports(4)
        self.origins = [f"http://localhost:{self.plain}", f"https://localhost:{self.tls}"]
        self.provider = f"http://127.0.0.1:{self.idp}"
        # The values that must not be in a log: cookies, codes and states.
        self.secrets = set()

    def start_gatepass(self, **settings):
        """Starts Gatepass with the example's configuration, with other addresses and another provider as `github`."""
        github = f"{{id: github, preset: keycloak, issuer: '{self.provider}', client_id: gatepass, client_secret: {{env: IDP_SECRET}}}}"
        variables = {
            "GATEPASS_BASE_URLS": ",".join(self.origins),
            "GATEPASS_PROVIDERS": f"[{github}]",
            "GATEPASS_AUTH_LOG__EXCLUDE": "[]",
            "IDP_SECRET": "a-secret-for-trials",
            **settings,
        }
        self.run_gatepass(self.config, variables)

    def check_configuration(self):
        """Runs `gatepass config check` on the example's unchanged configuration."""
        command = [self.program, "--config", str(self.config), "config", "check"]
        environment = {"GITHUB_CLIENT_SECRET": "a-secret-for-trials"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=30)

    def start_idp(self):
        self.run_idp("idp", self.idp, [origin + "/auth/callback/github" for origin in self.origins])

    def start_apps(self):
        """Starts the application twice: as in the README, and behind a proxy that terminates TLS."""
        for name, port, origin in [("app", self.plain, self.origins[0]), ("app-https", self.behind, self.origins[1])]:
            command = [str(self.example / ".venv/bin/waitress-serve"), f"--listen=127.0.0.1:{port}", "app:app"]
            variables = {"ORIGIN": origin, "GATEPASS_TARGET": self.address}
            self.run(name, command, variables, lambda: get(f"http://127.0.0.1:{port}/"), self.example)
        certificate, key = self.folder / "localhost.crt", self.folder / "localhost.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        end_tls(self.tls, self.behind, certificate, key)
