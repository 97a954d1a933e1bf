"""Functions that tests call in processes of their own (`autosmote.isolation.spawn`)."""

import os
import signal
import time


def describe(fds):
    """Tell how many files are open, whether SIGTERM is handled, and whether a session begins."""
    with os.fdopen(fds[0], "w") as answers:
        n_files = len(os.listdir("/proc/self/fd")) - 1  # without that of the listing
        handled = signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
        print(n_files, handled, os.getsid(0) == os.getpid(), file=answers)
    os._exit(7)


def fail(fds):
    raise RuntimeError("on purpose")


def end_by_signal(fds):
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for_ever(fds):
    os.write(fds[0], b"r")
    while True:
        time.sleep(60)
