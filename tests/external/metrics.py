"""Checks the metrics of a Gatepass after some calls, and the README's alerts, with promtool (see metrics.sh)."""

import re
import subprocess
import sys

from support.backend import Backend
from support.programs import Programs, get

ALERTS = re.compile(r"<!-- file: gatepass-alerts.yaml -->\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PERSON = {"provider": "github", "provider_account_id": "1", "email": "mona@example.com", "email_verified": True}


class World(Programs, Backend):
    def page(self):
        """The metrics page after some calls, one of which is rejected."""
        assert "allowed" in self.call("AuthService/SignIn", {"profile": PERSON})
        assert "url" in self.call("AuthService/ResolveRedirect", {"url": "/"})
        assert self.call("AuthService/GetSession", {"access_token": "none"}) == "TOKEN_MALFORMED"
        return get(f"http://127.0.0.1:{self.ports[2]}/metrics")


def checked(*arguments, **more):
    """Runs `promtool check`, which must succeed; returns its output."""
    done = subprocess.run(["promtool", "check", *arguments], capture_output=True, text=True, timeout=60, **more)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def main():
    with World(*sys.argv[1:]) as world:
        world.run_gatepass(None, {})
        page = world.page()
        said = checked("metrics", input=page)
        assert not said, said
        rules = ALERTS.search((world.root / "README.md").read_text(encoding="utf-8"))[1]
        (world.folder / "alerts.yaml").write_text(rules, encoding="utf-8")
        print(checked("rules", "--lint-fatal", world.folder / "alerts.yaml"), end="")
        metrics = set(re.findall(r"\b(?:gatepass|grpc_server)_[a-z_]+", rules))
        missing = sorted(metric for metric in metrics if not re.search(rf"^{metric}[ {{]", page, re.MULTILINE))
        assert metrics and not missing, f"alerts.yaml: no such metric: {missing}"
    lines = page.splitlines()
    families = sum(line.startswith("# TYPE") for line in lines)
    told = sum(not line.startswith("#") for line in lines)
    print(f"metrics: {families} families, {told} lines; promtool finds no fault")


main()
