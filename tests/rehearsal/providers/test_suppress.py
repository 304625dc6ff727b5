from __future__ import annotations

from typing import Any

import pytest

from rehearsal.providers.judge.formats import FORMATS
from rehearsal.providers.judge.suppress import is_suppressed

LINK = "https://www.googleapis.com/compute/v1/projects/p/global/networks/vpc"


@pytest.mark.parametrize(
    ("rule", "old", "same", "other"),
    [
        ("tpgresource.CompareSelfLinkOrResourceName", LINK, "vpc", "lan"),
        (
            "tpgresource.CompareSelfLinkOrResourceName",
            LINK,
            "projects/p/global/networks/vpc",
            "projects/q/global/networks/vpc",
        ),
        ("tpgresource.CompareSelfLinkRelativePaths", LINK, "projects/p/global/networks/vpc", "vpc"),
        ("compareSelfLinkRelativePathsIgnoreParams", f"{LINK}?uniqueId=1", f"{LINK}?uniqueId=2", "lan"),
        ("tpgresource.CompareResourceNames", "zones/a/machineTypes/e2-micro", "e2-micro", "e2-small"),
        ("tpgresource.CaseDiffSuppress", "tcp", "TCP", "udp"),
        ("caseDiffDashSuppress", "pd-ssd", "PD_SSD", "pd-hdd"),
        ("durationDiffSuppress", "300s", "5m", "6m"),
        ("IpCidrRangeDiffSuppress", "2001:db8::/32", "2001:0db8:0::/32", "2001:db8::/33"),
        ("ipv6RepresentationDiffSuppress", "2001:db8::1", "2001:db8:0::1", "no address"),
        ("iamMemberCaseDiffSuppress", "user:Ann@example.com", "user:ann@example.com", "group:ann@example.com"),
        ("CompareProjectName", "projects/p", "p", "q"),
        ("StorageBucketDiffSuppress", "b/state", "state", "other"),
        ("LastSlashDiffSuppress", "https://a.b/", "https://a.b", "https://a.b/c"),
        ("monitoringDashboardDiffSuppress", '{"a": {"b": 1, "etag": "x"}}', '{"a": {"b": 1}}', '{"a": {"b": 2}}'),
        ("jwksJsonDiffSuppress", '{"keys": [1]}', '{"keys":[1]}', "no json"),
        ("AlwaysDiffSuppress", "SCSI", "NVME", None),
        ("stringListDiffSuppress", ["a", "b"], ["b", "a"], ["a"]),
        ("AbsoluteDomainSuppress", ["a.com."], ["a.com"], ["b.com"]),
    ],
)
def test_a_comparison_hides_what_only_looks_like_a_change(rule: str, old: Any, same: Any, other: Any) -> None:
    assert is_suppressed(rule, old, same)
    if other is not None:
        assert not is_suppressed(rule, old, other)


def test_a_comparison_that_is_not_known_hides_nothing() -> None:
    assert not is_suppressed("someDiffSuppressFunc", "a", "A")
    assert not is_suppressed(None, "a", "a")


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("ip", "10.0.0.1", "10.0.0"),
        ("ip outside the special ranges of RFC 5735", "169.254.1.1", "127.0.0.1"),
        ("json", "[1]", "{1}"),
        ("base64", "aGk=", "hi!"),
        ("absolute path", "/srv", "srv"),
        ("go duration >= 0", "1h30m", "-1s"),
        ("time (RFC 3339)", "2027-01-31T00:00:00+02:00", "2027-01-31"),
        ("private asn (RFC 6996)", 64512, 65535),
    ],
)
def test_a_format_holds_for_its_example_and_not_for_what_is_wrong(name: str, right: Any, wrong: Any) -> None:
    assert FORMATS[name].holds(right)
    assert not FORMATS[name].holds(wrong)
    example = FORMATS[name].example
    assert FORMATS[name].holds(int(example) if example.isdigit() else example)
