"""Programs in Go, built once from their modules, exactly as images/go/*/go.sum says, and kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from rehearsal.toolchain import cache, golang
from rehearsal.toolchain.progress import shown

MODULES = Path(__file__).parents[2] / "images" / "go"
PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version"


@dataclass(frozen=True, kw_only=True)
class Binary:
    """One program: the folder of its module under images/go, its package, and what it is told about its version."""

    module: str
    package: str
    version: str
    version_variables: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    from_path: bool = field(default=False)
    """Whether one that is on PATH serves as well."""


BINARIES: Mapping[str, Binary] = MappingProxyType(
    {
        "etcd": Binary(module="etcd", package="go.etcd.io/etcd/server/v3", version="3.6.12"),
        "etcdctl": Binary(module="etcdctl", package="go.etcd.io/etcd/etcdctl/v3", version="3.6.14"),
        "prometheus": Binary(
            module="prometheus",
            package="github.com/prometheus/prometheus/cmd/prometheus",
            version="3.13.1",
            version_variables=(PROMETHEUS_VERSION,),
            # One of the discoverers needs a module that the proxy does not serve; the plan's targets are static.
            tags=("remove_all_sd",),
        ),
        "promtool": Binary(
            module="prometheus",
            package="github.com/prometheus/prometheus/cmd/promtool",
            version="3.13.1",
            version_variables=(PROMETHEUS_VERSION,),
            tags=("remove_all_sd",),
        ),
        "alertmanager": Binary(
            module="alertmanager",
            package="github.com/prometheus/alertmanager/cmd/alertmanager",
            version="0.31.1",
            version_variables=(PROMETHEUS_VERSION,),
        ),
        "node_exporter": Binary(
            module="node_exporter",
            package="github.com/prometheus/node_exporter",
            version="1.10.2",
            version_variables=(PROMETHEUS_VERSION,),
        ),
        "postgres_exporter": Binary(
            module="postgres_exporter",
            package="github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter",
            version="0.19.1",
            version_variables=(PROMETHEUS_VERSION,),
        ),
        "pgbouncer_exporter": Binary(
            module="pgbouncer_exporter",
            package="github.com/prometheus-community/pgbouncer_exporter",
            version="0.12.1",
            version_variables=(PROMETHEUS_VERSION,),
        ),
        "versitygw": Binary(
            module="versitygw",
            package="github.com/versity/versitygw/cmd/versitygw",
            version="1.8.0",
            version_variables=("main.Version",),
        ),
        "k6": Binary(module="k6", package="go.k6.io/k6", version="1.8.1", from_path=True),
    }
)
"""Every program, by the name of its file. Versions were tried with the Go module proxy on 2026-11-24."""


def ensure_binary(name: str, console: Console | None = None) -> Path:
    """Return the program `name` of BINARIES: from PATH where that serves, from the cache, or built now.

    Raises KeyError for an unknown name and ToolchainError when it cannot be built.
    """
    binary = BINARIES[name]
    console = console or Console(stderr=True)
    found = shutil.which(name) if binary.from_path else None
    if found is not None:
        return Path(found)
    root = cache.cache_root() / "go-binaries"
    folder = root / f"{name}-{binary.version}-{digest_of(name)[:12]}"
    if not cache.is_complete(folder):
        with cache.locked(root / f"{name}.lock", lambda: console.print(f"Another process builds {name}: waiting ...")):
            if not cache.is_complete(folder):
                cache.put(folder, lambda made: _build(name, binary, made / name, console))
    return folder / name


def digest_of(name: str) -> str:
    """Return a digest of everything that decides what the program `name` is."""
    binary = BINARIES[name]
    files = [MODULES / binary.module / file for file in ("go.mod", "go.sum")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files) + repr(binary).encode()).hexdigest()


def _build(name: str, binary: Binary, to: Path, console: Console) -> None:
    go = golang.ensure_go(cache.cache_root(), console)
    with shown(f"Building {name} {binary.version} from Go modules (once for this user)", console) as tell:
        flags = dict.fromkeys(binary.version_variables, binary.version)
        golang.build(go, MODULES / binary.module, binary.package, flags, to, tell, tags=binary.tags)
    to.chmod(0o755)
