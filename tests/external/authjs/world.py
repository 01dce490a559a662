"""The three programs (Gatepass, an OpenID provider, the application) and access to their state."""

import json
import subprocess

from support.backend import Backend
from support.programs import Programs, free_ports, get

SECRET = "a secret of a test that is long enough"
COOKIE = "authjs.session-token"
DECODE = """
import { decode } from "@auth/core/jwt";
const [token, secret, salt] = process.argv.slice(1);
console.log(JSON.stringify(await decode({ token, secret, salt })));
"""


class World(Programs, Backend):
    def __init__(self, root, program):
        super().__init__(root, program)
        self.idp, self.app = free_ports(2)
        self.origin = f"http://127.0.0.1:{self.app}"

    def start_gatepass(self, **settings):
        """Starts Gatepass with the example's configuration, and settings that override it."""
        variables = {"GATEPASS_BASE_URLS": self.origin, "GATEPASS_AUTH_LOG__EXCLUDE": "[]", **settings}
        self.run_gatepass(self.root / "examples/authjs/gatepass.yaml", variables)

    def start_idp(self):
        self.run_idp("idp", self.idp, [f"{self.origin}/api/auth/callback/company"])

    def start_app(self):
        variables = {
            "ORIGIN": self.origin,
            "PORT": str(self.app),
            "GATEPASS_TARGET": self.address,
            "AUTH_SECRET": SECRET,
            "AUTH_COMPANY_ISSUER": f"http://127.0.0.1:{self.idp}",
            "AUTH_COMPANY_ID": "authjs",
            "AUTH_COMPANY_SECRET": "a-secret-for-trials",
        }
        self.run("app", ["node", str(self.root / ".external/authjs/server.mjs")], variables, lambda: get(self.origin))

    def logged(self, email):
        """The auth log of an e-mail address, oldest first."""
        sql = "SELECT action, outcome, reason, provider FROM auth_logs WHERE email = ? ORDER BY rowid"
        return self.rows(sql, email)

    def decode(self, cookie):
        """The content of an Auth.js session cookie."""
        command = ["node", "--input-type=module", "-e", DECODE, cookie, SECRET, COOKIE]
        done = subprocess.run(command, cwd=self.root / ".external/authjs", capture_output=True, text=True, check=True)
        return json.loads(done.stdout)
