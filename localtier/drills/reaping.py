"""What the first process of a namespace owes the others: to wait for those that died without a parent.

Docker's init does it in a container. Without it a stopped PostgreSQL stays a zombie, whose number still answers:
Patroni waits for its end for ever, and the next PostgreSQL takes an old lock file for a living one's.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable


def reaping(work: Callable[[], int]) -> int:
    """Do `work` in a child, wait for whoever dies meanwhile, and return the status that the child ends with."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = work()
        except BaseException:  # noqa: BLE001 - a child must end here, with whatever it met told
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status)
