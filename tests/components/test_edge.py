from __future__ import annotations

import base64

import pytest

from dreamseed.catalog.cloudflare_plans import PLAN_LIMITS, RATE_LIMIT_PERIODS_SECONDS
from dreamseed.planning.edge import plan_edge
from dreamseed.planning.services.tunnel import CONNECT_TIMEOUT_SECONDS
from tests.components.builders import declare_edge, routes_of, secret_of
from tests.components.declaring import Declared, changed, stage

STAGES = ("a", "b", "c", "d", "e")


def _phases(declared: Declared) -> dict[str, list[dict[str, object]]]:
    return {ruleset.inputs["phase"]: ruleset.inputs["rules"] for ruleset in declared.all("Ruleset")}


@pytest.mark.parametrize("letter", STAGES)
def test_rate_limits_count_over_a_period_that_the_plan_allows(letter: str) -> None:
    config = stage(letter)
    limits = PLAN_LIMITS[config.edge.plan]
    rules = _phases(declare_edge(config))["http_ratelimit"]
    assert 0 < len(rules) <= limits.rate_limit_rules
    for rule in rules:
        limit = rule["ratelimit"]
        assert isinstance(limit, dict)
        assert limit["period"] in RATE_LIMIT_PERIODS_SECONDS
        assert limit["period"] <= limits.rate_limit_max_period_seconds
        assert limit["mitigationTimeout"] <= limits.rate_limit_max_timeout_seconds
        assert limit["characteristics"] == ["ip.src", "cf.colo.id"]


@pytest.mark.parametrize("letter", STAGES)
def test_each_phase_has_one_ruleset_whose_rules_have_names_for_good(letter: str) -> None:
    rulesets = declare_edge(stage(letter)).all("Ruleset")
    phases = [ruleset.inputs["phase"] for ruleset in rulesets]
    assert len(set(phases)) == len(phases)
    for ruleset in rulesets:
        names = [rule["ref"] for rule in ruleset.inputs["rules"]]
        assert names
        assert len(set(names)) == len(names)


def test_managed_rules_come_with_a_paid_plan() -> None:
    assert "http_request_firewall_managed" not in _phases(declare_edge(stage("a")))
    managed = _phases(declare_edge(stage("b")))["http_request_firewall_managed"]
    assert [rule["action"] for rule in managed] == ["execute", "execute"]


def test_free_is_not_subscribed_to_and_a_paid_plan_is_protected() -> None:
    assert not declare_edge(stage("a")).has("ZoneSubscription")
    subscription = declare_edge(changed(stage("a"), "edge", plan="business")).one("ZoneSubscription")
    assert subscription.inputs["ratePlan"] == {"id": "business"}
    assert subscription.inputs["frequency"] == "yearly"
    assert subscription.protect


def test_traffic_is_encrypted_on_both_sides_of_the_edge() -> None:
    settings = {s.inputs["settingId"]: s.inputs["value"] for s in declare_edge(stage("a")).all("ZoneSetting")}
    assert settings["ssl"] == "strict"
    assert settings["min_tls_version"] == "1.2"


@pytest.mark.parametrize("letter", STAGES)
def test_the_zone_has_exactly_the_settings_of_the_plan(letter: str) -> None:
    settings = declare_edge(stage(letter)).all("ZoneSetting")
    assert {s.inputs["settingId"]: s.inputs["value"] for s in settings} == dict(
        plan_edge(stage(letter), "stage-x").settings
    )
    assert all(s.name.endswith(f"-{s.inputs['settingId']}") for s in settings)


def test_the_service_token_does_not_end_on_an_anniversary() -> None:
    # Left out, Cloudflare's default of one year holds.
    assert declare_edge(stage("a")).one("ZeroTrustAccessServiceToken").inputs["duration"] == "87600h"


def test_plain_http_is_redirected_except_where_certificates_are_proved() -> None:
    (rule,) = _phases(declare_edge(stage("a")))["http_request_dynamic_redirect"]
    assert rule["action"] == "redirect"
    assert rule["expression"] == ('not ssl and not starts_with(http.request.uri.path, "/.well-known/acme-challenge/")')


@pytest.mark.parametrize("letter", STAGES)
def test_every_private_name_is_guarded_before_it_can_be_found(letter: str) -> None:
    config = stage(letter)
    declared = declare_edge(config)
    hostnames = {route.hostname for route in routes_of(config)}
    applications = {a.inputs["domain"]: a for a in declared.all("ZeroTrustAccessApplication")}
    records = {r.inputs["name"]: r for r in declared.all("DnsRecord")}
    assert set(applications) == set(records) == hostnames
    policy = declared.one("ZeroTrustAccessPolicy")
    assert policy.inputs["decision"] == "non_identity"
    assert policy.inputs["includes"] == [{"serviceToken": {"tokenId": "dreamseed-api-id"}}]
    for hostname, record in records.items():
        assert applications[hostname].inputs["policies"] == [{"id": "dreamseed-api-id", "precedence": 1}]
        assert any("ZeroTrustAccessApplication" in urn and hostname in urn for urn in record.dependencies)
        assert record.inputs["content"] == "dreamseed-servers-id.cfargotunnel.com"
        assert record.inputs["proxied"] is True


def test_the_tunnel_leads_only_where_a_route_says() -> None:
    config = stage("e")
    told = declare_edge(config).one("ZeroTrustTunnelCloudflaredConfig").inputs["config"]
    assert told["originRequest"] == {"connectTimeout": CONNECT_TIMEOUT_SECONDS}
    ingresses = told["ingresses"]
    assert ingresses[-1] == {"service": "http_status:404"}
    assert {i["hostname"]: i["service"] for i in ingresses[:-1]} == {r.hostname: r.service for r in routes_of(config)}


def test_private_names_are_covered_by_the_zones_own_certificate() -> None:
    # Universal SSL covers one label below the zone, no more.
    domain = stage("e").service.domain
    for route in routes_of(stage("e")):
        assert route.hostname.removesuffix(f".{domain}").count(".") == 0


def test_the_tunnels_secret_is_a_secret_of_at_least_32_bytes() -> None:
    tunnel = declare_edge(stage("a")).one("ZeroTrustTunnelCloudflared")
    assert tunnel.secret_paths == ("tunnelSecret",)
    secret = base64.b64decode(tunnel.inputs["tunnelSecret"])
    assert len(secret) >= 32
    assert secret.decode() == secret_of("tunnel-0123456789012345678901234567890")
