"""`python -m rehearsal.programs FOLDER [MODULE ...]`, started by `pool.py`."""

from __future__ import annotations

import sys

from rehearsal.programs.forking import main

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
