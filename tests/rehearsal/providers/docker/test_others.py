"""Images, networks and volumes on an engine in memory."""

from __future__ import annotations

import pytest

from rehearsal.providers.docker import removal
from rehearsal.providers.docker.images import STANDS_IN_FOR, repository_of
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Values
from tests.rehearsal.providers.docker.fake_docker import IMAGE_ID, World
from tests.rehearsal.providers.given import CONTAINER, IMAGE, NETWORK, VOLUME

DIGEST = "@sha256:" + "d" * 64
REFERENCE = f"registry.example:5000/team/redis:7{DIGEST}"
LABELS = [{"label": "managed-by", "value": "us"}]
SUBNET = {"subnet": "10.99.1.0/24", "gateway": "10.99.1.1"}


def image(identity: str, labels: Values | None = None, digests: tuple[str, ...] = (), created: str = "2026") -> Values:
    config = {"Labels": labels or {}, "Env": []}
    return {"Id": identity, "Config": config, "RepoDigests": list(digests), "Created": created, "Names": []}


def test_a_reference_is_met_by_the_real_image_before_any_stand_in() -> None:
    world = World()
    real = f"registry.example:5000/team/redis{DIGEST}"
    world.docker.images_by_id["sha256:s"] = image("sha256:s", {STANDS_IN_FOR: REFERENCE})
    stand_in = world.create(IMAGE, {"name": REFERENCE})
    assert (stand_in.outputs["imageId"], stand_in.outputs["repoDigest"]) == ("sha256:s", "")
    world.docker.images_by_id["sha256:r"] = image("sha256:r", digests=(real,))
    found = world.read(IMAGE, stand_in)
    assert (found.outputs["imageId"], found.outputs["repoDigest"]) == ("sha256:r", real)


def test_the_newest_stand_in_counts_and_one_for_another_reference_never() -> None:
    world = World()
    for identity, created in (("sha256:old", "2025"), ("sha256:new", "2026")):
        world.docker.images_by_id[identity] = image(identity, {STANDS_IN_FOR: REFERENCE}, created=created)
    assert world.create(IMAGE, {"name": REFERENCE}).outputs["imageId"] == "sha256:new"
    with pytest.raises(RefusedError, match=f"none with the label {STANDS_IN_FOR}=redis:8"):
        world.create(IMAGE, {"name": "redis:8"})


def test_an_untouched_image_is_no_drift_and_one_that_is_gone_is_made_again() -> None:
    world = World()
    world.docker.images_by_id["sha256:s"] = image("sha256:s", {STANDS_IN_FOR: REFERENCE})
    made = world.create(IMAGE, {"name": REFERENCE, "keepLocally": True})
    assert world.read(IMAGE, made) == made
    assert world.changes(IMAGE, made, made.inputs) == {}
    del world.docker.images_by_id["sha256:s"]
    assert world.cloud.read(world.subject(IMAGE), made.id, made.inputs, made.outputs) is None


def test_an_image_is_removed_unless_it_is_kept_or_used() -> None:
    world = World()
    world.docker.images_by_id[IMAGE_ID]["Names"] = ["tiny:1"]
    kept = world.create(IMAGE, {"name": "tiny:1", "keepLocally": True})
    world.cloud.delete(world.subject(IMAGE), kept.id, kept.outputs)
    assert IMAGE_ID in world.docker.images_by_id
    box = world.create(CONTAINER, {"name": "box", "image": IMAGE_ID})
    not_kept = world.create(IMAGE, {"name": "tiny:1"})
    with pytest.raises(RefusedError, match="remove the containers that use it first"):
        world.cloud.delete(world.subject(IMAGE), not_kept.id, not_kept.outputs)
    world.cloud.delete(world.subject(CONTAINER), box.id, box.outputs)
    world.cloud.delete(world.subject(IMAGE), not_kept.id, not_kept.outputs)
    assert IMAGE_ID not in world.docker.images_by_id


def test_building_an_image_is_refused() -> None:
    with pytest.raises(RefusedError, match="neither builds nor pulls"):
        World().create(IMAGE, {"name": "x", "build": {"context": "."}})


@pytest.mark.parametrize(
    ("reference", "repository"),
    [("redis", "redis"), ("redis:7", "redis"), (REFERENCE, "registry.example:5000/team/redis"), ("h:5/a", "h:5/a")],
)
def test_the_repository_of_a_reference_has_neither_tag_nor_digest(reference: str, repository: str) -> None:
    assert repository_of(reference) == repository


def test_an_equal_network_is_adopted_and_a_different_one_is_refused_and_left_alone() -> None:
    world, wanted = World(), {"name": "data", "ipamConfigs": [SUBNET], "labels": LABELS}
    first = world.create(NETWORK, wanted)
    assert world.create(NETWORK, wanted).id == first.id
    assert world.read(NETWORK, first) == first
    with pytest.raises(RefusedError, match="differs in ipamConfigs"):
        world.create(NETWORK, wanted | {"ipamConfigs": [{"subnet": "10.99.2.0/24"}]})
    with pytest.raises(RefusedError, match="differs in labels"):
        world.create(NETWORK, {"name": "data", "ipamConfigs": [SUBNET]})
    assert list(world.docker.networks_by_id) == [first.id]


def test_two_networks_of_one_name_are_refused_with_their_ids_and_a_longer_name_is_no_match() -> None:
    world = World()
    given = {"driver": None, "ipam": None, "labels": None}
    world.docker.create_network("data-2", **given)
    world.create(NETWORK, {"name": "data"})
    world.docker.create_network("data", **given)
    with pytest.raises(RefusedError, match="2 networks are called data"):
        world.create(NETWORK, {"name": "data"})


def test_a_relabelled_volume_is_drift_and_an_equal_one_is_adopted() -> None:
    world, wanted = World(), {"name": "vol", "labels": LABELS}
    made = world.create(VOLUME, wanted)
    assert world.create(VOLUME, wanted) == made == world.read(VOLUME, made)
    world.docker.volumes_by_name["vol"]["Labels"] = {"managed-by": "them"}
    assert world.changes(VOLUME, world.read(VOLUME, made), wanted) == {"labels[0].value": True}
    with pytest.raises(RefusedError, match=r"differs in labels; it is left as it is"):
        world.create(VOLUME, wanted)
    assert "vol" in world.docker.volumes_by_name


def test_a_volume_that_docker_made_by_itself_is_not_adopted() -> None:
    world = World()
    world.docker.create_volume("vol", None, None, None)
    with pytest.raises(RefusedError, match="differs in labels"):
        world.create(VOLUME, {"name": "vol", "labels": LABELS})


def test_a_volume_in_use_is_tried_again_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "PAUSE_SECONDS", 0.001)
    world, tries = World(), []
    made, remove = world.create(VOLUME, {"name": "vol"}), world.docker.remove_volume

    def in_use_twice(name: str) -> None:
        from tests.rehearsal.providers.docker.fake_docker import refusal

        tries.append(name)
        if len(tries) < 3:
            raise refusal(409, "remove vol: volume is in use - [abc]")
        remove(name)

    world.docker.remove_volume = in_use_twice  # type: ignore[method-assign]
    world.cloud.delete(world.subject(VOLUME), made.id, made.outputs)
    assert (len(tries), world.docker.volumes_by_name) == (3, {})


def test_everything_on_the_engines_is_listed_by_type() -> None:
    world = World()
    world.create(NETWORK, {"name": "data"})
    world.create(VOLUME, {"name": "vol"})
    world.create(CONTAINER, {"name": "box", "image": IMAGE_ID})
    assert [found.outputs["name"] for found in world.cloud.list(NETWORK)] == ["data"]
    assert len(world.cloud.list()) == 4


def test_another_type_and_a_function_are_refused_by_name() -> None:
    world = World()
    with pytest.raises(RefusedError, match="does not make docker:index/service:Service"):
        world.cloud.read(world.subject("docker:index/service:Service"), "x", {}, {})
    with pytest.raises(RefusedError, match="answers no functions, so not docker:index/getNetwork:getNetwork"):
        world.cloud.invoke("docker:index/getNetwork:getNetwork", {}, {})
