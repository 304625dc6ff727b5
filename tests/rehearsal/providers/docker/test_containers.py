"""A container's life on an engine in memory."""

from __future__ import annotations

import io
import itertools
import tarfile
from types import SimpleNamespace

import pytest

from rehearsal.providers.docker import removal, starting
from rehearsal.providers.docker.leftovers import URN_LABEL
from rehearsal.providers.docker.uploads import archive
from rehearsal.providers.seams import Found, HalfMadeError, RefusedError
from rehearsal.providers.values import Secret, Values
from tests.rehearsal.providers.docker.fake_docker import IMAGE_CONFIG, IMAGE_ID, World, ends_with, refusal, runs
from tests.rehearsal.providers.given import CONTAINER, NETWORK

BOX: Values = {
    "name": "box",
    "image": IMAGE_ID,
    "memory": 64,
    "memorySwap": 64,
    "labels": [{"label": "managed-by", "value": "us"}],
    "networksAdvanced": [{"name": "data", "aliases": ["box", "db"]}],
}
HEALTH = {"tests": ["CMD", "true"], "interval": "10s", "timeout": "5s", "retries": 3}


def test_a_container_is_made_started_and_read_back_without_its_hidden_label() -> None:
    world = World()
    box = world.create(CONTAINER, BOX)
    (inspect,) = world.docker.containers_by_id.values()
    assert inspect["State"]["Running"]
    assert inspect["Config"]["Labels"][URN_LABEL] == world.subject(CONTAINER).urn
    assert inspect["HostConfig"]["Init"] is False
    assert set(inspect["NetworkSettings"]["Networks"]) == {"data"}
    read = world.read(CONTAINER, box)
    assert read == box
    assert read.inputs == BOX
    assert world.changes(CONTAINER, read, BOX) == {}
    assert "exitCode" not in box.outputs


def test_what_an_interrupted_run_made_is_made_again() -> None:
    world = World()
    first = world.create(CONTAINER, BOX)
    second = world.create(CONTAINER, BOX | {"image": IMAGE_ID, "command": ["other"]})
    assert list(world.docker.containers_by_id) == [second.id]
    assert first.id != second.id


@pytest.mark.parametrize("label", [None, "urn:pulumi:other::proj::docker:index/container:Container::thing"])
def test_a_container_of_somebody_else_is_never_removed(label: str | None) -> None:
    world = World()
    labels = {"managed-by": "us"} | ({URN_LABEL: label} if label else {})
    foreign = world.docker.create_container_from_config({"Image": IMAGE_ID, "Labels": labels}, "box")["Id"]
    with pytest.raises(RefusedError, match="it is left alone") as refused:
        world.create(CONTAINER, BOX)
    assert refused.value.kind is RefusedError.Kind.ALREADY_EXISTS
    assert list(world.docker.containers_by_id) == [foreign]


def test_a_create_that_fails_before_the_start_leaves_nothing_behind() -> None:
    world = World()

    def refuse(container_id: str, path: str, data: bytes) -> bool:
        raise refusal(500, "no space left on device")

    world.docker.put_archive = refuse  # type: ignore[method-assign]
    with pytest.raises(Exception, match="no space left"):
        world.create(CONTAINER, BOX | {"uploads": [{"file": "/etc/conf", "content": "x"}]})
    assert world.docker.containers_by_id == {}


def test_a_job_that_fails_is_refused_with_its_exit_code_and_log_and_runs_again_with_the_next_update() -> None:
    world = World()
    world.docker.on_start = ends_with(3)
    job = BOX | {"attach": True, "mustRun": False}
    with pytest.raises(HalfMadeError, match="exit code 3; the end of its log:\nits last words") as refused:
        world.create(CONTAINER, job)
    half_made = refused.value.found
    assert half_made.outputs["exitCode"] == 3
    world.docker.on_start = ends_with(0)
    outputs = world.update(CONTAINER, half_made, job)
    assert outputs["exitCode"] == 0
    world.docker.on_start = ends_with(9)
    assert world.update(CONTAINER, Found(half_made.id, job, outputs), job)["exitCode"] == 0


def test_a_finished_job_is_no_drift_and_its_logs_are_kept_when_asked_for() -> None:
    world = World()
    world.docker.on_start = ends_with(0)
    made = world.create(CONTAINER, BOX | {"attach": True, "mustRun": False, "logs": True})
    assert made.outputs["containerLogs"] == "its last words\n"
    assert world.changes(CONTAINER, world.read(CONTAINER, made), made.inputs) == {}


def test_a_container_that_must_run_and_ends_at_once_is_refused() -> None:
    world = World()
    world.docker.on_start = ends_with(1)
    with pytest.raises(HalfMadeError, match="exited immediately with exit code 1"):
        world.create(CONTAINER, BOX)


def test_a_stopped_container_that_must_run_shows_and_an_update_starts_it() -> None:
    world = World()
    box = world.create(CONTAINER, BOX)
    world.docker.stop(box.id, 0)
    drifted = world.read(CONTAINER, box)
    assert world.changes(CONTAINER, drifted, BOX) == {"mustRun": False}
    outputs = world.update(CONTAINER, drifted, BOX)
    assert world.docker.inspect_container("box")["State"]["Running"]
    assert world.changes(CONTAINER, Found(box.id, BOX, outputs), BOX) == {}


def test_a_container_is_healthy_at_the_first_success_of_its_own_test(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    waiting = BOX | {"healthcheck": HEALTH, "wait": True, "waitTimeout": 30}
    assert world.create(CONTAINER, waiting).id in world.docker.containers_by_id
    failing = World()
    monkeypatch.setattr(starting, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    failing.docker.probe_exit_code = 1
    with pytest.raises(HalfMadeError, match="not healthy within 20 s"):
        failing.create(CONTAINER, waiting | {"waitTimeout": 20})


def test_wait_without_a_health_test_is_refused() -> None:
    world = World()
    with pytest.raises(HalfMadeError, match="wait is set and the container has no healthcheck"):
        world.create(CONTAINER, BOX | {"wait": True})


def test_limits_change_in_place_and_memory_always_goes_with_swap() -> None:
    world = World()
    box = world.create(CONTAINER, BOX)
    wanted = BOX | {"memory": 128, "memorySwap": 128, "restart": "unless-stopped"}
    outputs = world.update(CONTAINER, box, wanted)
    assert (outputs["memory"], outputs["restart"]) == (128, "unless-stopped")
    assert world.docker.inspect_container("box")["HostConfig"]["Memory"] == 128 * 2**20
    assert list(world.docker.containers_by_id) == [box.id]


def test_an_update_that_docker_accepts_and_does_not_make_is_refused() -> None:
    world = World()
    box = world.create(CONTAINER, BOX)
    world.docker.ignores_updates = True
    with pytest.raises(RefusedError, match=r"did not make it: memory is 64 instead of 128"):
        world.update(CONTAINER, box, BOX | {"memory": 128})


def test_a_network_left_by_hand_is_drift_that_replaces() -> None:
    world = World()
    box = world.create(CONTAINER, BOX)
    world.docker.disconnect_container_from_network(box.id, "data")
    changes = world.changes(CONTAINER, world.read(CONTAINER, box), BOX)
    assert changes == {"networksAdvanced": True}


def test_an_image_under_the_declared_name_is_no_drift_until_another_one_stands_there() -> None:
    world = World()
    world.docker.images_by_id[IMAGE_ID]["Names"] = ["tiny:1"]
    named = BOX | {"image": "tiny:1"}
    world.docker.inspect_container = lambda name: world.docker._container(name) | {"Image": IMAGE_ID}  # type: ignore[method-assign]
    box = world.create(CONTAINER, named)
    assert world.changes(CONTAINER, world.read(CONTAINER, box), named) == {}
    newer = {"Id": "sha256:2", "Config": IMAGE_CONFIG, "RepoDigests": [], "Created": "2027", "Names": ["tiny:1"]}
    world.docker.images_by_id[IMAGE_ID]["Names"] = []
    world.docker.images_by_id["sha256:2"] = newer
    assert world.changes(CONTAINER, world.read(CONTAINER, box), named) == {"image": True}


def test_a_delete_gives_the_declared_grace_but_a_job_none_and_what_is_gone_is_fine() -> None:
    world = World()
    box = world.create(CONTAINER, BOX | {"destroyGraceSeconds": 7})
    for _ in range(2):
        world.cloud.delete(world.subject(CONTAINER), box.id, box.outputs)
    assert world.docker.containers_by_id == {}
    assert world.docker.stopped_with == [7]
    world.docker.on_start = ends_with(0)
    job = world.create(CONTAINER, BOX | {"attach": True, "mustRun": False, "destroyGraceSeconds": 7})
    world.docker.on_start = runs
    world.cloud.delete(world.subject(CONTAINER), job.id, job.outputs)
    assert world.docker.stopped_with == [7]


def test_an_update_of_a_container_that_is_gone_says_what_to_do() -> None:
    world = World()
    box = world.create(CONTAINER, BOX)
    world.docker.remove_container(box.id, v=True, force=True)
    with pytest.raises(RefusedError, match="run `pulumi refresh` first"):
        world.update(CONTAINER, box, BOX)
    assert world.cloud.read(world.subject(CONTAINER), box.id, box.inputs, box.outputs) is None


def test_a_container_that_exists_can_be_imported_by_its_name() -> None:
    world = World()
    made = world.create(CONTAINER, BOX)
    found = world.cloud.read(world.subject(CONTAINER), "box", {}, {})
    assert found is not None
    assert (found.id, found.inputs["memory"]) == (made.id, 64)
    assert found.inputs["labels"] == BOX["labels"]


def test_the_containers_that_a_stack_left_in_a_network_go_with_it_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "FREE_SECONDS", 0.0)
    world = World()
    network = world.create(NETWORK, {"name": "data"})
    left, foreign = world.create(CONTAINER, BOX), world.create(CONTAINER, BOX | {"name": "other"}, stack="theirs")
    inside = world.docker.networks_by_id[network.id]["Containers"]
    inside.update({left.id: {}, foreign.id: {}})
    with pytest.raises(Exception, match="has active endpoints"):
        world.cloud.delete(world.subject(NETWORK), network.id, network.outputs)
    assert list(world.docker.containers_by_id) == [foreign.id]
    del inside[foreign.id]
    world.cloud.delete(world.subject(NETWORK), network.id, network.outputs)
    assert world.docker.networks_by_id == {}


def test_uploads_carry_owner_mode_and_content_and_no_secret_wrapper_reaches_the_archive() -> None:
    world = World()
    files = [
        {"file": "/etc/secret", "content": Secret("hunter2"), "permissions": "0400", "owner": "70", "group": "redis"},
        {"file": "/run.sh", "contentBase64": "ZWNobw==", "executable": True},
    ]
    made = world.create(CONTAINER, BOX | {"uploads": files})
    (sent,) = world.docker.archives
    with tarfile.open(fileobj=io.BytesIO(sent)) as tar:
        secret, script = tar.getmembers()
        content = tar.extractfile(secret)
        assert content is not None
        assert content.read() == b"hunter2"
    assert (secret.name, secret.mode, secret.uid, secret.gname) == ("etc/secret", 0o400, 70, "redis")
    assert script.mode == 0o744
    assert "hunter2" not in repr(made)


@pytest.mark.parametrize("given", [{}, {"content": "a", "contentBase64": "YQ=="}])
def test_an_upload_has_exactly_one_content(given: Values) -> None:
    with pytest.raises(RefusedError, match="must have one of content, contentBase64 and source"):
        archive([{"file": "/x"} | given])
