"""People sign in at providers by a built Gatepass; what they, their backend, the providers and the auth log see is
checked (see providers.sh)."""

import sys
import tempfile

from providers.world import ISSUERS, World
from support.steps import STEPS, finish, run_steps
from support.stubs import generate_stubs

# In the order of their steps.
from providers import logins, refusals, natively, linking, together, secrecy


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
