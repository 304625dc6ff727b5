"""What the machine must have, and how it reaches its package registries: read from its own configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from localtier.images.errors import ImageError
from rehearsal.toolchain.progress import shown

PACKAGE_OF: Mapping[str, str] = MappingProxyType(
    {
        "dockerd": "docker.io",
        "debootstrap": "debootstrap",
        "mvn": "maven",
        "openssl": "openssl",
        "ip": "iproute2",
        "dnsmasq": "dnsmasq-base",
        "iptables": "iptables",
        "sysctl": "procps",
        "curl": "curl",
    }
)
"""The Debian package of each command that the servers' tier needs."""

PIP_FILE_SETTINGS = ("cert",)
PIP_PLAIN_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy")
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, kw_only=True)
class PipSettings:
    """How pip reaches its index here: a pip.conf for a build, and the authorities that it trusts (PEM or empty)."""

    configuration: str
    authorities: bytes


def ensure_commands(console: Console, package_of: Mapping[str, str] = PACKAGE_OF) -> None:
    """Install the packages of the commands that are missing, with apt-get. Raises ImageError where it cannot."""
    missing = {package for name, package in package_of.items() if shutil.which(name, path=_search_path()) is None}
    if not missing:
        return
    names = " ".join(sorted(missing))
    apt_get = shutil.which("apt-get")
    if os.geteuid() != 0 or apt_get is None:
        raise ImageError(f"missing on this machine: {names}", f"as root: apt-get install {names}; or your system's way")
    with shown(f"Installing {names}", console):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *sorted(missing)]):
            run = subprocess.run([apt_get, *command], capture_output=True, text=True, check=False, env=environment)
            if run.returncode:
                raise ImageError(
                    f"apt-get {command[0]} failed ({run.returncode}):\n{run.stderr[-2000:]}",
                    f"install {names} by hand, then run the command again",
                )


def command_path(name: str) -> str:
    """Return where the command is, the administrator's folders included. Raises ImageError when it is missing."""
    found = shutil.which(name, path=_search_path())
    if found is None:
        raise ImageError(f"{name} is not on this machine", f"as root: apt-get install {PACKAGE_OF.get(name, name)}")
    return found


def require_root() -> None:
    """Raise ImageError unless the process is root: a Docker Engine of one's own needs it."""
    if os.geteuid() != 0:
        raise ImageError("images are built by a Docker Engine of our own, which needs root", "run the command as root")


def debian_mirror() -> str:
    """Return the address of the Debian archive that this machine's apt uses. Raises ImageError without one."""
    return _apt_archive("Created-By: Packages", "/debian")


def debian_security_mirror() -> str:
    """Return the address of Debian's security archive that this machine's apt uses. Raises ImageError without one."""
    return _apt_archive("Created-By: Packages", "/debian-security")


def _apt_archive(kind: str, ending: str) -> str:
    run = subprocess.run(
        [command_path("apt-get"), "indextargets", "--format", "$(REPO_URI)", kind],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in run.stdout.splitlines():
        if line.rstrip("/").endswith(ending):
            return line.rstrip("/")
    raise ImageError(
        f"apt on this machine knows no archive that ends in {ending}",
        "run on Debian with its archives in /etc/apt/sources.list, after apt-get update",
    )


def pip_settings() -> PipSettings:
    """Return what a build must know to reach the package index as pip on this machine does."""
    run = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in run.stdout.splitlines():
        name, _, value = line.partition("=")
        found[name.rsplit(".", 1)[-1]] = value.strip().strip("'\"")
    lines = [f"{name} = {found[name]}" for name in PIP_PLAIN_SETTINGS if name in found]
    authorities = b"".join(Path(found[name]).read_bytes() for name in PIP_FILE_SETTINGS if name in found)
    if authorities:
        lines.append("cert = /etc/build-authorities.pem")
    return PipSettings(configuration="\n".join(["[global]", *lines, ""]), authorities=authorities)


def proxy_variables() -> dict[str, str]:
    """Return the proxy variables of this process, which a build may use and no image keeps."""
    return {name: os.environ[name] for name in PROXY_VARIABLES if name in os.environ}


def _search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
