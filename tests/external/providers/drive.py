"""People sign in at providers by a built Gatepass; what they, their backend, the providers and the auth log see is
checked (see providers.sh)."""

import sys
import tempfile
import traceback

from client import generate_stubs
from steps import STEPS
from world import ISSUERS, World

import logins
import refusals
import natively
import linking
import together
import secrecy


def main():
    root, program = sys.argv[1:]
    passed = 0
    with tempfile.TemporaryDirectory() as stubs, tempfile.TemporaryDirectory() as folder:
        generate_stubs(root, stubs)
        world = World(root, program, folder)
        try:
            for name in ISSUERS:
                world.start_idp(name)
            world.one = world.start_gatepass("one")
            for check in STEPS:
                try:
                    check(world)
                    passed += 1
                    print("ok    ", check.__name__.replace("_", " "), flush=True)
                except Exception:
                    print("FAILED", check.__name__.replace("_", " "), flush=True)
                    traceback.print_exc()
            if passed < len(STEPS):
                print(world.log("one")[-6000:])
        finally:
            for name in list(world.processes):
                world.kill(name)
    print(f"providers: {passed} of {len(STEPS)} passed")
    sys.exit(0 if passed == len(STEPS) else 1)


main()
