#!/usr/bin/env python3
"""Checks the English of comments, docs, messages and test names.

    tests/prose/check.py                     the folders of FOLDERS
    tests/prose/check.py src/auth proto      these folders or files
    tests/prose/check.py --self-test         the rules against made-up lines

Prints `file:line: rule: text` for each finding, then the sums. The exit code is 1 if there is a finding. exceptions.txt
lists the lines that may stay. Markdown is not checked.
"""

import collections
import io
import pathlib
import re
import subprocess
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN = "tests/prose/"
EXCEPTIONS = ROOT / OWN / "exceptions.txt"
FOLDERS = ["src", "migrations", "proto", "tests", "benches", "examples", "helm", ".ci"]
LONGEST_NAME = 70

HEADLESS = r"(?:what|how|whether|whom|until when)\b"
STARTS_PARAGRAPH = re.compile(HEADLESS, re.IGNORECASE)
STARTS_LINE = re.compile(r"(?:What|How|Whether|Whom|Until when)\b")
BULLET = re.compile(r"^(?:[-*>]|#+|\d+\.)\s+")
WORDS = re.compile(r"\b(?:whom|lest|be it|for ever|of yesterday)\b", re.IGNORECASE)
MESSAGE_WORDS = re.compile(r"\bnobody\b", re.IGNORECASE)

# `kind` is comment, string, name or text (a line of a file whose strings are not told apart). `starts` is true where a
# comment, or a paragraph of one, begins.
Piece = collections.namedtuple("Piece", ["line", "kind", "text", "starts"])
Finding = collections.namedtuple("Finding", ["path", "line", "rule", "text"])

COMMENTS = r"(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)"
RUST = re.compile(
    COMMENTS
    + r"""|(?P<raw>(?<!\w)(?:b|c)?r(?P<fence>\#*)".*?"(?P=fence))"""
    + r"""|(?P<string>"(?:\\.|[^"\\])*")|'(?:\\[^\n']+|[^\\'\n])'""",
    re.DOTALL,
)
C_LIKE = re.compile(
    COMMENTS + r"""|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)""", re.DOTALL
)
TEMPLATE_COMMENT = re.compile(r"\{\{-?\s*/\*(.*?)\*/", re.DOTALL)
HASH_COMMENT = re.compile(r"(?:^|\s)#(?!!)(.*)")
NAME = re.compile(r"\b(?:fn|def)\s+(\w+)")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def paragraphs(numbered, kind="comment"):
    """The pieces of one comment from its lines: (number, text without markers)."""
    starts = True
    for number, text in numbered:
        if text:
            yield Piece(number, kind, text, starts)
        starts = not text


def joined(lines):
    """Comment lines, given as (number, style, text), one list for each comment that they form."""
    comment, last = [], None
    for number, style, text in lines:
        if comment and (number, style) != (last[0] + 1, last[1]):
            yield comment
            comment = []
        comment.append((number, text))
        last = number, style
    if comment:
        yield comment


def c_like_pieces(text, tokens):
    lines = []
    for token in tokens.finditer(text):
        number, found = line_of(text, token.start()), token.group()
        if token["line"]:
            style = re.match(r"///|//!|//", found)[0]
            lines.append((number, style, found[len(style):].strip()))
        elif token["block"]:
            inner = found[2:-2].lstrip("*!").splitlines() or [""]
            yield from paragraphs((number + at, row.strip().lstrip("*").strip()) for at, row in enumerate(inner))
        elif token.lastgroup in ("string", "raw", "fence"):
            rows = enumerate(found.splitlines())
            yield from (Piece(number + at, "string", row, False) for at, row in rows)
    for comment in joined(lines):
        yield from paragraphs(comment)


def python_pieces(text):
    lines, opens = [], True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name == "COMMENT":
            if not token.string.startswith("#!"):
                lines.append((token.start[0], "#", token.string.lstrip("#").strip()))
        elif name == "STRING" and opens:
            rows = token.string.strip("\"'").splitlines()
            yield from paragraphs((token.start[0] + at, row.strip()) for at, row in enumerate(rows))
        elif name in ("STRING", "FSTRING_MIDDLE"):
            rows = enumerate(token.string.splitlines())
            yield from (Piece(token.start[0] + at, "string", row, False) for at, row in rows)
        if name not in ("COMMENT", "NL"):
            opens = name in ("NEWLINE", "INDENT", "DEDENT")
    for comment in joined(lines):
        yield from paragraphs(comment)


def hash_pieces(text):
    for found in TEMPLATE_COMMENT.finditer(text):
        number = line_of(text, found.start())
        yield from paragraphs((number + at, row.strip()) for at, row in enumerate(found[1].splitlines()))
    lines = []
    for number, row in enumerate(text.splitlines(), 1):
        yield Piece(number, "text", row.strip(), False)
        if comment := HASH_COMMENT.search(row):
            # A comment behind code does not go on in the next line.
            style = "whole line" if not row[:comment.start()].strip() else f"behind code {number}"
            lines.append((number, style, comment[1].lstrip("#").strip()))
    for comment in joined(lines):
        yield from paragraphs(comment)


def name_pieces(text):
    for number, row in enumerate(text.splitlines(), 1):
        yield from (Piece(number, "name", found[1], False) for found in NAME.finditer(row))


def pieces(path, text):
    """Everything of a file that a person reads; nothing of a file of another type."""
    suffix = pathlib.PurePosixPath(path).suffix
    if suffix == ".rs":
        yield from c_like_pieces(text, RUST)
        yield from name_pieces(text)
    elif suffix in (".proto", ".go", ".js", ".mjs", ".ts"):
        yield from c_like_pieces(text, C_LIKE)
    elif suffix == ".py":
        yield from python_pieces(text)
        yield from name_pieces(text)
    elif suffix in (".yaml", ".yml", ".toml", ".sh", ".tpl", ".txt", ".html", ".sql") or text.startswith("#!"):
        yield from hash_pieces(text)


def findings(path, text):
    """Every broken rule of one file, in the order of its lines."""
    found = set()
    for piece in pieces(path, text):
        def broken(rule):
            found.add(Finding(path, piece.line, rule, piece.text.strip()))

        if piece.kind == "comment":
            begins = STARTS_PARAGRAPH if piece.starts else STARTS_LINE
            if begins.match(BULLET.sub("", piece.text)):
                broken("headless")
        if word := WORDS.search(piece.text.replace("_", " ") if piece.kind == "name" else piece.text):
            broken(f"word \"{word[0].lower()}\"")
        if piece.kind == "string" and path.startswith("src/") and MESSAGE_WORDS.search(piece.text):
            broken("\"nobody\" in a message")
        if piece.kind == "name" and len(piece.text) > LONGEST_NAME:
            broken(f"name of more than {LONGEST_NAME} characters")
    # A comment of a file whose strings are not told apart is read twice.
    unique = {(finding.line, finding.rule): finding for finding in sorted(found)}
    return sorted(unique.values(), key=lambda finding: (finding.line, finding.rule))


def files(places):
    """The files below some folders that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *places]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in sorted(set(listed.splitlines())) if not path.startswith(OWN) and (ROOT / path).is_file()]


def exceptions():
    """(path, part of the line) → the reason."""
    listed = {}
    for row in EXCEPTIONS.read_text(encoding="utf-8").splitlines():
        if row and not row.startswith("#"):
            path, part, reason = (field.strip() for field in row.split(" | "))
            assert reason, f"exceptions.txt: no reason: {row}"
            listed[path, part] = reason
    return listed


def check(places):
    """Prints the findings and their sums; returns the exit code."""
    allowed, used = exceptions(), set()
    checked = files(places)
    sums = collections.Counter()
    for path in checked:
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for finding in findings(path, text):
            excuse = [key for key in allowed if key[0] == path and key[1] in finding.text]
            used.update(excuse)
            if not excuse:
                print(f"{path}:{finding.line}: {finding.rule}: {finding.text}")
                sums[finding.rule] += 1
    for path, part in sorted(set(allowed) - used):
        if path in checked:
            print(f"{OWN}exceptions.txt: unused: {path} | {part}")
            sums["unused exception"] += 1
    for rule, count in sums.most_common():
        print(f"{count:5} {rule}")
    print(f"prose: {sum(sums.values())} findings in {len(checked)} files")
    return 1 if sums else 0


# File, text, and the rules that it breaks: (line, rule).
MADE_UP = [
    ("src/a.rs", "/// What it does.\nfn a() {}\n", [(1, "headless")]),
    ("src/a.rs", "//! How it goes.\n", [(1, "headless")]),
    ("src/a.rs", "    // Whether it is there.\n", [(1, "headless")]),
    ("src/a.rs", "/// Reads a row.\n///\n/// what it finds\n", [(3, "headless")]),
    ("src/a.rs", "/// # What to know\n", [(1, "headless")]),
    ("src/a.rs", "/// - How to\n", [(1, "headless")]),
    ("src/a.rs", "/** Whom it concerns. */\n", [(1, "headless"), (1, 'word "whom"')]),
    ("src/a.rs", "let a = 1; // until when it holds\n", [(1, "headless")]),
    ("src/a.rs", "/// Reads a row.\n/// What is left stays.\n", [(2, "headless")]),
    ("src/a.rs", "/// Reads a row and\n/// what belongs to it.\n", []),
    ("src/a.rs", "/// Whatever comes.\n/// However it is.\n", []),
    ("src/a.rs", "/// Keeps it for ever.\n", [(1, 'word "for ever"')]),
    ("src/a.rs", 'let a = "a key of yesterday";\n', [(1, 'word "of yesterday"')]),
    ("src/a.rs", 'let a = r#"be it "so""#;\n', [(1, 'word "be it"')]),
    ("src/a.rs", 'let a = "first\n lest";\n', [(2, 'word "lest"')]),
    ("src/a.rs", 'let a = "proves nobody";\n', [(1, '"nobody" in a message')]),
    ("tests/a.rs", 'let a = "proves nobody";\n', []),
    ("src/a.rs", "/// Nobody waits.\n", []),
    ("src/a.rs", "fn whom_it_concerns() {}\n", [(1, 'word "whom"')]),
    ("src/a.rs", f"fn {'a' * 71}() {{}}\n", [(1, "name of more than 70 characters")]),
    ("src/a.rs", f"fn {'a' * 70}() {{}}\n", []),
    ("src/a.rs", "let a = \"// What it is\"; let b = '\"'; // A quote.\nlet c: &'static str = \"\";\n", []),
    ("src/a.rs", "let a = '\\''; // How it goes.\n", [(1, "headless")]),
    ("src/a.rs", "let longest = forever; // The ablest answer.\n", []),
    ("proto/a.proto", "message A {\n  // What to ask.\n  string a = 1;\n}\n", [(2, "headless")]),
    ("proto/a.proto", "// Where to begin: at `What`.\nmessage A {}\n", []),
    ("examples/a.mjs", "/** How it goes. */\nconst a = `http://a`; // be it so\n", [(1, "headless"), (2, 'word "be it"')]),
    ("tests/a.py", '"""What it does."""\n', [(1, "headless")]),
    ("tests/a.py", 'def a():\n    """Whether so."""\n    return "What"  # how\n', [(2, "headless"), (3, "headless")]),
    ("tests/a.py", 'A = ["# What it is", f"whom {1}"]\n', [(1, 'word "whom"')]),
    ("helm/a.yaml", "# What must be given.\na: b  # how it goes\nc: '#'\n", [(1, "headless"), (2, "headless")]),
    ("helm/a.tpl", "{{/* How it goes. */}}\n{{- fail \"lest it fails\" -}}\n", [(1, "headless"), (2, 'word "lest"')]),
    ("tests/a.sh", "#!/usr/bin/env bash\n# Runs it.\n# Whether it is there.\necho ${#a} $#\n", [(3, "headless")]),
    (".ci/run", "#!/usr/bin/env bash\n# How it runs.\n", [(2, "headless")]),
    ("docs/a.md", "## What lost\n", []),
]


def self_test():
    """Compares the findings in made-up files with those that are wanted; returns the exit code."""
    failed = 0
    for path, text, wanted in MADE_UP:
        got = [(finding.line, finding.rule) for finding in findings(path, text)]
        if got != wanted:
            failed += 1
            print(f"FAILED {text!r}: {got}, not {wanted}")
    print(f"prose: {len(MADE_UP) - failed} of {len(MADE_UP)} made-up files passed")
    return 1 if failed else 0


def main():
    arguments = sys.argv[1:]
    sys.exit(self_test() if arguments == ["--self-test"] else check(arguments or FOLDERS))


if __name__ == "__main__":
    main()
