"""Parallel calls and background traffic."""

import concurrent.futures
import contextlib
import threading
import time
import traceback

from support.programs import PATIENCE


def at_once(count, function):
    """Runs a function in so many threads at the same moment; returns the results in order."""
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        return function(number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Traffic:
    """Threads that repeat tasks; no task may fail."""

    def __init__(self, tasks):
        self.done, self.failures, self.over = [0] * len(tasks), [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=item) for item in enumerate(tasks)]

    def _run(self, number, task):
        while not self.over.is_set() and not self.failures:
            try:
                task()
            except Exception:
                self.failures.append(traceback.format_exc())
            self.done[number] += 1

    def goes_on(self, times=2):
        """Waits until each thread has repeated its task so many more times. The first repetition may have begun before."""
        before, deadline = list(self.done), time.monotonic() + PATIENCE
        while not all(now > then + times for now, then in zip(self.done, before)):
            assert not self.failures, self.failures[0]
            assert time.monotonic() < deadline, (before, self.done)
            time.sleep(0.05)


@contextlib.contextmanager
def traffic(*tasks):
    """Runs tasks in the background; fails at the end if one of them failed."""
    running = Traffic(tasks)
    for thread in running.threads:
        thread.start()
    try:
        yield running
    finally:
        running.over.set()
        for thread in running.threads:
            thread.join()
    assert not running.failures, running.failures[0]
