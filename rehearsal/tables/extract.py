"""Write `properties/*.json`: what the installed Pulumi SDKs say about names and types.

Run as `python -m rehearsal.tables.extract` after an SDK was upgraded or a table was added; with `--tables FOLDER` for
tables of one's own (`own.py`). The SDK sources are parsed, never imported, so nothing of them runs.

Grammar of a type: `string`, `integer`, `number`, `boolean`, `any`, `asset`; `[T]` an array; `{T}` a map with string
keys; `#Name` an object of the section `objects`. A trailing `!` on a property means that it is required.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from rehearsal.tables.facts import META, PACKAGES, PROPERTIES, table_of, tables_in, tokens_with_facts

SDKS = {name: f"pulumi_{name}" for name in PACKAGES} | {"grafana": "pulumiverse_grafana"}
SCALARS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "Any": "any"}
ASSETS = {"Asset", "Archive"}


class UnreadableSdkError(Exception):
    """The SDK's generated Python has a shape that this script does not know."""


@cache
def classes_of(file: Path) -> dict[str, ast.ClassDef]:
    """The classes of a module of an SDK."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def getters_of(cls: ast.ClassDef) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Wire name and getter of each property of a generated class."""
    for node in cls.body:
        if not isinstance(node, ast.FunctionDef) or node.returns is None:
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            target = call.func if call else decorator
            if isinstance(target, ast.Attribute) and target.attr == "getter":
                names = [k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)] if call else []
                yield (str(names[0]) if names else node.name), node


def _getters(cls: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """Wire name and annotation of each property of a generated class."""
    for name, getter in getters_of(cls):
        if getter.returns is not None:
            yield name, getter.returns


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    raise UnreadableSdkError(f"cannot read the name in {ast.dump(node)}")


class Extractor:
    """Collects the object types that the resources of one SDK reach."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[str, dict[str, str]] = {}

    def type_of(self, node: ast.expr, module: Path) -> tuple[str, bool]:
        """The type in this script's grammar, and whether the annotation is optional."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.type_of(ast.parse(node.value, mode="eval").body, module)
        if not isinstance(node, ast.Subscript):
            return self._named(node, module), False
        outer = _last_name(node.value)
        if outer in {"Input", "InputType", "Output"}:
            return self.type_of(node.slice, module)
        if outer == "Optional":
            return self.type_of(node.slice, module)[0], True
        if outer == "Sequence":
            return f"[{self.type_of(node.slice, module)[0]}]", False
        if outer == "Mapping" and isinstance(node.slice, ast.Tuple):
            return f"{{{self.type_of(node.slice.elts[1], module)[0]}}}", False
        if outer == "Union" and isinstance(node.slice, ast.Tuple):
            return self._union([self.type_of(e, module)[0] for e in node.slice.elts if not _is_dict_form(e)]), False
        raise UnreadableSdkError(f"unknown annotation {ast.unparse(node)}")

    @staticmethod
    def _union(options: list[str]) -> str:
        distinct = list(dict.fromkeys(options))
        if len(distinct) == 1:
            return distinct[0]
        return "string" if set(distinct) <= {"string", "any"} or "string" in distinct else "any"

    def _named(self, node: ast.expr, module: Path) -> str:
        name = _last_name(node)
        if name in SCALARS:
            return SCALARS[name]
        if name in ASSETS:
            return "asset"
        enums = module / "_enums.py"
        if enums.exists() and name in classes_of(enums):
            return "string"
        is_output = isinstance(node, ast.Attribute) and _last_name(node.value) == "outputs"
        return "#" + self._object(name, module, "outputs.py" if is_output else "_inputs.py")

    def _object(self, name: str, module: Path, file: str) -> str:
        reference = name if module == self.folder else f"{module.relative_to(self.folder).as_posix()}.{name}"
        if reference not in self.objects:
            self.objects[reference] = {}
            try:
                cls = classes_of(module / file)[name]
            except KeyError:
                raise UnreadableSdkError(f"{module / file} has no class {name}") from None
            self.objects[reference] = self.properties(cls, module)
        return reference

    def properties(self, cls: ast.ClassDef, module: Path) -> dict[str, str]:
        """Wire names and types of a generated class, in alphabetical order."""
        found = {}
        for name, annotation in _getters(cls):
            type_, optional = self.type_of(annotation, module)
            found[name] = type_ if optional else type_ + "!"
        return dict(sorted(found.items()))


def _is_dict_form(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).endswith("ArgsDict")


def sources_of(folder: Path, tokens: set[str]) -> dict[str, Path]:
    """The SDK file that registers each token."""
    found: dict[str, Path] = {}
    pattern = re.compile(r"__init__\(\s*'([\w-]+:[\w/]+:\w+)'")
    for file in folder.rglob("*.py"):
        for token in pattern.findall(file.read_text(encoding="utf-8")):
            if token in tokens:
                found[token] = file
    if missing := tokens - set(found):
        raise UnreadableSdkError(f"{folder.name} registers no {', '.join(sorted(missing))}")
    return found


def _config_variables(folder: Path) -> dict[str, str]:
    """Configuration keys that the SDK reads from a stack's configuration; a few are no argument of the provider."""
    kinds = {"get_bool": "boolean", "get_int": "integer", "get_float": "number", "get": "string"}
    file = folder / "config" / "vars.py"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.findall(r"__config__\.(get|get_bool|get_int|get_float)\('(\w+)'\)", text)
    return {key: kinds[getter] for getter, key in found}


def extract(package: str) -> dict[str, object]:
    """Names and types of one of our packages, see `extract_from`."""
    return extract_from(SDKS[package], tokens_with_facts(package))


def extract_from(sdk: str, tokens: set[str]) -> dict[str, object]:
    """Names and types that an installed SDK gives: its configuration, the resources named, their nested objects."""
    spec = importlib.util.find_spec(sdk)
    if spec is None or spec.origin is None:
        raise UnreadableSdkError(f"the SDK {sdk} is not installed: pip install {sdk.replace('_', '-')}")
    folder = Path(spec.origin).parent
    extractor = Extractor(folder)
    resources = {}
    for token, file in sorted(sources_of(folder, tokens).items()):
        name, classes = token.rpartition(":")[2], classes_of(file)
        inputs = extractor.properties(classes[f"{name}Args"], file.parent)
        everything = extractor.properties(classes[name], file.parent)
        outputs = {key: type_.rstrip("!") for key, type_ in everything.items() if key not in inputs}
        resources[token] = {"inputs": inputs, "outputs": outputs}
    provider = extractor.properties(classes_of(folder / "provider.py")["ProviderArgs"], folder)
    return {
        "_meta": {
            "sdk": f"{sdk} {version(sdk)}",
            "written_by": "python -m rehearsal.tables.extract",
        },
        "config": dict(sorted((_config_variables(folder) | provider).items())),
        "resources": resources,
        "objects": dict(sorted(extractor.objects.items())),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write one file a package and say how much is in it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.tables.extract", description="read SDKs' properties")
    parser.add_argument("--tables", type=Path, help="folder of tables of one's own (default: ours)")
    folder: Path | None = parser.parse_args(arguments).tables
    wanted: dict[str, tuple[str, set[str]]] = {name: (SDKS[name], tokens_with_facts(name)) for name in PACKAGES}
    if folder is not None:
        wanted = {path.stem: _own(path) for path in tables_in(folder)}
    to = PROPERTIES if folder is None else folder / "properties"
    to.mkdir(exist_ok=True)
    for package, (sdk, tokens) in wanted.items():
        try:
            tables = extract_from(sdk, tokens)
        except UnreadableSdkError as error:
            sys.stderr.write(f"{package}: {error}\n")
            return 1
        (to / f"{package}.json").write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(f"{package}.json: {len(tokens)} types\n")
    return 0


def _own(path: Path) -> tuple[str, set[str]]:
    """The SDK of a table of one's own, as its `_meta` names it, and the types whose properties it does not write."""
    table = table_of(path)
    named = str(table.get(META, {}).get("sdk", "")).partition(" ")[0]
    tokens = {token for token, row in table.items() if token != META and "properties" not in row}
    return named.replace("-", "_") or f"pulumi_{path.stem}", tokens


if __name__ == "__main__":
    sys.exit(main())
