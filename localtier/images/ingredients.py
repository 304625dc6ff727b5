"""What builds need from outside the tree, fetched once and cached: a debootstrapped Debian, and Kafka's jars."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from localtier.images.engine import local_cache
from localtier.images.errors import ImageError
from localtier.images.machine import command_path, debian_mirror, debian_security_mirror
from localtier.images.recipes import DIGEST_SHOWN, FOLDER
from rehearsal.toolchain import cache
from rehearsal.toolchain.progress import Progress, shown

SUITE = "trixie"
LEFT_OUT = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "dev")
KAFKA = FOLDER / "stand-ins" / "kafka"
JAR_SUMS = KAFKA / "jars.sha256"


def ensure_root(console: Console) -> Path:
    """Return a tar archive of a minimal Debian, debootstrapped now if there is none. Raises ImageError."""
    archives = debian_mirror(), debian_security_mirror()
    sources = "".join(
        f"deb {archive} {suite} main\n"
        for archive, suite in (
            (archives[0], SUITE),
            (archives[0], f"{SUITE}-updates"),
            (archives[1], f"{SUITE}-security"),
        )
    )
    name = hashlib.sha256(sources.encode()).hexdigest()[:DIGEST_SHOWN]
    folder = local_cache() / f"debian-{SUITE}-{name}"
    if not cache.is_complete(folder):
        with shown(f"Making a minimal Debian ({SUITE})", console) as tell:
            cache.put(folder, lambda made: _debootstrap(made, archives[0], sources, tell))
    return folder / "root.tar"


def _debootstrap(made: Path, mirror: str, sources: str, tell: Progress) -> None:
    root = made / "root"
    _run(
        [
            command_path("debootstrap"),
            "--variant=minbase",
            "--include=ca-certificates,openssl",
            SUITE,
            str(root),
            mirror,
        ],
        tell,
    )
    for left_out in LEFT_OUT:
        for path in (root / left_out).glob("*"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    texts = {
        "etc/apt/sources.list": sources,
        "etc/apt/apt.conf.d/01-lean": 'APT::Install-Recommends "false";\nAPT::Install-Suggests "false";\n',
        "etc/dpkg/dpkg.cfg.d/01-lean": "".join(
            f"path-exclude /usr/share/{name}/*\n" for name in ("doc", "man", "locale", "info")
        )
        + "force-unsafe-io\n",
        "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",
    }
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    # The machine's own names must not get into an image.
    for name in ("etc/resolv.conf", "etc/hostname"):
        (root / name).unlink(missing_ok=True)
    with tarfile.open(made / "root.tar", "w") as archive:
        archive.add(root, arcname=".")
    shutil.rmtree(root)


def ensure_jars(console: Console) -> Path:
    """Return a folder with Kafka's jars, each with the digest that jars.sha256 says. Raises ImageError."""
    inputs = [KAFKA / "pom.xml", JAR_SUMS]
    name = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()[:DIGEST_SHOWN]
    folder = local_cache() / f"kafka-jars-{name}"
    if not cache.is_complete(folder):
        with shown("Fetching Kafka's jars", console) as tell:
            cache.put(folder, lambda made: _fetch_jars(made, tell))
    return folder / "jars"


def _fetch_jars(made: Path, tell: Progress) -> None:
    jars = made / "jars"
    jars.mkdir()
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    _run(
        [
            command_path("mvn"),
            "-B",
            "-f",
            str(KAFKA / "pom.xml"),
            goal,
            f"-DoutputDirectory={jars}",
            "-DincludeScope=runtime",
        ],
        tell,
    )
    lines = [line.split() for line in JAR_SUMS.read_text(encoding="utf-8").splitlines()]
    expected = {name: sha256 for sha256, name in lines}
    found = dict(jar_sums(jars))
    wrong = sorted({name for name, _ in expected.items() ^ found.items()})
    if wrong:
        raise ImageError(
            f"Maven's jars are not those of {JAR_SUMS.name}: {', '.join(wrong[:5])}",
            "see whether pom.xml changed without jars.sha256, or whether the repository serves something else",
        )


def jar_sums(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and SHA-256 digest of each jar in `folder`."""
    for jar in sorted(folder.glob("*.jar")):
        yield jar.name, hashlib.sha256(jar.read_bytes()).hexdigest()


def _run(command: list[str], tell: Progress) -> None:
    last: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            last = [*last[-14:], line.rstrip()]
            tell(line.strip())
    if process.returncode:
        raise ImageError(
            f"{command[0]} failed ({process.returncode}):\n" + "\n".join(last),
            "check the network and the package source of this machine, then run the command again",
        )
