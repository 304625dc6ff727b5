from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.hosts import HostsError, HostSpec, Lan, World, commands, engine, network, state, world
from rehearsal.hosts.layout import Layout
from rehearsal.hosts.state import remember, remembered
from rehearsal.hosts.world import listening_sockets

LAN = Lan(name="servers", cidr="10.20.0.0/24", gateway="10.20.0.1")
HOSTS = (HostSpec(name="one", address="10.20.0.11", network=LAN),)


def some_world(root: Path) -> World:
    return World(root=root, prefix="t", lans=(LAN,), hosts=HOSTS)


def test_hosts_are_checked_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(HostsError, match="unknown network"):
        World(root=tmp_path, prefix="t", lans=(), hosts=HOSTS)


def test_commands_run_outside_or_on_a_host(tmp_path: Path) -> None:
    found = some_world(tmp_path)
    assert found.outside(["true"]) == ["nsenter", "--net=/run/netns/t-outside", "true"]
    assert found.inside("one", ["true"]) == ["nsenter", "--net=/run/netns/t-one", "true"]
    with pytest.raises(HostsError, match=r"there is no host 'two'\n.*write one of one"):
        found.inside("two", ["true"])


def test_nothing_runs_that_was_not_started(tmp_path: Path) -> None:
    found = some_world(tmp_path)
    assert not found.is_running("one")
    assert not found.is_service_running("any")


def test_namespaces_of_another_world_are_refused_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "NAMESPACES", tmp_path)
    monkeypatch.setattr(world, "check_machine", lambda: None)
    (tmp_path / "t-one").touch()
    with pytest.raises(HostsError, match="t-one is there, but not of"):
        some_world(tmp_path / "world").start()
    assert not (tmp_path / "world" / "world.json").exists()


def test_without_root_it_says_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(HostsError, match="takes root"):
        some_world(tmp_path).start()


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: None if name in {"dockerd", "ip", "ss"} else name)
    with pytest.raises(HostsError, match=r"apt-get install docker\.io iproute2$"):
        commands.check_machine()


def test_a_failed_command_speaks_for_itself() -> None:
    with pytest.raises(HostsError, match=r"`sh -c .*` failed: in its own words"):
        commands.run(["sh", "-c", "echo in its own words >&2; exit 3"])


def test_what_was_started_is_remembered_until_the_machine_boots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "world.json"
    assert remembered(path, "t") is None
    remember(path, "t", ["two", "one"])
    found = remembered(path, "t")
    assert found is not None
    assert found.hosts == ["one", "two"]
    with pytest.raises(HostsError, match="has the prefix 't'"):
        remembered(path, "other")
    monkeypatch.setattr(state, "boot_id", lambda: "another")
    assert remembered(path, "t") is None


def test_a_damaged_state_is_not_taken_for_nothing_started(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text("{")
    with pytest.raises(HostsError, match="no world's state"):
        remembered(tmp_path / "world.json", "t")


def test_an_engine_keeps_everything_in_its_hosts_folder_and_groups(tmp_path: Path) -> None:
    folder = Layout(root=tmp_path).engine("one")
    words = engine.command(folder, enter=["enter"], control_group="/t-one", dns="10.20.0.1")
    assert words[:2] == ["enter", "dockerd"]
    options = dict(word.split("=", 1) for word in words[2:])
    for option in ("--data-root", "--exec-root", "--pidfile"):
        assert Path(options[option]).is_relative_to(folder.root)
    assert options["--host"] == f"unix://{folder.socket}"
    assert options["--cgroup-parent"] == "/t-one"
    assert options["--dns"] == "10.20.0.1"


def test_listening_sockets_are_read_with_their_addresses() -> None:
    lines = (
        "LISTEN 0      4096      10.20.0.11:8080       0.0.0.0:*\n"
        "LISTEN 0      32     127.0.0.1%lo:53         0.0.0.0:*\n"
        "LISTEN 0      4096           [::1]:9090          [::]:*\n"
        "LISTEN 0      4096               *:22               *:*\n"
    )
    assert listening_sockets(lines) == {("10.20.0.11", 8080), ("127.0.0.1", 53), ("::1", 9090), ("*", 22)}
