"""The examples, installed as their READMEs describe: in copies at the same depth, so that they find proto/.

In a README, `<!-- run -->` marks a block to run, and `<!-- file: NAME -->` a block to write to a file first.
"""

import os
import pathlib
import re
import shutil
import subprocess

BLOCK = re.compile(r"<!-- (?:run|file: (?P<name>\S+)) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

# The folder of cargo's profile for the Rust service.
PROFILE_FOLDER = os.environ.get("PROFILE_FOLDER", "debug")
# The command that starts each example in its folder. The one in Node has no health service.
COMMANDS = {
    "python": [".venv/bin/python", "server.py"],
    "node": ["node", "dist/server.js"],
    "go": ["./callbacks"],
    "rust": [f"target/{PROFILE_FOLDER}/examples/callbacks"],
}
WITH_HEALTH = {"python", "go", "rust"}


class Language:
    def __init__(self, root, name):
        self.root, self.name = pathlib.Path(root), name
        self.source = self.root / "examples/callbacks" / name
        self.has_health = name in WITH_HEALTH
        # The Rust service is an example of the package, and runs in the package's folder.
        self.folder = self.root if name == "rust" else self.root / ".external/callbacks" / name
        self.command = list(COMMANDS[name])
        if name == "rust":
            target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
            self.command = [str(self.root / target / PROFILE_FOLDER / "examples/callbacks")]
        blocks = list(BLOCK.finditer((self.source / "README.md").read_text(encoding="utf-8")))
        self.files = {found["name"]: found["text"] for found in blocks if found["name"]}
        self.steps = [found["text"] for found in blocks if not found["name"]]

    def install(self):
        """Copies the example, and runs the commands of its README."""
        if self.folder != self.root:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.source.iterdir():
                if path.is_file():
                    shutil.copy(path, self.folder)
            for name, text in self.files.items():
                (self.folder / name).write_text(text, encoding="utf-8")
        folder, variables = self.folder, dict(os.environ)
        if self.name == "go":
            folder = self.in_gopath(variables)
        for step in self.steps:
            if PROFILE_FOLDER != "debug":
                step = re.sub(r"^(cargo (?:build|test))", rf"\1 --profile {PROFILE_FOLDER}", step, flags=re.MULTILINE)
            # `cd` keeps the name of a link, and Go derives the package from it.
            script = f'set -euo pipefail; cd "{folder}"\n{step}'
            done = subprocess.run(["bash", "-c", script], env=variables, capture_output=True, text=True, timeout=1200)
            assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"

    def in_gopath(self, variables):
        """Builds a GOPATH of the system's packages and this example, so that Go needs no module registry."""
        gopath = self.root / ".external/callbacks/gopath"
        package = gopath / "src/example.com/callbacks"
        package.parent.mkdir(parents=True, exist_ok=True)
        package.unlink(missing_ok=True)
        package.symlink_to(self.folder)
        variables |= {"GO111MODULE": "off", "GOPATH": f"{gopath}:/usr/share/gocode", "GOFLAGS": ""}
        return package
