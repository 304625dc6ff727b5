"""The real engine against the attached providers: one stack of all packages, from its first preview to its destroy."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pytest
from pulumi import automation

from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.host import PROJECT as PROJECT_ROOT
from rehearsal.providers.host import ProviderHost
from tests.rehearsal.providers.dynamic import Greeting
from tests.rehearsal.providers.given import CONTAINER, IMAGE, NETWORK, PASSWORD, RUN_SERVICE, VPC, ZONE

pytestmark = pytest.mark.engine
PROJECT = "rehearsed"
SECRET = "hunter2-of-the-engine"


class Service:
    """A small service of all packages; its attributes are what the tests change between runs."""

    image = "registry.example/api:1"
    redis = "redis:7@sha256:" + "a" * 64
    protected = True
    network_description = "ours"
    restart = "unless-stopped"

    def __call__(self) -> None:
        """The program; it imports the large SDKs when it runs, module by module: they may be registered light."""
        import pulumi_docker as docker
        import pulumi_random as random
        from pulumi_cloudflare._inputs import ZoneAccountArgs
        from pulumi_cloudflare.dns_record import DnsRecord
        from pulumi_cloudflare.zone import Zone
        from pulumi_gcp import cloudrunv2, serviceaccount
        from pulumi_gcp.compute.network import Network
        from pulumiverse_grafana import cloud as grafana

        server = docker.Provider("server-1", host="ssh://ops@10.0.0.1")
        here = pulumi.ResourceOptions(provider=server)
        network = docker.Network("network", name="dreamseed", opts=here)
        image = docker.RemoteImage("redis", name=self.redis, keep_locally=True, opts=here)
        box = docker.Container(
            "redis",
            name="redis",
            image=image.repo_digest,
            restart=self.restart,
            envs=["MODE=cache", pulumi.Output.secret(f"PASSWORD={SECRET}")],
            networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
            opts=here,
        )
        password = random.RandomPassword("password", length=24)
        account = serviceaccount.Account("api", account_id="dreamseed-api")
        Network("vpc", name="vpc", description=self.network_description)
        service = cloudrunv2.Service(
            "api",
            name="dreamseed-api",
            location="us-central1",
            deletion_protection=self.protected,
            template=cloudrunv2.ServiceTemplateArgs(
                service_account=account.email,
                containers=[
                    cloudrunv2.ServiceTemplateContainerArgs(
                        image=self.image,
                        envs=[cloudrunv2.ServiceTemplateContainerEnvArgs(name="PASSWORD", value=password.result)],
                    )
                ],
            ),
        )
        zone = Zone("zone", account=ZoneAccountArgs(id="f" * 32), name="example.com")
        DnsRecord(
            "api", zone_id=zone.id, name="api.example.com", type="CNAME", content=service.uri, ttl=1, proxied=True
        )
        stack = grafana.Stack("grafana", slug="dreamseed", delete_protection=False)
        greeting = Greeting("greeting", whom="world")
        pulumi.export("uri", service.uri)
        pulumi.export("nameServers", zone.name_servers)
        pulumi.export("prometheus", stack.prometheus_url)
        pulumi.export("box", box.id)
        pulumi.export("greeting", greeting.text)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[ProviderHost]:
    with ProviderHost(tmp_path / "cloud") as running:
        yield running


def stack_of(host: ProviderHost, folder: Path, program: Callable[[], None], name: str = "dev") -> automation.Stack:
    folder.mkdir(parents=True, exist_ok=True)
    backend = automation.ProjectBackend(f"file://{folder}")
    options = automation.LocalWorkspaceOptions(
        work_dir=str(folder),
        env_vars=host.environment() | {"PULUMI_CONFIG_PASSPHRASE": "rehearsal"},
        project_settings=automation.ProjectSettings(PROJECT, "python", backend=backend),
    )
    stack = automation.create_or_select_stack(name, PROJECT, program, opts=options)
    stack.set_config("gcp:project", automation.ConfigValue("dreamseed-prod"))
    stack.set_config("gcp:region", automation.ConfigValue("us-central1"))
    return stack


def steps(summary: Mapping[automation.OpType, int]) -> dict[str, int]:
    return {str(getattr(kind, "value", kind)): count for kind, count in summary.items()}


def kept_state(folder: Path) -> str:
    """The engine's own state file; an export would show its secrets."""
    return (folder / ".pulumi" / "stacks" / PROJECT / "dev.json").read_text("utf-8")


def test_a_stack_lives_its_whole_life_as_in_the_real_clouds(host: ProviderHost, tmp_path: Path) -> None:
    service = Service()
    stack = stack_of(host, tmp_path / "stack", service)

    assert set(steps(stack.preview().change_summary)) == {"create"}
    outputs = stack.up().outputs
    assert outputs["uri"].value.endswith(".us-central1.run.app")
    assert outputs["nameServers"].value == ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]
    assert outputs["greeting"].value == "Hello, world"
    assert set(steps(stack.preview().change_summary)) == {"same"}

    kept = kept_state(tmp_path / "stack")
    assert SECRET not in kept
    by_type = {resource["type"]: resource for resource in json.loads(kept)["checkpoint"]["latest"]["resources"]}
    assert "ciphertext" in json.dumps(by_type[PASSWORD]["outputs"]["result"])
    assert "ciphertext" in json.dumps(by_type[RUN_SERVICE]["outputs"]["template"])

    # A promotion: the service in place, the container replaced, the rest untouched.
    service.image, service.redis = "registry.example/api:2", "redis:8@sha256:" + "b" * 64
    promoted = steps(stack.preview().change_summary)
    assert (promoted["update"], promoted["replace"]) == (1, 2)
    stack.up()
    assert set(steps(stack.preview().change_summary)) == {"same"}

    # Behind the engine's back: one thing removed, one edited.
    cloud = FakeCloud(tmp_path / "cloud")
    (vpc,) = cloud.list(VPC)
    (box,) = cloud.list(CONTAINER)
    cloud.remove(VPC, vpc.id)
    cloud.edit(CONTAINER, box.id, {"restart": "no"})
    assert steps(stack.refresh().summary.resource_changes or {}).items() >= {"delete": 1, "update": 1}.items()
    mended = steps(stack.preview().change_summary)
    assert (mended["create"], mended["update"]) == (1, 1)
    stack.up()
    assert cloud.list(CONTAINER)[0].outputs["restart"] == "unless-stopped"

    # The guard must be lifted by an update of its own before the destroy.
    with pytest.raises(automation.CommandError, match="without setting deletionProtection=false"):
        stack.destroy()
    assert len(cloud.list(RUN_SERVICE)) == 1
    service.protected = False
    stack.up()
    stack.destroy()
    # What the program keeps on purpose stays on the host: the images that it pulled.
    assert len(cloud.list()) == len(cloud.list(IMAGE)) == 2
    cloud.close()


def test_a_preview_knows_only_what_a_real_one_would(host: ProviderHost, tmp_path: Path) -> None:
    preview = stack_of(host, tmp_path / "stack", Service()).preview(diff=True)
    said = preview.stdout
    assert "uri        : [unknown]" in said
    assert "nameServers: [unknown]" in said
    assert 'name       : "dreamseed-api"' in said or 'name              : "dreamseed-api"' in said
    assert SECRET not in said
    cloud = FakeCloud(tmp_path / "cloud")
    assert cloud.list() == []
    cloud.close()


def test_a_diff_shows_property_paths(host: ProviderHost, tmp_path: Path) -> None:
    service = Service()
    stack = stack_of(host, tmp_path / "stack", service)
    stack.up()
    service.image = "registry.example/api:2"
    service.network_description = "theirs"
    said = stack.preview(diff=True).stdout
    assert '~ image: "registry.example/api:1" => "registry.example/api:2"' in said
    assert '~ description: "ours" => "theirs"' in said
    assert "+-gcp:compute/network:Network: (replace)" in said


def preview_wrong(host: ProviderHost, folder: Path) -> None:
    """Run in a process of its own: an inline program that the engine stops leaves coroutines behind."""
    service = Service()
    service.restart = "allways"
    stack_of(host, folder, service).preview()


def test_a_wrong_program_is_told_where_why_and_what_to_write(host: ProviderHost, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from rehearsal.providers.host import ProviderHost\n"
        "from tests.rehearsal.providers.test_engine import preview_wrong\n"
        "preview_wrong(ProviderHost(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(host.state_dir), str(tmp_path / "stack")]
    said = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False).stderr
    assert "Container resource 'redis': property restart value" in said
    assert "'allways' is not an accepted value: did you mean 'always'?" in said


def test_an_object_that_exists_is_imported(host: ProviderHost, tmp_path: Path) -> None:
    stack_of(host, tmp_path / "first", Service()).up()
    cloud = FakeCloud(tmp_path / "cloud")
    (zone,) = cloud.list(ZONE)
    (network,) = cloud.list(NETWORK)
    cloud.close()

    def adopting() -> None:
        import pulumi_docker as docker
        from pulumi_cloudflare._inputs import ZoneAccountArgs
        from pulumi_cloudflare.zone import Zone

        server = docker.Provider("server-1", host="ssh://ops@10.0.0.1")
        Zone(
            "zone",
            account=ZoneAccountArgs(id="f" * 32),
            name="example.com",
            opts=pulumi.ResourceOptions(import_=zone.id),
        )
        docker.Network("network", name="dreamseed", opts=pulumi.ResourceOptions(import_=network.id, provider=server))

    second = stack_of(host, tmp_path / "second", adopting, "second")
    assert steps(second.up().summary.resource_changes or {})["import"] == 2
    assert set(steps(second.preview().change_summary)) == {"same"}


def test_five_engines_preview_at_once(host: ProviderHost, tmp_path: Path) -> None:
    names = [f"stage-{letter}" for letter in "abcde"]
    stacks = [stack_of(host, tmp_path / name, Service(), name) for name in names]
    with ThreadPoolExecutor(len(stacks)) as pool:
        previews = list(pool.map(lambda stack: stack.preview().change_summary, stacks))
    assert [set(steps(preview)) for preview in previews] == [{"create"}] * len(stacks)
    assert len({json.dumps(steps(preview)) for preview in previews}) == 1
