"""One drill, enclosed: reads what to do as JSON from standard input, and writes what it found to a file."""

from __future__ import annotations

import sys

from localtier.drills.enclosed import perform
from localtier.drills.reaping import reaping

if __name__ == "__main__":
    sys.exit(reaping(lambda: perform(sys.stdin.read())))
