"""The Python modules of Gatepass's protocol, generated from proto/."""

import pathlib
import sys

import grpc_tools
from grpc_tools import protoc


def generate_stubs(root, folder):
    """Generates the modules and makes them importable."""
    proto = pathlib.Path(root) / "proto"
    sources = [str(path) for path in sorted(proto.rglob("*.proto"))]
    wellknown = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    arguments = [f"-I{proto}", f"-I{wellknown}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    assert protoc.main(["protoc", *arguments, *sources]) == 0
    sys.path.insert(0, str(folder))
