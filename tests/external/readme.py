"""Runs the marked blocks of a README in one shell, and checks their output (see readme.sh).

`<!-- run -->` marks a block to run; with `: exits N`, it must end with that code. The json or text block after it is the
expected output. `<!-- file: NAME -->` marks a block to write to a file.
"""

import json
import os
import re
import subprocess
import sys
import textwrap

from support.programs import Programs, free_ports

BLOCK = re.compile(
    r"^ *(?:<!-- (?P<mark>run|file)(?:: (?P<what>[^>]*?))? -->\n\s*)?"
    r"```(?P<language>\w+)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
DEFAULT_PORTS = {"GRPC": 50051, "HTTP": 8080, "ADMIN": 8081}
# The ports of a Gatepass that the README itself starts.
OTHER_PORTS = {"TLS": 50443}


def shape(value):
    """The keys and types of a JSON value; enum constants stay as they are."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z_]+", value):
        return value
    return type(value).__name__


def words(line):
    """The words of a line, without ids, keys and hashes, which differ in each run."""
    return re.sub(r"\b(gp[a-z]_)?[\w-]{20,}", "…", " ".join(line.split()))


def differs(language, shown, printed):
    """The difference between the shown and the printed output, or None."""
    if language == "json":
        try:
            wanted, got = shape(json.loads(shown)), shape(json.loads(printed))
        except json.JSONDecodeError as error:
            return f"not JSON: {error}"
        return None if wanted == got else f"shown {wanted}, printed {got}"
    lines = [words(line) for line in printed.splitlines()]
    for line in map(words, shown.splitlines()):
        if line not in lines:
            return f"not printed: {line}"
    return None


def blocks(text, ports):
    for name, port in (DEFAULT_PORTS | OTHER_PORTS).items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ports[name]}")
    for found in BLOCK.finditer(text):
        yield found["mark"], found["what"], found["language"], textwrap.dedent(found["text"])


def run_all(readme, folder, ports):
    """Runs every marked block in one shell; returns the numbers of failed and of all blocks."""
    shell = ["set -u"]
    steps = []
    listed = list(blocks(open(readme, encoding="utf-8").read(), ports))
    # The README may show a file after the commands that need it.
    for mark, what, _, text in listed:
        if mark == "file":
            with open(os.path.join(folder, what), "w", encoding="utf-8") as file:
                file.write(text)
    for (mark, what, _, text), (after, _, language, shown) in zip(listed, listed[1:] + [(None,) * 4]):
        if mark == "run":
            number = len(steps)
            shell.append(f"{{ {text.rstrip()}\n}} > out.{number} 2> err.{number}\necho $? > code.{number}")
            expected = int(what.removeprefix("exits ")) if what else 0
            steps.append((text, expected, (language, shown) if after is None and language in ("json", "text") else None))
    subprocess.run(["bash", "-c", "\n".join(shell)], cwd=folder, stdin=subprocess.DEVNULL, timeout=120, check=False)
    return sum(not passes(folder, number, *step) for number, step in enumerate(steps)), len(steps)


def passes(folder, number, text, expected, output):
    def read(name):
        path = os.path.join(folder, f"{name}.{number}")
        return open(path, encoding="utf-8").read() if os.path.exists(path) else ""

    code, printed = read("code").strip(), read("out") + read("err")
    fault = None if code == str(expected) else f"exit code {code or 'unknown'}, not {expected}"
    if fault is None and output is not None:
        fault = differs(output[0], output[1], read("out") if output[0] == "json" else printed)
    print(("ok    " if fault is None else "FAILED"), text.strip().splitlines()[-1][:100])
    if fault is not None:
        print(textwrap.indent(f"{fault}\n{printed}", "       "))
    return fault is None


def main():
    root, program = sys.argv[1:]
    with Programs(root, program) as programs:
        programs.run_gatepass(None, {})
        ports = dict(zip([*DEFAULT_PORTS, *OTHER_PORTS], programs.ports + free_ports(len(OTHER_PORTS))))
        failed, ran = run_all(programs.root / "README.md", programs.folder, ports)
        ended = programs.stop("gatepass")
    print(f"README: {ran - failed} of {ran} blocks passed; Gatepass ended with {ended}")
    sys.exit(1 if failed or ended or not ran else 0)


main()
