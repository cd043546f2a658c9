"""The control plane's container and what is asked of it, with Docker's answers given."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from gpufleet.errors import LabError
from gpufleet.lab import docker, image
from gpufleet.lab.control_plane import build, control_plane, server
from gpufleet.lab.control_plane.control_plane import ControlPlane
from gpufleet.lab.control_plane.programs import Programs
from gpufleet.lab.control_plane.server import Server
from gpufleet.lab.docker import Result
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.network import Network
from gpufleet.lab.state import State

NET = Network("gpufleet-demo", IPv4Network("10.213.7.0/24"))
#: Self-signed, made by openssl; so is the hash of its key, by `openssl pkey -pubin -outform der | sha256sum`.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUYRfTjx47iT2q9YrflUECs90siq0wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjMxNTAxNTNaGA8yMTI2MTAz
MDE1MDE1M1owFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABF52V8+BVwG2USuErKFQyNDgt+pHWBkJy34uvRsAeXSed5XFSH6U
lZiEvwpBHfxbX3Ubd7qQRTy+jE+ceZbQOnCjUzBRMB0GA1UdDgQWBBQIUjpphJVG
OzkjHvtkIU1FCfNFlzAfBgNVHSMEGDAWgBQIUjpphJVGOzkjHvtkIU1FCfNFlzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIGfD4suys2bcHInCe6qd
BsCnM5vJysYZnTpL2YbPI6y0AiEAzGKzaco0ClEZP0EE6CuDYCBPBpgwmumqiuNq
vPuryzs=
-----END CERTIFICATE-----
"""
KEY_HASH = "sha256:0b854872913d18cb9e154deb307dbe752cde6a085f084f38d5f83a1617d88151"


class Docker:
    """Docker that notes what it is told; its answers by the word that a command ends with."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.answers: dict[str, str] = {}
        self.status = 0

    def __call__(self, *words: str, data: bytes | None = None, **_: object) -> Result:
        self.told.append(words)
        return Result(
            words, self.status, self.answers.get(words[-1], ""), "error: no such thing" if self.status else ""
        )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Docker:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))
    found = Docker()
    monkeypatch.setattr(docker, "docker", found)
    monkeypatch.setattr("gpufleet.lab.bundle.docker", found)
    return found


@pytest.fixture
def lab(engine: Docker) -> State:
    lab = State("demo")
    lab.path.mkdir(parents=True)
    return lab


def test_the_container(engine: Docker, lab: State) -> None:
    Server(lab)._create(NET, Programs(Path("/programs"), "1.36.3"), {}, print)
    created = next(words for words in engine.told if words[0] == "create")
    base = image.recipes(["debian-13"], {})[0].base_tag()
    assert created == (
        *("create", "--name", "gpufleet-demo-control", "--hostname=control", "--restart=always", "--tmpfs=/run"),
        *("--network", "gpufleet-demo", "--ip", "10.213.7.3", "--label=gpufleet.control-plane=demo"),
        *(f"--volume=/programs/{name}:/usr/lib/gpufleet-lab-control/bin/{name}:ro" for name in build.NAMES),
        "--env=PATH=/usr/lib/gpufleet-lab-control/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        *(base, "/usr/lib/gpufleet-lab-control/supervise"),
    )


def test_programs_that_are_links_to_elsewhere(engine: Docker, lab: State, tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "ready"
    for path in (elsewhere, folder):
        path.mkdir()
    for name in build.NAMES:
        (elsewhere / f"{name}-1.36.3").touch()
        (folder / name).symlink_to(elsewhere / f"{name}-1.36.3")
    Server(lab)._create(NET, Programs(folder, "1.36.3"), {}, print)
    created = next(words for words in engine.told if words[0] == "create")
    assert [word for word in created if word.startswith("--volume")] == [
        f"--volume={elsewhere}/{name}-1.36.3:/usr/lib/gpufleet-lab-control/bin/{name}:ro" for name in build.NAMES
    ]


def test_one_that_runs_is_left_alone(engine: Docker, lab: State) -> None:
    engine.answers = {"gpufleet-demo-control": "running\n"}
    ready = f"({server._READYZ}) 2>&1 || {server._LAST}"
    engine.answers[ready] = "ok"
    Server(lab).start(NET, Programs(Path("/programs"), "1.36.3"), {}, print)
    assert [words[0] for words in engine.told] == ["inspect", "exec"]


def test_a_program_that_fails(engine: Docker, lab: State) -> None:
    engine.status = 1
    with pytest.raises(LabError) as refused:
        ControlPlane(lab).kubectl("get", "nodes")
    assert str(refused.value) == (
        "control plane of lab demo: expected success of `kubectl get`, found exit status 1: error: no such thing; "
        "look into it with `docker logs gpufleet-demo-control`"
    )


def test_a_token_and_the_key_of_the_authority(engine: Docker, lab: State) -> None:
    engine.answers = {"2h": "abcdef.0123456789abcdef\n", server.CA: CERTIFICATE}
    own = ControlPlane(lab)
    assert (own.token("2h"), own.ca_hash) == ("abcdef.0123456789abcdef", KEY_HASH)
    administrator = ("exec", "-i", "--env=KUBECONFIG=/etc/kubernetes/admin.conf", "gpufleet-demo-control")
    assert engine.told[0] == (*administrator, "kubeadm", "token", "create", "--ttl", "2h")


def test_a_user_with_groups(engine: Docker, lab: State) -> None:
    engine.answers = {server.SETTINGS: "kubeconfig"}
    assert ControlPlane(lab).user("gpufleet", "fleet", "people") == "kubeconfig"
    assert engine.told[0][4:] == (
        *("kubeadm", "kubeconfig", "user", "--client-name", "gpufleet", "--org", "fleet", "--org", "people"),
        *("--config", server.SETTINGS),
    )


def test_a_lab_without_one(lab: State) -> None:
    with pytest.raises(LabError) as refused:
        ControlPlane.of(lab)
    assert str(refused.value) == (
        "lab demo: expected a control plane, found none; "
        "run `gpufleet lab down --lab demo`, then `gpufleet lab up --kubernetes`"
    )


def test_a_lab_with_one(lab: State, engine: Docker) -> None:
    lab.kubernetes.write_text("1.36.3\n")
    engine.answers = {"gpufleet-demo-control": "10.213.7.3\n"}
    own = ControlPlane.of(lab)
    assert (own.version, own.endpoint, own.kubeconfig) == ("1.36.3", "10.213.7.3:6443", lab.path / "kubeconfig")
    assert own.server.row(own.version) == {
        **{"name": "control", "os": "debian-13", "profile": "kubernetes 1.36.3", "address": "10.213.7.3"},
        **{"state": "down", "kernel": "", "faults": []},
    }


def test_hosts_made_without_cannot_become_nodes(lab: State) -> None:
    made = [LabHost("gpu-01", "debian-13", "hgx-h100", "10.213.7.11", lab)]
    with pytest.raises(LabError) as refused:
        control_plane.check(lab, made, [])
    assert str(refused.value) == (
        "lab demo: expected hosts made as nodes, found hosts made without; run `gpufleet lab down --lab demo` first"
    )
    lab.kubernetes.write_text("1.36.3\n")
    control_plane.check(lab, made, [])


def test_the_name_is_taken(lab: State) -> None:
    with pytest.raises(LabError) as refused:
        control_plane.check(lab, [], [HostSpec.parse("control=debian-13/hgx-h100")])
    assert str(refused.value) == (
        "lab demo: expected that name left to the control plane, found a host called control; "
        "give the host another name"
    )


def test_a_lab_that_does_not_ask_gets_none(lab: State) -> None:
    assert control_plane.planned(lab, [], [], print, asked=False) is None
