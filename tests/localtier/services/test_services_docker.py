"""The services outside, real: names as containers resolve them, the object store as a client with a key meets it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from dreamseed.config.load import stage_file
from dreamseed.planning.planner import plan_stage_file
from localtier.images.engine import local_cache
from localtier.services import KeyPair, Services
from rehearsal.hosts import World
from tests.localtier.services import s3_request
from tests.program import PROJECT
from tests.rehearsal.hosts.worlds import IMAGE, ONE, WITNESS, output, temporary_world

pytestmark = pytest.mark.docker

FIRST, SECOND = "us-west-004", "eu-central-003"
BACKUPS, MODELS = "dreamseed-prod-backups", "dreamseed-prod-models"
KEYS = (
    KeyPair("backup-id", "backup-secret", BACKUPS),
    KeyPair("models-id", "models-secret", MODELS),
    KeyPair("second-id", "second-secret", "dreamseed-prod-backups-second"),
)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with temporary_world("ts", (ONE, WITNESS)) as world:
        plan = plan_stage_file(stage_file(PROJECT, "stage-e"), PROJECT)
        services = Services(world=world, plan=plan)
        services.start()
        services.sync_keys(KEYS)
        yield services


def ask(
    world: World, method: str, path: str, key: KeyPair, body: str = "", *, region: str = FIRST, host: str = "one"
) -> str:
    """The HTTP status of a signed request from a host, with the certificate verified; 000 without an answer."""
    endpoint = f"s3.{region}.backblazeb2.com"
    address = output(world.inside(host, ["busybox", "nslookup", "-type=a", endpoint, "10.20.0.1"])).rsplit(" ", 1)[-1]
    ca = str(local_cache() / "ca" / "ca.pem")
    words = [method, f"https://{endpoint}/{path}", address, region, key.key_id, key.key, ca, body]
    return output(world.inside(host, [sys.executable, s3_request.__file__, *words]))


def test_containers_resolve_the_stand_ins_names_and_no_other(services: Services) -> None:
    client = services.world.client("one")
    client.networks.create("named")

    def resolve(name: str) -> str:
        script = ["sh", "-c", f"nslookup -type=a {name} 127.0.0.11 || true"]
        return client.containers.run(IMAGE, script, network="named", remove=True, stderr=True).decode()

    for name, address in services.names.items():
        assert address in resolve(name)
    assert "NXDOMAIN" in resolve("example.com")
    client.close()


def test_a_key_does_in_its_bucket_what_its_capabilities_allow(services: Services) -> None:
    world, (backup, models, _) = services.world, KEYS
    assert ask(world, "PUT", f"{BACKUPS}/a/b", backup, "content") == "200"
    assert ask(world, "GET", f"{BACKUPS}/a/b", backup, host="witness") == "200"
    assert ask(world, "GET", f"{BACKUPS}/a/b", models) == "403"
    assert ask(world, "GET", MODELS, models) == "200"
    assert ask(world, "PUT", f"{MODELS}/a", models, "content") == "403"
    assert ask(world, "GET", f"{BACKUPS}/a/b", KeyPair("backup-id", "wrong", BACKUPS)) == "403"
    assert ask(world, "DELETE", f"{BACKUPS}/a/b", backup) == "204"
    assert ask(world, "GET", f"{BACKUPS}/a/b", backup) == "404"


def test_the_second_site_is_another_one_whose_key_cannot_delete(services: Services) -> None:
    second, path = KEYS[2], "dreamseed-prod-backups-second/file"
    assert ask(services.world, "PUT", path, second, "content", region=SECOND) == "200"
    assert ask(services.world, "DELETE", path, second, region=SECOND) == "403"
    assert ask(services.world, "GET", path, second, region=SECOND) == "200"
    assert ask(services.world, "GET", path, KEYS[0], region=SECOND) == "403"
    assert ask(services.world, "PUT", path, second, "content") == "403"


def test_a_new_key_is_taken_and_an_old_one_refused_at_once(services: Services) -> None:
    new = KeyPair("new-id", "new-secret", BACKUPS)
    services.sync_keys([new])
    assert ask(services.world, "GET", BACKUPS, new) == "200"
    assert ask(services.world, "GET", BACKUPS, KEYS[0]) == "403"
    services.sync_keys(KEYS)
    assert ask(services.world, "GET", BACKUPS, KEYS[0]) == "200"


def test_the_store_goes_down_and_comes_back_with_what_it_held(services: Services) -> None:
    assert ask(services.world, "PUT", f"{BACKUPS}/kept", KEYS[0], "content") == "200"
    services.stop_object_store(FIRST)
    assert ask(services.world, "GET", f"{BACKUPS}/kept", KEYS[0]) == "000"
    assert services.status() == {"name-server": True, f"object-store-{FIRST}": False, f"object-store-{SECOND}": True}
    services.start_object_store()
    assert ask(services.world, "GET", f"{BACKUPS}/kept", KEYS[0]) == "200"


def test_starting_again_leaves_what_runs_alone(services: Services) -> None:
    records = sorted(services.world.layout.services.glob("*.json"))
    before = [record.read_text() for record in records]
    services.start()
    assert [record.read_text() for record in records] == before
    assert len(before) == 3
