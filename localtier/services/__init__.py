"""The services outside of the servers that containers need: names and the object store."""

from localtier.services.object_store import KeyPair
from localtier.services.services import Services

__all__ = ["KeyPair", "Services"]
