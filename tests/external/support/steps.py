"""The steps of a suite, in the order in which they are written, and what is told of each."""

import sys
import traceback

STEPS = []


def step(function):
    STEPS.append(function)
    return function


def run_steps(steps, world, *more, of=""):
    """Runs all of these, whatever fails; answers how many passed."""
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
    """Tells how a suite ended, and ends with it."""
    print(f"{suite}: {count} of {total} passed")
    sys.exit(0 if count == total else 1)
