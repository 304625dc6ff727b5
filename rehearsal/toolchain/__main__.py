"""`python -m rehearsal.toolchain`: prepare the engine and print the folder to put first on PATH."""

from __future__ import annotations

import sys

from rehearsal.toolchain import ToolchainError, ensure_engine


def main() -> int:
    """Prepare the engine; print its folder, or why there is none. Return the exit status."""
    try:
        toolchain = ensure_engine()
    except ToolchainError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this module is a command
        return 1
    print(toolchain.bin_dir)  # noqa: T201 - the folder is this command's result
    return 0


if __name__ == "__main__":
    sys.exit(main())
