"""Two servers of stage E as network namespaces joined by a cable, with the links' programs and files as planned."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from dreamseed.planning.container import SECRET_CLOSE, SECRET_OPEN, Container
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.wireguard import INTERFACE, public_key_of
from dreamseed.wireguard_keys import private_key, public_key
from localtier.images.errors import ImageError
from localtier.images.machine import ensure_commands
from tests.planning.stages import container, shipped

PROGRAM = Path(__file__).parents[2] / "images" / "wireguard" / "wireguard-link"
NAMESPACES = Path("/run/netns")
NAMES = ("server-1", "server-2")
ADDRESSES = {"server-1": "10.20.0.11", "server-2": "10.20.0.12"}
COMMANDS = {
    "ip": "iproute2",
    "nft": "nftables",
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
    "sysctl": "procps",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
"""What the program and these tests call, and the Debian package of each."""
SECRET = "a secret of these tests alone"
Change = Callable[[str], str]


def require_machine() -> None:
    """Skip, with the reason, where the kernel may not be asked for namespaces and interfaces."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces and interfaces take root")
    if not Path("/dev/net/tun").exists():
        pytest.skip("/dev/net/tun is not there: no program can make an interface")
    try:
        ensure_commands(Console(quiet=True), COMMANDS)
    except ImageError as error:
        pytest.skip(str(error))


def planned(server: str) -> Container:
    """The link's container of a server at stage E."""
    return container(shipped("stage-e"), f"{server}-wireguard")


@dataclass
class End:
    """One server: its namespace, its link's folder, and what was started there."""

    server: str
    namespace: str
    folder: Path
    program: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return ADDRESSES[self.server]

    def inside(self, *words: str) -> list[str]:
        return ["nsenter", f"--net={NAMESPACES / self.namespace}", *words]

    def run(self, *words: str) -> str:
        done = subprocess.run(self.inside(*words), capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, f"{self.server}: {words}: {done.stderr}"
        return done.stdout

    def write(self, *, key: str = SECRET, of_others: str = SECRET, rules: Change = str) -> None:
        """Put the planned files there, with keys derived as the program does."""
        values: dict[str, str] = {ProvidedSecret.WIREGUARD_PRIVATE: private_key(key, self.server)}
        values |= {public_key_of(name): public_key(of_others, name) for name in NAMES}
        for file in planned(self.server).files:
            text = file.text
            for name, value in values.items():
                text = text.replace(f"{SECRET_OPEN}{name}{SECRET_CLOSE}", value)
            path = self.folder / Path(file.path).name
            path.write_text(rules(text) if path.suffix == ".nft" else text, encoding="utf-8")

    def words(self, verb: str) -> list[str]:
        _, _, *addresses = planned(self.server).command
        return ["/bin/sh", str(self.program), verb, str(self.folder), *addresses]

    def start(self, *, look_seconds: str = "3600", wait: bool = True) -> subprocess.Popen[str]:
        """Start the program as in its container: with a /run of its own, where wireguard-go listens, and few rights."""
        rights = "setpriv --no-new-privs --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin"
        words = " ".join(self.words("keep"))
        script = f"mount -t tmpfs none /run && LOOK_SECONDS={look_seconds} exec {rights} {words}"
        started = subprocess.Popen(
            self.inside("unshare", "--mount", "/bin/sh", "-ec", script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(started)
        if wait:
            until(lambda: self.check() or started.poll() is not None)
            assert started.poll() is None, started.stderr and started.stderr.readline()
        return started

    def among(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the program that was started last, as `docker exec` does."""
        entered = self.inside("nsenter", f"--mount=/proc/{self.processes[-1].pid}/ns/mnt", *words)
        return subprocess.run(entered, capture_output=True, text=True, check=False, timeout=30)

    def check(self) -> bool:
        return self.among(*self.words("check")).returncode == 0

    def state(self) -> tuple[str, ...]:
        """What the kernel holds of the link, without counters."""
        return (
            self.run("ip", "-oneline", "link", "show", INTERFACE),
            self.run("ip", "-4", "-oneline", "address", "show"),
            self.run("ip", "rule", "show"),
            self.run("ip", "-4", "route", "show", "table", "all"),
            self.run("nft", "--stateless", "--handle", "list", "ruleset"),
        )

    def kill(self) -> None:
        """SIGKILL all that runs there, as when a container is killed; the kernel's own interface stays."""
        while running := list(self._running()):
            for pid in running:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for one in self.processes:
            one.communicate(timeout=10)
        if not self.has_kernels_own():
            until(lambda: INTERFACE not in self.run("ip", "link"))

    def has_kernels_own(self) -> bool:
        """Whether the kernel has WireGuard itself: then nothing has to run for packets to be sealed."""
        return bool(self.run("ip", "link", "show", "type", "wireguard").strip())

    def _running(self) -> Iterator[int]:
        own = (NAMESPACES / self.namespace).stat().st_ino
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (folder / "ns" / "net").stat().st_ino == own and (folder / "cmdline").read_bytes():
                    yield int(folder.name)


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come about within 20 s"
        time.sleep(0.05)


@contextmanager
def pair(folder: Path, *, program: Change = str) -> Iterator[tuple[End, End]]:
    """Two servers with a cable and their files, nothing started; `program` changes the script."""
    prefix = f"link{os.getpid()}"
    ends = []
    with ExitStack() as stack:
        for server in NAMES:
            own = folder / server
            own.mkdir(parents=True)
            script = own / PROGRAM.name
            script.write_text(program(PROGRAM.read_text(encoding="utf-8")), encoding="utf-8")
            end = End(server=server, namespace=f"{prefix}-{server}", folder=own, program=script)
            host("ip", "netns", "add", end.namespace)
            stack.callback(host, "ip", "netns", "delete", end.namespace)
            stack.callback(end.kill)
            end.write()
            ends.append(end)
        one, other = ends
        host("ip", "link", "add", "eth0", "netns", one.namespace, "type", "veth",
             "peer", "name", "eth0", "netns", other.namespace)  # fmt: skip
        for end in ends:
            end.run("ip", "address", "add", f"{end.address}/24", "dev", "eth0")
            end.run("ip", "link", "set", "lo", "up")
            end.run("ip", "link", "set", "eth0", "up")
        yield one, other


def host(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)


def python() -> str:
    """The interpreter of the tests, or the system's where that one is not found."""
    return shutil.which("python3") or "python3"


def listening(end: End, port: int, *, seconds: float = 4) -> subprocess.Popen[str]:
    """A server that says who called and which segments fit, of the first call within `seconds`."""
    program = (
        "import socket\n"
        f"door = socket.create_server(('0.0.0.0', {port})); door.settimeout({seconds})\n"
        "print('ready', flush=True)\n"
        "line, who = door.accept()\n"
        "line.sendall(b'plain to see' * 5000)\n"
        "print(who[0], line.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))\n"
    )
    started = subprocess.Popen(
        end.inside(python(), "-c", program), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def call(inside: Sequence[str], address: str, port: int, *, seconds: float = 2) -> bool:
    """Whether a call from there is answered with all that is to be sent."""
    program = (
        "import socket\n"
        f"line = socket.create_connection(('{address}', {port}), {seconds})\n"
        "got = b''\n"
        "while more := line.recv(65536): got += more\n"
        "assert got == b'plain to see' * 5000\n"
    )
    return subprocess.run([*inside, python(), "-c", program], capture_output=True, check=False).returncode == 0
