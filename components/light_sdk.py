"""Importing single modules of the two big SDKs without the hundreds of modules and thousands of types beside them.

`pulumi_cloudflare` and `pulumi_gcp.compute` import every resource type when the package is touched, and two files that
all of them need, the nested input and output types, define 9,000 classes. Here a package is registered with the
modules that the program uses: it then only knows where its files lie, and these two files are read down to the classes
that those modules reach. They are the SDK's own text; compiled, they are kept where Python keeps compiled modules.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType

MODULES: Mapping[str, Sequence[str]] = {
    "pulumi_cloudflare": (
        "dns_record",
        "get_zero_trust_tunnel_cloudflared_token",
        "ruleset",
        "tiered_cache",
        "zero_trust_access_application",
        "zero_trust_access_policy",
        "zero_trust_access_service_token",
        "zero_trust_tunnel_cloudflared",
        "zero_trust_tunnel_cloudflared_config",
        "zone",
        "zone_setting",
        "zone_subscription",
    ),
    "pulumi_gcp.compute": (
        "address",
        "backend_service",
        "disk",
        "external_vpn_gateway",
        "firewall",
        "global_address",
        "global_forwarding_rule",
        "ha_vpn_gateway",
        "instance",
        "instance_template",
        "network",
        "region_network_endpoint_group",
        "router",
        "router_interface",
        "router_nat",
        "router_peer",
        "subnetwork",
        "target_https_proxy",
        "url_map",
        "vpn_tunnel",
    ),
}
"""What `cloudflare_sdk` and `compute_sdk` import: a module that is not named here misses its nested types."""
TYPES = ("_inputs", "outputs")
_CLASS = b"\nclass "
_NAME = re.compile(rb"class (\w+)")
_QUOTED = re.compile(rb"\b[A-Z]\w*")


def register(package: str, modules: Sequence[str]) -> ModuleType:
    """Return `package` as a module that only knows where its files lie, unless it is already imported whole.

    `modules` are those that will be imported from it. What the package loses is the registry by which the engine's
    resource references become objects again; this program receives none. Raises `ModuleNotFoundError` when the SDK, or
    one of the modules, is not installed.
    """
    known = sys.modules.get(package)
    if known is not None and (type(known) is ModuleType or getattr(known, "__spec__", None) is None):
        return known  # pulumi_gcp registers its packages as lazy ones, of another type: those are still to be imported
    spec = importlib.util.find_spec(package) if known is None else object.__getattribute__(known, "__spec__")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"the SDK {package} is not installed: make setup", name=package)
    folder = Path(spec.submodule_search_locations[0])
    module = ModuleType(package, f"{package}, its modules on demand.")
    module.__path__ = [str(folder)]
    module.__spec__ = importlib.util.spec_from_file_location(package, folder / "__init__.py")
    module.__package__ = package
    sys.modules[package] = module
    above, _, name = package.rpartition(".")
    if above:
        setattr(sys.modules[above], name, module)
    for types in TYPES:
        _load_types(module, folder, types, modules)
    return module


def _load_types(package: ModuleType, folder: Path, types: str, modules: Sequence[str]) -> None:
    """Make the package's module of nested types, with those that `modules` reach."""
    name = f"{package.__name__}.{types}"
    module = ModuleType(name)
    module.__file__ = str(folder / f"{types}.py")
    module.__package__ = package.__name__
    sys.modules[name] = module
    setattr(package, types, module)
    exec(_code(folder, types, modules), module.__dict__)  # noqa: S102 - the installed SDK's own text


def _code(folder: Path, types: str, modules: Sequence[str]) -> CodeType:
    """Return the compiled types: the kept ones while SDK, Python and this module are the same, else newly made ones."""
    sources = [folder / f"{types}.py", Path(__file__), *(folder / f"{module}.py" for module in modules)]
    try:
        stamps = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sources]
    except FileNotFoundError as missing:
        raise ModuleNotFoundError(f"the SDK has no {missing.filename}: correct the list of modules") from None
    digest = hashlib.sha256(repr((importlib.util.MAGIC_NUMBER, stamps)).encode()).hexdigest()[:16]
    kept = folder / "__pycache__" / f"{types}.light-{digest}.pyc"
    with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
        code = marshal.loads(kept.read_bytes())  # noqa: S302 - as Python reads its own compiled modules
        if isinstance(code, CodeType):
            return code
    used = {name for module in modules for name in _QUOTED.findall((folder / f"{module}.py").read_bytes())}
    made = compile(reduced(sources[0].read_bytes(), used), str(sources[0]), "exec")
    # Where nobody may write it is made again at each start.
    with contextlib.suppress(OSError):
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        part.write_bytes(marshal.dumps(made))
        part.replace(kept)
    return made


def reduced(source: bytes, used: Iterable[bytes]) -> bytes:
    """Return the text of a module of generated classes with only those in `used`, and those that they name in turn."""
    head, *rest = source.split(_CLASS)
    decorator = b""
    classes: dict[bytes, bytes] = {}
    head, decorator = _without_decorator(head)
    for text in rest:
        body, following = _without_decorator(_CLASS[1:] + text)
        found = _NAME.match(body)
        if found is None:
            raise ValueError(f"no class in {body[:60]!r}")
        classes[found[1]] = decorator + body
        decorator = following
    reached: set[bytes] = set()
    waiting = [name for name in used if name in classes]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [other for other in _QUOTED.findall(classes[name]) if other in classes]
    kept = [name for name in classes if name in reached]
    names = b"__all__ = [" + b", ".join(b'"' + name + b'"' for name in kept) + b"]\n"
    return head.partition(b"\n__all__ =")[0] + b"\n" + b"\n".join(classes[name] for name in kept) + b"\n" + names


def _without_decorator(text: bytes) -> tuple[bytes, bytes]:
    """Split off the decorator of the next class at the end of a text."""
    body, newline, last = text.rpartition(b"\n")
    return (body, last + b"\n") if newline and last.startswith(b"@") else (text, b"")


for _package, _modules in MODULES.items():
    register(_package, _modules)
