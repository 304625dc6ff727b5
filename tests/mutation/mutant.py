"""A mutant of the program: one resource declared otherwise, in every stage that declares it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from tests.ledger import identity
from tests.program import Registered

Path = tuple[str | int, ...]


class _Gone:
    def __repr__(self) -> str:
        return "left out"


GONE = _Gone()
"""Put where an input is to be left out."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one resource: an input at `path` becomes `value`, or one of the options is another."""

    operator: str
    type: str
    name: str
    what: str
    path: Path = ()
    value: Any = field(default=None, hash=False)
    in_tests: str = ""
    """Where `value` refers to another resource: how the recorder of the tests writes that reference."""
    unprotected: bool = False
    unmarked: bool = False
    without: str = ""
    """The identity of a dependency that is left out, where no input implies it."""
    renamed: str = ""
    lost: bool = False

    def __str__(self) -> str:
        return f"{self.type} {self.name}: {self.what}"

    def is_of(self, type_token: str, name: str) -> bool:
        """Tell whether this resource is the one that is changed."""
        return (type_token, name) == (self.type, self.name)

    def as_recorded(self) -> Mutant:
        """Return the mutant as the recorder of the tests would see it."""
        return replace(self, value=self.in_tests) if self.in_tests else self

    def inputs(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the inputs with the change; nothing where they have no such place, or hold the value already."""
        if not self.path:
            return None
        changed = deepcopy(dict(given))
        return changed if put(changed, self.path, self.value) and changed != given else None

    def into(self, resource: Registered) -> Registered:
        """Return the resource with the change; itself where there is nothing to change."""
        changed = self.inputs(resource.inputs)
        urn = resource.urn
        if self.renamed:
            urn = urn.removesuffix(self.name) + self.renamed
        return replace(
            resource,
            urn=urn,
            name=self.renamed or resource.name,
            inputs=resource.inputs if changed is None else changed,
            protect=resource.protect and not self.unprotected,
            secrets=() if self.unmarked else resource.secrets,
            dependencies=tuple(urn for urn in resource.dependencies if identity(urn) != self.without),
        )

    def among(self, resources: tuple[Registered, ...]) -> tuple[Registered, ...]:
        """Return all resources of a stage with the one changed, or lost."""
        return tuple(
            self.into(each) if self.is_of(each.type, each.name) else each
            for each in resources
            if not (self.lost and self.is_of(each.type, each.name))
        )


def put(holder: Any, path: Path, value: Any) -> bool:
    """Put `value` at `path` below `holder`; tell whether there is such a place."""
    *parents, last = path
    for key in parents:
        holder = _below(holder, key)
    if _below(holder, last) is None:
        return False
    if value is GONE:
        del holder[last]
    else:
        holder[last] = deepcopy(value)
    return True


def _below(holder: Any, key: str | int) -> Any:
    if isinstance(holder, dict) and isinstance(key, str):
        return holder.get(key)
    if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
        return holder[key]
    return None


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every place below `value` with what stands there, blocks and lists before their parts."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, Mapping):
        items = ((key, item) for key, item in value.items() if not str(key).startswith("__"))
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for key, item in items:
        yield (*path, key), item
        yield from places(item, (*path, key))


def shown(path: Path) -> str:
    """Return a path as people write it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def generic(path: Path) -> str:
    """Return a path as the tables write it, ``a[].b``."""
    return "".join("[]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")


def brief(value: Any) -> str:
    """Return a value for one line; never more of a long text than its beginning."""
    text = repr(value)
    return text if len(text) <= 48 else f"{text[:45]}…"
