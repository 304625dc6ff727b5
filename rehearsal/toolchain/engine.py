"""Find or build the engine and the Python language host."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from rehearsal.toolchain import cache, golang, pins
from rehearsal.toolchain.errors import ToolchainError
from rehearsal.toolchain.progress import Progress, shown

HERE = Path(__file__).parent
MODULES = HERE / "modules"
SCRIPTS = HERE / "scripts"


@dataclass(frozen=True)
class Toolchain:
    """An engine that can run this project: `bin_dir` goes first on PATH."""

    pulumi: Path
    bin_dir: Path
    version: str

    def path(self, *before: Path) -> str:
        """Return a PATH with the folders `before` first, then the engine's, then today's."""
        return os.pathsep.join([*map(str, before), str(self.bin_dir), os.environ.get("PATH", os.defpath)])


def ensure_engine(console: Console | None = None, root: Path | None = None) -> Toolchain:
    """Return an engine of at least the pinned version: from PATH, from the cache, or built now.

    `root` is the cache's folder (default: `cache.cache_root()`); progress goes to `console` (default:
    standard error). Raises ToolchainError when there is none and it cannot be built.
    """
    return find_engine(root) or _build_engine(console or Console(stderr=True), root or cache.cache_root())


def find_engine(root: Path | None = None) -> Toolchain | None:
    """Return the engine on PATH or in the cache, or nothing: never builds."""
    return _on_path() or _in(_folder(root or cache.cache_root()))


def _on_path() -> Toolchain | None:
    pulumi = shutil.which("pulumi")
    # Official releases bring their language host; an engine without one cannot run a Python program.
    if pulumi is None or shutil.which("pulumi-language-python") is None:
        return None
    version = _version_of(Path(pulumi))
    if version is None or _numbers(version) < _numbers(pins.ENGINE_VERSION):
        return None
    return Toolchain(Path(pulumi), Path(pulumi).parent, version)


def _in(folder: Path) -> Toolchain | None:
    pulumi = folder / "bin" / "pulumi"
    if not cache.is_complete(folder) or _version_of(pulumi) != pins.ENGINE_VERSION:
        return None
    return Toolchain(pulumi, pulumi.parent, pins.ENGINE_VERSION)


def _build_engine(console: Console, root: Path) -> Toolchain:
    folder = _folder(root)
    with cache.locked(
        root / "engine.lock",
        lambda: console.print("Another build of the engine is running: waiting for it ..."),
    ):
        found = _in(folder)
        if found is None:
            cache.put(folder, lambda made: _make(made, root, console))
            found = _in(folder)
    if found is None:
        raise ToolchainError(
            f"the engine built in {folder} does not run as version {pins.ENGINE_VERSION}",
            f"remove {folder} and run the command again",
        )
    return found


def _make(made: Path, root: Path, console: Console) -> None:
    bin_dir = made / "bin"
    bin_dir.mkdir()
    go = golang.ensure_go(root, console)
    with shown(
        f"Building the Pulumi engine {pins.ENGINE_VERSION} (once for this user; 3 to 5 minutes)", console
    ) as tell:
        _build(
            go,
            "engine",
            pins.ENGINE_PACKAGE,
            pins.ENGINE_VERSION,
            pins.ENGINE_VERSION_VARIABLES,
            bin_dir,
            tell,
        )
    with shown(f"Building the Python language host {pins.LANGUAGE_HOST_VERSION}", console) as tell:
        names = pins.LANGUAGE_HOST_VERSION_VARIABLES
        _build(go, "language", pins.LANGUAGE_HOST_PACKAGE, pins.LANGUAGE_HOST_VERSION, names, bin_dir, tell)
    sdk = golang.module_folder(go, MODULES / "engine", pins.LANGUAGE_EXEC_MODULE)
    for script in (sdk / pins.LANGUAGE_EXEC_PATH, *sorted(SCRIPTS.iterdir())):
        shutil.copyfile(script, bin_dir / script.name)
        (bin_dir / script.name).chmod(0o755)


def _build(
    go: Path, module: str, package: str, version: str, names: tuple[str, ...], bin_dir: Path, tell: Progress
) -> None:
    flags = dict.fromkeys(names, f"v{version}")
    golang.build(go, MODULES / module, package, flags, bin_dir / package.rsplit("/", 1)[-1], tell)


def _folder(root: Path) -> Path:
    """Return the engine's folder in the cache: another one for each version, machine and way it is built."""
    inputs = [MODULES / m / f for m in ("engine", "language") for f in ("go.mod", "go.sum")] + sorted(SCRIPTS.iterdir())
    return root / f"engine-{pins.ENGINE_VERSION}-{platform.machine()}-{_digest(*inputs)}"


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _version_of(pulumi: Path) -> str | None:
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        run = subprocess.run(
            [str(pulumi), "version"], capture_output=True, text=True, check=False, timeout=60, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v?(\d+\.\d+\.\d+)", run.stdout)
    return version.group(1) if version and not run.returncode else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
