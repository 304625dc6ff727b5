"""The name server outside: it knows the stand-ins' public names, and of everything else that it does not exist.

It stands for the internet's. Each host's engine asks it at its network's gateway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def command(addresses: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Return dnsmasq's command line: it listens at `addresses` and answers `names` with an address each.

    An unknown name is answered at once (NXDOMAIN), not left to a time-out. Source: dnsmasq(8), `--address`.
    """
    return [
        "dnsmasq",
        "--keep-in-foreground",
        "--log-facility=-",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=nobody",
        "--no-hosts",
        "--no-resolv",
        "--bind-interfaces",
        *(f"--listen-address={address}" for address in addresses),
        "--address=/#/",
        *(f"--address=/{name}/{address}" for name, address in sorted(names.items())),
    ]
