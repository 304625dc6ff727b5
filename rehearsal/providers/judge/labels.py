"""The labels of a gcp resource: `labels` are the program's, `pulumiLabels` add the provider's, the effective its mark.

Source: gcp.json `_meta.labels` and the plan-time functions SetLabelsDiff; the attribution label's key and value are
from memory of pulumi-gcp, unverified.
"""

from __future__ import annotations

import json
from typing import Any

from rehearsal.providers.values import UNKNOWN, Secret, Value, Values, plain
from rehearsal.tables.facts import TypeFacts

ATTRIBUTION = {"goog-pulumi-provisioned": "true"}


def _default_labels(config: Values) -> dict[str, Any]:
    given = config.get("defaultLabels")
    parsed = json.loads(given) if isinstance(given, str) and given else given
    return dict(parsed) if isinstance(parsed, dict) else {}


def _map(value: Value) -> dict[str, Any] | None:
    bare = plain(value)
    return None if bare is UNKNOWN else bare if isinstance(bare, dict) else {}


def planned_labels(facts: TypeFacts, inputs: Values, config: Values) -> Values:
    """The computed label and annotation outputs that a plan already knows; empty for types without them."""
    planned: Values = {}
    with_mark = "tpgresource.SetLabelsDiff" in facts.customize_diff
    if with_mark or "tpgresource.SetLabelsDiffWithoutAttributionLabel" in facts.customize_diff:
        own = _map(inputs.get("labels"))
        merged: Value = UNKNOWN if own is None else _default_labels(config) | own
        mark = ATTRIBUTION if with_mark and config.get("addPulumiAttributionLabel") not in {"false", False} else {}
        planned["pulumiLabels"] = Secret(merged)
        planned["effectiveLabels"] = Secret(merged | mark if isinstance(merged, dict) else merged)
    if "tpgresource.SetAnnotationsDiff" in facts.customize_diff:
        annotations = _map(inputs.get("annotations"))
        planned["effectiveAnnotations"] = UNKNOWN if annotations is None else annotations
    return planned
