"""Modules built on one host and installed on another: by its signature, without a compiler, upwards and downwards.

Both hosts run Debian 12 with NVIDIA's packages from the lab. The tests tell one story and run in their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpufleet.cli import app
from gpufleet.health import Outcome
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.inventory import nvidia_repository
from gpufleet.lab.lab import Lab
from tests.support.lab import Fleet, lab_name

BUILDER, OTHER = "builder", "other"
B580, B590 = "580.105.08", "590.48.01"
PACKAGE = "gpufleet-nvidia-modules-$(uname -r)"


@pytest.fixture(scope="module")
def pair(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts with their base."""
    name = f"{lab_name()}-modules"
    try:
        specs = [HostSpec.parse(f"{host}=debian-12/hgx-h100") for host in (BUILDER, OTHER)]
        fleet = Fleet(Lab.up(name, specs, say=print), tmp_path_factory.mktemp("modules") / "modules.py")
        declare(fleet, B580)
        assert fleet.deploy("base.py").failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def declare(fleet: Fleet, version: str) -> None:
    """Want a driver whose modules were built elsewhere."""
    data: dict[str, Any] = {
        "base": {},
        "stack": {"repositories": {"cuda": nvidia_repository()}},
        "nvidia_driver": {"version": version, "source": "nvidia", "modules": "precompiled"},
    }
    fleet.declare(**dict.fromkeys((BUILDER, OTHER), data))


def build(fleet: Fleet, *arguments: str) -> dict[str, Any]:
    """Run `gpufleet modules build` and return what it reports."""
    result = CliRunner().invoke(app, ["modules", "build", str(fleet.inventory), "--json", *arguments])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def deploy(fleet: Fleet) -> list[str]:
    """Deploy the driver to the host that compiles nothing; a second run changes nothing, and every check passes."""
    result = fleet.deploy("driver.py", limit=(OTHER,))
    assert result.failures() == []
    again = fleet.deploy("driver.py", limit=(OTHER,))
    assert (again.failures(), again.changed) == ([], 0)
    checks = fleet.verify("nvidia_driver", limit=(OTHER,)).of(OTHER)
    assert [check for check in checks if check.outcome is not Outcome.PASS] == []
    return [name.partition(" | ")[2] for name in result.hosts[OTHER].as_dict()["changed_operations"]]


@pytest.mark.parametrize("version", [B580, B590])
def test_one_host_builds_for_both(pair: Fleet, version: str) -> None:
    declare(pair, version)
    report = build(pair, "--limit", BUILDER)
    assert [(made["driver"], made["flavor"], made["built_on"]) for made in report["builds"]] == [
        (version, "open", BUILDER)
    ]
    assert build(pair)["builds"] == []
    untouched = pair.host(BUILDER).execute("dkms status; dpkg-query -W -f '${Package}' 'nvidia-*'", check=False).stdout
    assert untouched == ""


@pytest.mark.parametrize(("version", "way"), [(B580, "fresh"), (B590, "up"), (B580, "down")])
def test_the_other_installs_what_was_built(pair: Fleet, version: str, way: str) -> None:
    declare(pair, version)
    changed = deploy(pair)
    host = pair.host(OTHER)
    assert f"Fetch the modules that {BUILDER} built" in changed, way
    assert host.execute("cat /sys/module/nvidia/version").stdout.strip() == version
    assert host.execute(f"dpkg-query -S $(modinfo -n nvidia) | cut -d: -f1; echo {PACKAGE}").stdout.split()[0] == (
        host.execute(f"echo {PACKAGE}").stdout.strip()
    )
    assert host.execute("for p in cc gcc make dkms; do command -v $p; done; true").stdout == ""


def test_package_with_another_content_is_refused(pair: Fleet, state: Path) -> None:
    declare(pair, B590)
    [package] = (state / "modules").glob(f"*/*/*/*_{B590}-*.deb")
    content = package.read_bytes()
    package.write_bytes(content + b"more")
    result = pair.deploy("driver.py", limit=(OTHER,))
    package.write_bytes(content)
    [error] = result.failures()
    assert f"{package}: expected sha256 " in error
    assert "remove its manifest and run `gpufleet modules build` again" in error
    assert pair.host(OTHER).execute("cat /sys/module/nvidia/version").stdout.strip() == B580


def test_signature_by_another_key_is_refused_on_the_host(pair: Fleet, state: Path) -> None:
    declare(pair, B590)
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJLh1nUjnx1q1kJOs5B8Wk3vd8RSQ1RsSmVHJMFYfH3a"
    wanted = pair.declared[OTHER]["nvidia_driver"] | {"precompiled": {"public_key": other}}
    pair.declare(**{OTHER: {"nvidia_driver": wanted}})
    [error] = pair.deploy("driver.py", limit=(OTHER,)).failures()
    assert (
        f"{OTHER}: nvidia-{B590}-open.json: expected a signature by the key of the repository, found none, or "
        "another's; compare nvidia_driver.precompiled.public_key with the key that signs, then build again"
    ) in error
    assert pair.host(OTHER).execute("cat /sys/module/nvidia/version").stdout.strip() == B580


def test_host_compiles_where_nothing_fits(pair: Fleet, state: Path) -> None:
    (state / "modules").rename(state / "modules-elsewhere")
    declare(pair, B590)
    assert f"Install driver {B590} with the open kernel module" in deploy(pair)
    (state / "modules-elsewhere").rename(state / "modules")
    host = pair.host(OTHER)
    assert host.execute("dkms status").stdout.startswith(f"nvidia/{B590}, ")
    assert host.execute(f"dpkg-query -W {PACKAGE}", check=False).stdout == ""


def test_removal_leaves_nothing(pair: Fleet) -> None:
    declare(pair, B590)
    deploy(pair)
    pair.declare(**{OTHER: {"nvidia_driver": {"state": "absent"}}})
    assert pair.deploy("driver.py", limit=(OTHER,)).failures() == []
    left = pair.host(OTHER).execute(
        "find /lib/modules /usr/src /var/lib/dkms /var/cache/gpufleet -name '*nvidia*' -path '*gpufleet*'; "
        "dpkg-query -W -f '${Package}\\n' '*nvidia*' 2>/dev/null | grep gpufleet; true"
    )
    assert left.stdout == ""
