"""What the lab's repository of the container toolkit has: releases of the matrix, exact relations, key, programs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab import vendors
from gpufleet.lab.vendors import container_toolkit, declared
from gpufleet.lab.vendors.package import Package, relation
from gpufleet.stack.container_toolkit_choice import PACKAGES, refreshes
from gpufleet.stack.matrix import load
from tests.support.toolkit_programs import laid_out, ran

SERVED = {family: list(container_toolkit.packages(words)) for family, words in
          (("deb", declared.APT), ("rpm", declared.DNF))}  # fmt: skip
each = pytest.mark.parametrize("family", SERVED)


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def of(family: str, release: str) -> dict[str, Package]:
    """Packages of a release by name."""
    return {package.name: package for package in SERVED[family] if package.version == f"{release}-1"}


@each
def test_releases_of_the_matrix_with_all_packages(family: str) -> None:
    releases = sorted({package.evr[1] for package in SERVED[family]})
    assert releases == ["1.17.8", "1.18.2", "1.19.1", "1.20.0"]
    assert set(releases) <= {row.version for row in load().toolkit}
    assert {release: set(of(family, release)) for release in releases} == {
        release: set(PACKAGES) for release in releases
    }


@each
def test_a_release_is_one_version(family: str) -> None:
    wanted = [relation(text) for text in of(family, "1.19.1")["nvidia-container-toolkit"].depends]
    assert {(want.name, want.sign, want.version) for want in wanted} == {
        ("nvidia-container-toolkit-base", "=", "1.19.1-1"),
        ("libnvidia-container-tools", "=", "1.19.1-1"),
    }


@pytest.mark.parametrize("release", ["1.17.8", "1.18.2", "1.19.1", "1.20.0"])
def test_units_of_its_own_where_the_product_expects_them(release: str) -> None:
    files = {file.path for file in of("deb", release)["nvidia-container-toolkit-base"].files}
    units = {path.rpartition("/")[2] for path in files if "/systemd/" in path}
    expected = {"nvidia-cdi-refresh.path", "nvidia-cdi-refresh.service"} if refreshes(release) else set()
    assert units == expected


def test_layout_is_that_of_the_matrix(tmp_path: Path) -> None:
    container_toolkit.fill(tmp_path / "libnvidia-container")
    for row in load().repositories:
        if row.name == "nvidia-container-toolkit" and row.arch == "x86_64":
            place = tmp_path / row.path
            index = "repodata/repomd.xml.asc" if row.packaging == "rpm" else "InRelease"
            assert (place / index).is_file()
            assert (place / row.key_file).resolve().read_bytes() == vendors.key().armored()


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Folder with the programs of a release, and what they ask."""
    return laid_out(tmp_path, of("deb", "1.19.1").values())


@pytest.mark.parametrize("name", ["nvidia-ctk", "nvidia-cdi-hook", "nvidia-container-runtime", "nvidia-container-cli"])
def test_programs_tell_their_release(machine: Path, name: str) -> None:
    assert "1.19.1" in ran(machine, name, "--version").stdout.splitlines()[0]


def test_the_runtime_is_runc(machine: Path) -> None:
    assert ran(machine, "nvidia-container-runtime", "create", "x").stdout == "runc version 1.3.3 create x\n"


def test_a_driver_of_another_version_is_not_described(machine: Path) -> None:
    said = "Failed to initialize NVML: Driver/library version mismatch"
    done = ran(machine, "nvidia-ctk", "cdi", "generate", f"--output={machine}/nvidia.yaml", BROKEN=said)
    assert (done.returncode, (machine / "nvidia.yaml").exists()) == (1, False)
    assert f"failed to initialize NVML: {said}" in done.stderr
    shown = ran(machine, "nvidia-container-cli", "info", BROKEN=said)
    message = "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch\n"
    assert (shown.returncode, shown.stderr) == (1, message)


def test_the_configuration_loses_its_comments(machine: Path) -> None:
    """As NVIDIA's script of the package has it at every upgrade: the role writes its own again."""
    file = machine / "config.toml"
    words = ("nvidia-ctk", "--quiet", "config", f"--config-file={file}", "--in-place")
    assert ran(machine, *words).returncode == 0
    assert 'mode = "auto"' in file.read_text()
    file.write_text('# Managed\nmode = "cdi"\n')
    assert ran(machine, *words).returncode == 0
    assert file.read_text() == 'mode = "cdi"\n'


def test_links_are_those_of_the_real_command(machine: Path) -> None:
    """With `--create-all` of what may come, MIG's capabilities among it and no other; else of what is there."""
    root, program = machine / "root", machine / "nvidia-ctk"
    for name in ("nvidia0", "nvidia3", "nvidiactl", "nvidia-fs0", "nvidia-caps/nvidia-cap0",
                 "nvidia-caps-imex-channels/channel0"):  # fmt: skip
        (root / "dev" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "dev" / name).touch()
    (root / "sys/module/nvidia").mkdir(parents=True)
    program.write_text(re.sub(r'(?<=")(?=/dev/|/sys/)', str(root), program.read_text()))

    def linked(*words: str) -> dict[str, str]:
        assert ran(machine, "nvidia-ctk", "system", "create-dev-char-symlinks", *words).returncode == 0
        found = sorted((root / "dev/char").iterdir())
        return {path.name: str(path.readlink()).removeprefix(f"{root}/dev/") for path in found}

    may_come = {"195:0": "nvidia0", "195:254": "nvidia-modeset", "195:255": "nvidiactl"}
    may_come |= {"508:0": "nvidia-uvm", "508:1": "nvidia-uvm-tools"}
    assert linked("--create-all") == may_come
    assert linked() == {**may_come, "195:3": "nvidia3", "506:0": "nvidia-caps/nvidia-cap0"}


def test_links_that_are_there_stay_whatever_they_lead_to(machine: Path) -> None:
    folder = machine / "char"
    folder.mkdir()
    (folder / "195:0").symlink_to("/run/nvidia/driver/dev/nvidia0")
    program = machine / "nvidia-ctk"
    program.write_text(program.read_text().replace("/sys/module/nvidia", str(folder)))
    done = ran(machine, "nvidia-ctk", "system", "create-dev-char-symlinks", "--create-all", f"--dev-char-path={folder}")
    assert (done.returncode, "File exists" in done.stderr) == (0, True)
    assert str((folder / "195:0").readlink()) == "/run/nvidia/driver/dev/nvidia0"
    assert (folder / "195:255").is_symlink()
