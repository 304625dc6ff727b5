from __future__ import annotations

from dreamseed.planning.burst import BurstSecret
from dreamseed.planning.services.tunnel import CONNECT_TIMEOUT_SECONDS
from tests.components.builders import declare_burst
from tests.components.declaring import changed, stage


def test_a_worker_is_a_spot_machine_that_deletes_itself() -> None:
    scheduling = declare_burst(stage("c")).one("InstanceTemplate").inputs["scheduling"]
    assert scheduling["provisioningModel"] == "SPOT"
    assert scheduling["automaticRestart"] is False
    assert scheduling["instanceTerminationAction"] == "DELETE"
    assert scheduling["maxRunDuration"] == {"seconds": 6 * 3_600}


def test_the_template_has_a_prefix_and_no_name_so_that_a_new_one_can_stand_beside_the_old() -> None:
    template = declare_burst(stage("c")).one("InstanceTemplate").inputs
    assert template["namePrefix"] == "dreamseed-burst-"
    assert "name" not in template


def test_nothing_lets_anybody_in_to_a_worker() -> None:
    declared = declare_burst(stage("c"))
    assert not declared.has("Firewall")
    assert "--publish 127.0.0.1:8000:8000" in declared.one("InstanceTemplate").inputs["metadataStartupScript"]


def test_a_worker_reads_its_own_secrets_and_its_script_holds_none() -> None:
    declared = declare_burst(stage("c"))
    names = {secret.inputs["secretId"] for secret in declared.all("Secret")}
    assert names == {f"dreamseed-burst-{kind}" for kind in BurstSecret}
    script = declared.one("InstanceTemplate").inputs["metadataStartupScript"]
    for kind in BurstSecret:
        assert f"read_secret {kind}" in script
    assert "value-of-" not in script


def test_machines_that_bring_their_cards_ask_for_none_and_workers_keep_one_private_name() -> None:
    declared = declare_burst(changed(stage("c"), "service"))
    template = declared.one("InstanceTemplate").inputs
    assert template["machineType"] == "g2-standard-8"
    assert "guestAccelerators" not in template
    # What its account may do is said by grants alone.
    assert template["serviceAccount"]["scopes"] == ["cloud-platform"]
    assert declared.one("ZeroTrustAccessApplication").inputs["policies"] == [{"id": "policy-id", "precedence": 1}]
    assert declared.outputs["hostname"] == "llm-burst-private.dreamseed.example"


def test_the_workers_tunnel_gives_up_on_an_origin_as_soon_as_the_servers_do() -> None:
    told = declare_burst(stage("c")).one("ZeroTrustTunnelCloudflaredConfig").inputs["config"]
    assert told["originRequest"] == {"connectTimeout": CONNECT_TIMEOUT_SECONDS}
    assert told["ingresses"][-1] == {"service": "http_status:404"}


def test_the_template_is_the_same_in_every_stage_that_has_workers() -> None:
    # It cannot be changed in place: a difference would make a promotion replace it.
    templates = [declare_burst(stage(letter)).one("InstanceTemplate").inputs for letter in ("c", "d", "e")]
    assert templates[0] == templates[1] == templates[2]
