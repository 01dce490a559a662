"""The steps of a suite in the order of their definition, and their report."""

import sys
import traceback

STEPS = []


def step(function):
    STEPS.append(function)
    return function


def run_steps(steps, world, *more, of=""):
    """Runs all steps even if some fail; returns the number that passed."""
    count = 0
    for function in steps:
        name = of + function.__name__.replace("_", " ")
        try:
            function(world, *more)
        except Exception:
            print("FAILED", name, flush=True)
            traceback.print_exc()
        else:
            count += 1
            print("ok    ", name, flush=True)
    if count < len(steps):
        print(world.logs())
    return count


def finish(suite, count, total):
    """Prints the result of a suite, and exits with it."""
    print(f"{suite}: {count} of {total} passed")
    sys.exit(0 if count == total else 1)
