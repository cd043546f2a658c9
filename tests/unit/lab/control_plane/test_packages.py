"""Kubernetes' packages of the lab: names, versions, relations and what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.lab import vendors
from gpufleet.lab.control_plane import beside, build, packages
from gpufleet.lab.control_plane.programs import Programs

PLACE = "core:/stable:/v1.36/deb"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """One binary that is all programs, as the module builds it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / build.BINARY).write_bytes(b"all programs")
    for name in build.NAMES:
        (folder / name).symlink_to(build.BINARY)
    return Programs(folder, "1.36.3")


def test_names_versions_and_relations(programs: Programs) -> None:
    own = "gpufleet-lab-kubernetes-1.36.3 = 1.36.3-1.1"
    assert {one.name: (one.version, one.depends, one.recommends) for one in packages.packages(programs)} == {
        "kubelet": ("1.36.3-1.1", (own, "kubernetes-cni >= 1.2.0", "mount", "util-linux"), ("iptables >= 1.8.4",)),
        "kubeadm": ("1.36.3-1.1", (own,), ()),
        "kubectl": ("1.36.3-1.1", (own,), ()),
        "cri-tools": ("1.36.0-1.1", (own,), ()),
        "kubernetes-cni": ("1.9.1-1.1", ("containernetworking-plugins",), ()),
        "gpufleet-lab-kubernetes-1.36.3": ("1.36.3-1.1", (), ()),
    }


def test_the_programs_are_in_the_packages_of_their_names(programs: Programs) -> None:
    links = {
        file.path: file.link for one in packages.packages(programs) for file in one.files if "/usr/bin/" in file.path
    }
    folder = "/usr/lib/gpufleet-lab-kubernetes/1.36.3"
    assert links == {
        "/usr/bin/kubelet": f"{folder}/kubelet",
        "/usr/bin/kubeadm": f"{folder}/kubeadm",
        "/usr/bin/kubectl": f"{folder}/kubectl",
        "/usr/bin/crictl": f"{folder}/crictl",
    }
    assert {file.path: file.data or file.link for file in packages.packages(programs)[-1].files} == {
        f"{folder}/crictl": b"all programs",
        f"{folder}/kubeadm": "crictl",
        f"{folder}/kubectl": "crictl",
        f"{folder}/kubelet": "crictl",
    }


def test_separate_programs_stay_separate(programs: Programs) -> None:
    for name in build.ON_NODES:
        programs.path(name).unlink()
        programs.path(name).write_text(name)
    assert [file.data.decode() for file in packages.packages(programs)[-1].files] == list(build.ON_NODES)


def test_the_kubelet_brings_its_unit_and_kubeadm_the_drop_in(programs: Programs) -> None:
    files = {one.name: {file.path: file for file in one.files} for one in packages.packages(programs)}
    assert files["kubelet"]["/usr/lib/systemd/system/kubelet.service"].mode == 0o600
    assert [path for path, file in files["kubelet"].items() if file.config] == ["/etc/default/kubelet"]
    drop_in = files["kubeadm"]["/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"].data.decode()
    assert drop_in.endswith(
        "ExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS "
        "$KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n"
    )


def test_the_repository(programs: Programs) -> None:
    folder = packages.ensure([programs])
    assert sorted(path.name for path in (folder / PLACE).iterdir()) == [
        *("InRelease", "Packages", "Packages.gz", "Release", "Release.gpg", "Release.key"),
        "cri-tools_1.36.0-1.1_amd64.deb",
        "gpufleet-lab-kubernetes-1.36.3_1.36.3-1.1_amd64.deb",
        "kubeadm_1.36.3-1.1_amd64.deb",
        "kubectl_1.36.3-1.1_amd64.deb",
        "kubelet_1.36.3-1.1_amd64.deb",
        "kubernetes-cni_1.9.1-1.1_amd64.deb",
    ]
    assert (folder / PLACE / "Release.key").read_bytes() == vendors.key().armored()
    assert (folder / PLACE / "Release").read_text().splitlines()[:2] == [
        "Origin: obs://build.opensuse.org/isv:kubernetes:core:stable:v1.36/deb",
        "Label: isv:kubernetes:core:stable:v1.36",
    ]
    assert packages.ensure([programs]).resolve() == folder.resolve()


def test_other_programs_are_another_repository(programs: Programs) -> None:
    before = packages.ensure([programs]).resolve()
    (programs.directory / build.BINARY).write_bytes(b"other programs")
    assert packages.ensure([programs]).resolve() != before


def test_an_older_minor_has_a_repository_beside(programs: Programs) -> None:
    alone = packages.ensure([programs]).resolve()
    folder = packages.ensure([programs, Programs(programs.directory, "1.35.8")])
    assert folder.resolve() != alone
    assert (folder / PLACE / "kubelet_1.36.3-1.1_amd64.deb").is_file()
    assert sorted(path.name for path in (folder / "core:/stable:/v1.35/deb").glob("*.deb")) == [
        "cri-tools_1.35.0-1.1_amd64.deb",
        "gpufleet-lab-kubernetes-1.35.8_1.35.8-1.1_amd64.deb",
        "kubeadm_1.35.8-1.1_amd64.deb",
        "kubectl_1.35.8-1.1_amd64.deb",
        "kubelet_1.35.8-1.1_amd64.deb",
        "kubernetes-cni_1.8.0-1.1_amd64.deb",
    ]


@pytest.mark.parametrize(
    ("release", "crictl"), [("1.34.4", "1.36.0"), ("1.35.8", "1.35.0"), ("1.36.3", "1.36.0"), ("1.37.2", "1.36.0")]
)
def test_what_a_minor_has_beside(release: str, crictl: str) -> None:
    assert beside.versions(release)["cri-tools"] == crictl
