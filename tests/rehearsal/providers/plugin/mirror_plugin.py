"""Plays the plugin of one of our packages by its tables: `mirror_plugin.py PACKAGE VERSION ENGINE_ADDRESS`.

Whoever asks it hears what the tables say, so that what stands between (process, wire, fake cloud) can be held to
changing nothing, for every resource of every stage. It creates nothing.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[4]))

import grpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc

from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.servicer import AttachedProvider


class Mirror(AttachedProvider):
    """The tables behind a plugin's protocol."""

    def __init__(self, package: str, version: str) -> None:
        # A plugin that judges is never asked to create: there is no cloud.
        super().__init__(package, TableJudge(), cloud=None)  # type: ignore[arg-type]
        self._version = version

    def plugin_info(self, _request: Any, _context: Any) -> plugin_pb2.PluginInfo:
        """The version that the SDK asks for."""
        return plugin_pb2.PluginInfo(version=self._version)

    GetPluginInfo: Any = plugin_info


def main() -> None:
    """Serve until the process is killed."""
    server = grpc.server(ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Mirror(sys.argv[1], sys.argv[2]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
