"""Keys made on the spot, and the files that say whose they are."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from dreamseed.signing import Trust


@dataclass(frozen=True)
class Keyring:
    """Throw-away SSH keys in `folder`, and who may sign as what in `allowed_signers` and `revoked_keys` beside them."""

    folder: Path

    @property
    def trust(self) -> Trust:
        return Trust(allowed_signers=self.folder / "allowed_signers", revoked=self.folder / "revoked_keys")

    def key(self, name: str) -> Path:
        """Return the private key `name`, made when it is first asked for."""
        path = self.folder / name
        if not path.exists():
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@dreamseed.example", "-f", str(path)]
            subprocess.run(made, check=True)
        return path

    def public(self, name: str) -> str:
        return Path(f"{self.key(name)}.pub").read_text(encoding="utf-8").strip()

    def allow(self, principal: str, name: str, options: str = "") -> None:
        """Add a line to the allowed signers: key `name` may sign as `principal`."""
        with self.trust.allowed_signers.open("a", encoding="utf-8") as file:
            file.write(f"{principal} {options + ' ' if options else ''}{self.public(name)}\n")

    def revoke(self, name: str) -> None:
        assert self.trust.revoked
        with self.trust.revoked.open("a", encoding="utf-8") as file:
            file.write(self.public(name) + "\n")


def keyring(folder: Path) -> Keyring:
    """Return an empty keyring in `folder`: nobody may sign, nothing is revoked."""
    folder.mkdir(parents=True, exist_ok=True)
    ring = Keyring(folder)
    for file in (ring.trust.allowed_signers, ring.trust.revoked):
        assert file
        file.touch()
    return ring
