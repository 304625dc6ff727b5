"""The rules as a Pulumi policy pack: what the engine hands over, made into `Resource`s; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pulumi
import pulumi_policy
from pulumi_policy import policy as sdk
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import _is_unknown
from pulumi_policy.secret import Secret

from dreamseed.config import parse_stage
from policy.judge import of_resource, of_stage, settle
from policy.model import UNKNOWN, Resource, Rule, Severity, Stage, StageRule, Violation
from policy.rules import RULES, STAGE_RULES
from policy.waivers import shipped_waivers

NAME = "dreamseed"
TARGET = "__target"
"""How the SDK's proxies give what they stand for."""
LEVELS = {
    Severity.MANDATORY: pulumi_policy.EnforcementLevel.MANDATORY,
    Severity.ADVISORY: pulumi_policy.EnforcementLevel.ADVISORY,
}


def load() -> None:
    """Serve the pack to the engine that started this process."""
    # The SDK drops the mark of a secret before it hands the inputs over, and rules need it: keep it.
    vars(sdk)["deserialize_properties"] = _with_secrets_marked
    pulumi_policy.PolicyPack(name=NAME, policies=[*map(_resource_policy, RULES), *map(_stage_policy, STAGE_RULES)])


def _with_secrets_marked(properties: dict[str, Any], proxy_secrets: bool = True) -> dict[str, Any]:
    return deserialize_properties(properties, proxy_secrets=proxy_secrets)


@cache
def _stage() -> Stage:
    """Return the stage of the stack, as the program reads it: the engine hands the pack the same configuration."""
    settings = pulumi.Config("dreamseed")
    shared, own = settings.require_object("shared"), settings.require_object("stage")
    config = parse_stage(shared, own, where=pulumi.get_stack())
    # The stack may be called otherwise: a rehearsal brings one through all stages.
    return Stage(name=f"stage-{config.service.stage.lower()}", config=config, today=datetime.now(UTC).date())


def _resource_policy(rule: Rule) -> pulumi_policy.ResourceValidationPolicy:
    def validate(args: pulumi_policy.ResourceValidationArgs, report: pulumi_policy.ReportViolation) -> None:
        _report(of_resource(rule, _resource(args), _stage()), report)

    return pulumi_policy.ResourceValidationPolicy(
        name=rule.name, description=rule.description, validate=validate, enforcement_level=LEVELS[rule.severity]
    )


def _stage_policy(rule: StageRule) -> pulumi_policy.StackValidationPolicy:
    def validate(args: pulumi_policy.StackValidationArgs, report: pulumi_policy.ReportViolation) -> None:
        _report(of_stage(rule, map(_resource, args.resources), _stage()), report)

    return pulumi_policy.StackValidationPolicy(
        name=rule.name, description=rule.description, validate=validate, enforcement_level=LEVELS[rule.severity]
    )


def _report(found: list[Violation], report: pulumi_policy.ReportViolation) -> None:
    for violation in settle(found, _stage(), shipped_waivers()).violations:
        report(str(violation), violation.urn or None)


def _resource(given: pulumi_policy.ResourceValidationArgs | pulumi_policy.PolicyResource) -> Resource:
    secrets: list[str] = []
    return Resource(
        urn=given.urn,
        type=given.resource_type,
        name=given.name,
        inputs=_plain(given.props, "", secrets),
        secrets=tuple(secrets),
        protect=bool(given.opts.protect),
    )


def _plain(value: Any, path: str, secrets: list[str]) -> Any:
    """Return `value` without the SDK's wrappings; the paths of secrets are noted in `secrets`."""
    if isinstance(value, Secret):
        secrets.append(path)
        return _plain(value.value, path, secrets)
    if type(value).__name__.endswith("Proxy"):
        return _plain(value[TARGET], path, secrets)
    if isinstance(value, Mapping):
        return {key: _plain(item, f"{path}.{key}".lstrip("."), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{path}[{index}]", secrets) for index, item in enumerate(value)]
    if _is_unknown(value):
        return UNKNOWN
    # The wire knows one kind of number only.
    return int(value) if isinstance(value, float) and value.is_integer() else value
