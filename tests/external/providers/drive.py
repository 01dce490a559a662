"""Sign-ins at providers through a built Gatepass, checked in the browser, the backend, the providers and the auth log
(see providers.sh)."""

import sys
import tempfile

from providers.world import ISSUERS, World
from support.steps import STEPS, finish, run_steps
from support.stubs import generate_stubs

# The order of the imports is the order of the steps.
from providers import logins, refusals, natively, linking, together, proxied, secrecy


def main():
    root, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as stubs, World(root, program) as world:
        generate_stubs(root, stubs)
        for name in ISSUERS:
            world.start_idp(name)
        world.one = world.start_gatepass("one")
        passed = run_steps(STEPS, world)
    finish("providers", passed, len(STEPS))


main()
