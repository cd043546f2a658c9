"""The scripts by which a kubelet judges its configuration and kubeadm joins, run with programs that act like both."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from gpufleet.kubernetes.join import DIAGNOSES, Diagnosis, Joining, Papers, with_kubeconfig, with_token
from gpufleet.operations import kubeadm, kubelet_configuration

WHERE, ENDPOINT = "gpu-07", "10.0.0.1:6443"
TOKEN, HASH = "abcdef.0123456789abcdef", f"sha256:{'0f' * 32}"
JOINING = Joining(WHERE, "unix:///run/containerd/containerd.sock", {})
#: What kubelet 1.36.3 printed, called with `--exit-on-lock-contention` on good, bad and misspelt configurations.
GOOD = 'E1123 14:47:28.970731 10181 run.go:72] "command failed" err="failed to run Kubelet: cannot exit on lock file contention: no lock file specified"'  # noqa: E501
BAD = 'E1123 14:47:29.341260 10204 run.go:72] "command failed" err="failed to validate kubelet configuration, error: invalid configuration: maxPods (--max-pods) -5 must not be a negative number, path: &TypeMeta{Kind:,APIVersion:,}"'  # noqa: E501
MISSPELT = 'I1123 14:47:29.524810 10213 codec.go:102] "Using lenient decoding as strict decoding failed" err="strict decoding error: unknown field \\"maxPodz\\""'  # noqa: E501


class Place:
    """A host's directories below one of the test's, with programs that say what they were called with."""

    def __init__(self, root: Path) -> None:
        self.root, self.new = root, root / "conf.d/50-gpufleet.conf.new"
        self.clusters, self.calls = root / "config.yaml", root / "calls"
        self.new.parent.mkdir()
        self.new.write_text("new")
        (self.new.parent / "10-other.conf").write_text("other")

    def program(self, name: str, script: str) -> Path:
        path = self.root / name
        path.write_text(f'#!/bin/sh\necho "$@" >>{self.calls}\n{script}\n')
        path.chmod(0o755)
        return path

    def judged(self, monkeypatch: pytest.MonkeyPatch, script: str) -> tuple[int, str]:
        program = self.program("kubelet", script)
        for name, path in (("PROGRAM", program), ("CLUSTERS", self.clusters), ("DROP_INS", self.new.parent)):
            monkeypatch.setattr(kubelet_configuration, name, str(path))
        return run(kubelet_configuration.check(WHERE, str(self.new)))


def run(script: str, stdin: str = "", path: str = "") -> tuple[int, str]:
    environment = {"PATH": f"{path}:/usr/bin:/bin"}
    done = subprocess.run(
        ["sh", "-c", script], input=stdin, capture_output=True, text=True, check=False, env=environment
    )
    assert not done.stdout
    return done.returncode, done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def says(text: str) -> str:
    return f"printf '%s\\n' {shlex.quote(text)} >&2; exit 1"


def refusal(found: str) -> str:
    return (
        "gpu-07: /etc/kubernetes/kubelet.conf.d/50-gpufleet.conf: expected a configuration that the installed kubelet "
        f"takes, found {found}; correct the options of the role kubelet; the old configuration is still in force\n"
    )


def test_a_good_configuration(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.judged(monkeypatch, says(GOOD)) == (0, "")
    (call,) = place.calls.read_text().splitlines()
    assert call.startswith(f"--config={place.new} --exit-on-lock-contention --root-dir=/")
    assert place.new.exists()


def test_a_good_configuration_over_the_clusters(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.clusters.write_text("clusters")
    script = (
        'for a in "$@"; do case $a in --config-dir=*) (cd "${a#*=}"; grep -H . *) >>'
        + str(place.calls)
        + ";; esac; done;"
    )
    assert place.judged(monkeypatch, script + says(GOOD)) == (0, "")
    assert place.calls.read_text().splitlines()[2:] == ["10-other.conf:other", "50-gpufleet.conf:new"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            BAD,
            "failed to validate kubelet configuration, error: invalid configuration: maxPods (--max-pods) -5 must not "
            "be a negative number, path: &TypeMeta{Kind:,APIVersion:,}",
        ),
        (f"{MISSPELT}\n{GOOD}", 'strict decoding error: unknown field \\"maxPodz\\"'),
        ("kubelet: not a program", ""),
    ],
)
def test_a_bad_configuration(place: Place, monkeypatch: pytest.MonkeyPatch, said: str, found: str) -> None:
    assert place.judged(monkeypatch, says(said)) == (1, refusal(found))
    assert not place.new.exists()


def test_bad_together_with_the_clusters(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.clusters.write_text("clusters")
    script = f'case "$*" in *--config-dir*) {says(BAD)};; esac; {says(GOOD)}'
    code, text = place.judged(monkeypatch, script)
    assert (code, text.startswith(refusal("failed to validate")[:90])) == (1, True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "join"
    monkeypatch.setattr(kubeadm, "FOLDER", str(found))
    monkeypatch.setattr(kubeadm, "KUBECONFIG_THERE", str(found / "bootstrap.conf"))
    monkeypatch.setattr(kubeadm, "LEFT", (str(tmp_path / "bootstrap-kubelet.conf"), str(tmp_path / "ca.crt")))
    return found


def joins(place: Place, papers: Papers, script: str) -> tuple[int, str]:
    place.program("kubeadm", script)
    place.program("systemctl", "exit 5")
    secret = papers.configuration if papers.kubeconfig is None else papers.kubeconfig
    return run(kubeadm.script(WHERE, papers, ENDPOINT, 60), secret, str(place.root))


def papers() -> Papers:
    return Papers(with_token(JOINING, ENDPOINT, TOKEN, [HASH]))


def test_join_by_a_token(place: Place, folder: Path) -> None:
    seen = place.root / "seen"
    script = f"cat {folder}/join.yaml >{seen}; stat -c %a {folder} {folder}/join.yaml >>{place.calls}"
    assert joins(place, papers(), script) == (0, "")
    assert place.calls.read_text().splitlines() == ["stop kubelet", f"join --config={folder}/join.yaml", "700", "600"]
    assert seen.read_text() == papers().configuration
    assert not folder.exists()


def test_what_a_broken_join_left_is_gone_before_the_next(place: Place, folder: Path) -> None:
    for name in ("bootstrap-kubelet.conf", "ca.crt"):
        (place.root / name).touch()
    assert joins(place, papers(), f"ls {place.root}/*.conf {place.root}/*.crt >>{place.calls} 2>&1; exit 0") == (0, "")
    assert not [path for path in place.root.iterdir() if path.suffix in (".conf", ".crt")]
    assert place.calls.read_text().splitlines()[0] == "stop kubelet"


def test_join_by_a_kubeconfig(place: Place, folder: Path) -> None:
    path = str(folder / "bootstrap.conf")
    given = Papers(with_kubeconfig(JOINING, path), "kind: Config\n")
    seen = place.root / "seen"
    assert joins(place, given, f"cat {folder}/join.yaml {path} >{seen}; stat -c %a {path} >>{place.calls}") == (0, "")
    assert seen.read_text() == f"{given.configuration}kind: Config\n"
    assert place.calls.read_text().splitlines()[2:] == ["600"]
    assert not folder.exists()


@pytest.mark.parametrize("each", DIAGNOSES, ids=[each.text for each in DIAGNOSES])
def test_what_failures_mean(place: Place, folder: Path, each: Diagnosis) -> None:
    printed = f"error execution phase preflight: {each.text} for {TOKEN}"
    code, text = joins(place, papers(), f"echo {shlex.quote(printed)}; exit 3")
    sentence = f"gpu-07: cluster at 10.0.0.1:6443: expected {each.expected}, found {each.found}; {each.cure}"
    assert (code, text) == (3, f"{printed.replace(TOKEN, '(token)')}\n{sentence}\n")
    assert not folder.exists()


def test_another_failure_is_shown(place: Place, folder: Path) -> None:
    assert joins(place, papers(), "seq 9; exit 1") == (1, "5\n6\n7\n8\n9\n")


def test_secrets_are_in_no_command_and_no_text() -> None:
    script = kubeadm.script(WHERE, papers(), ENDPOINT, 60)
    assert TOKEN not in script
    assert TOKEN not in repr(papers())
    assert "secret" not in kubeadm.script(WHERE, Papers("kind: Join\n", "secret"), ENDPOINT, 60)
