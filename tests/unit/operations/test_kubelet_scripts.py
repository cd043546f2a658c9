"""The scripts by which a kubelet judges its configuration and kubeadm joins, run with programs that act like both."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from gpufleet.kubernetes.join import Joining, Papers, with_kubeconfig, with_token
from gpufleet.kubernetes.join_failures import DIAGNOSES, Diagnosis
from gpufleet.operations import kubeadm, kubelet_configuration

WHERE, ENDPOINT = "gpu-07", "10.0.0.1:6443"
TOKEN, HASH = "abcdef.0123456789abcdef", f"sha256:{'0f' * 32}"
JOINING = Joining(WHERE, "unix:///run/containerd/containerd.sock", {})
#: What kubelet 1.36.3 printed, called with `--exit-on-lock-contention` on good, bad and misspelt configurations.
GOOD = 'E1123 14:47:28.970731 10181 run.go:72] "command failed" err="failed to run Kubelet: cannot exit on lock file contention: no lock file specified"'  # noqa: E501
BAD = 'E1123 14:47:29.341260 10204 run.go:72] "command failed" err="failed to validate kubelet configuration, error: invalid configuration: maxPods (--max-pods) -5 must not be a negative number, path: &TypeMeta{Kind:,APIVersion:,}"'  # noqa: E501
MISSPELT = 'I1123 14:47:29.524810 10213 codec.go:102] "Using lenient decoding as strict decoding failed" err="strict decoding error: unknown field \\"maxPodz\\""'  # noqa: E501
UNKNOWN = (
    'E1123 14:47:28.970731 10181 run.go:72] "command failed" err="failed to parse kubelet flag: unknown flag: --gone"'
)


class Place:
    """A host's directories below one of the test's, with programs that say what they were called with."""

    def __init__(self, root: Path) -> None:
        self.root, self.new = root, root / "conf.d/50-gpufleet.conf.new"
        self.clusters, self.calls = root / "config.yaml", root / "calls"
        self.flags, self.extra = root / "kubeadm-flags.env", root / "default"
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
        monkeypatch.setattr(kubelet_configuration, "FLAG_FILES", f"{self.flags} {self.extra}")
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
        f"takes, found {found}; correct the options of the role kubelet, or flags in "
        "/var/lib/kubelet/kubeadm-flags.env; the old configuration is still in force\n"
    )


def test_a_good_configuration(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.judged(monkeypatch, says(GOOD)) == (0, "")
    (call,) = place.calls.read_text().splitlines()
    assert call.startswith(f"--config={place.new} --exit-on-lock-contention --lock-file= --root-dir=/")
    assert place.new.exists()


def test_it_is_judged_by_the_flags_of_the_service(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a lock would let the kubelet run on, so that ours come last; nothing in them is run or expanded."""
    place.flags.write_text('# --not=this\nKUBELET_KUBEADM_ARGS="--lock-file=/x --pods=* --a=$(id) --b=\\"c\\""\n')
    place.extra.write_text("KUBELET_EXTRA_ARGS='--node-ip=10.0.0.7'\n")
    place.clusters.write_text("clusters")
    assert place.judged(monkeypatch, says(GOOD)) == (0, "")
    flags = "--lock-file=/x --pods=* --a=$(id) --b=c --node-ip=10.0.0.7"
    own = "--exit-on-lock-contention --lock-file= --root-dir=/"
    alone, over = place.calls.read_text().splitlines()
    assert alone.startswith(f"{flags} --config={place.new} {own}")
    assert over.startswith(f"{flags} --config={place.clusters} --config-dir=/")
    assert own in over


def test_a_flag_that_is_gone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.flags.write_text('KUBELET_KUBEADM_ARGS="--gone=x"\n')
    script = f'case "$*" in *--gone*) {says(UNKNOWN)};; esac; {says(GOOD)}'
    found = "failed to parse kubelet flag: unknown flag: --gone"
    assert place.judged(monkeypatch, script) == (1, refusal(found))
    assert not place.new.exists()


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
    place.program("journalctl", f"cat {place.root}/journal 2>/dev/null")
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
    found = each.found or "one that says no error"
    sentence = f"gpu-07: cluster at 10.0.0.1:6443: expected {each.expected}, found {found}; {each.cure}"
    assert (code, text) == (3, f"{printed.replace(TOKEN, '(token)')}\n{sentence}\n")
    assert not folder.exists()


#: The last lines of kubeadm 1.36.3 and 1.31.3, by their sources: cmd/kubeadm/app/util/apiclient/wait.go and
#: cmd/phases/join/kubelet.go.
NOT_HEALTHY = """\
[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. This can take up to 2m0s
[kubelet-check] The kubelet is not healthy after 2m0.000942471s
error: error execution phase kubelet-wait-bootstrap: failed while waiting for the kubelet to start: The HTTP call \
equal to 'curl -sSL http://127.0.0.1:10248/healthz' returned error: Get "http://127.0.0.1:10248/healthz": dial tcp \
127.0.0.1:10248: connect: connection refused"""
NOT_APPROVED = """\
[kubelet-check] The kubelet is healthy after 501.374662ms
[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap
error: error execution phase kubelet-wait-bootstrap: failed while waiting for TLS bootstrap: context deadline \
exceeded"""
NOT_APPROVED_1_31 = """\
[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap
Unfortunately, an error has occurred:
	context deadline exceeded
error execution phase kubelet-start: context deadline exceeded"""
NO_CERTIFICATE = (
    "expected a certificate of the cluster for the kubelet, which asked for one, found none in time; see `kubectl get "
    "csr`; approve the host's request with `kubectl certificate approve`, and deploy again"
)
JOURNAL = f"I1123 14:47:28.9 server.go:1] hello\n{BAD}\nI1123 14:47:29.4 server.go:2] bye\n"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (NOT_HEALTHY, f"expected a kubelet that starts, found {BAD}; see `journalctl -u kubelet` on the host"),
        (NOT_APPROVED, NO_CERTIFICATE),
        (NOT_APPROVED_1_31, NO_CERTIFICATE),
    ],
    ids=["no healthy kubelet", "no certificate", "no certificate 1.31"],
)
def test_what_kubeadm_waits_for_is_not_the_api_server(place: Place, folder: Path, printed: str, expected: str) -> None:
    (place.root / "journal").write_text(JOURNAL)
    code, text = joins(place, papers(), f"echo {shlex.quote(printed)}; exit 1")
    assert (code, text.splitlines()[-1]) == (1, f"gpu-07: cluster at 10.0.0.1:6443: {expected}")


def test_another_failure_is_shown(place: Place, folder: Path) -> None:
    assert joins(place, papers(), "seq 9; exit 1") == (1, "5\n6\n7\n8\n9\n")


def test_tokens_of_kubeconfigs_are_not_shown(place: Place, folder: Path) -> None:
    printed = (
        "cannot unmarshal !!str `eyJhbGciOiJSUzI1NiIsImtpZCI6Ij.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJl` into Config"
    )
    code, text = joins(place, papers(), f"echo {shlex.quote(printed)}; exit 1")
    assert (code, text) == (1, "cannot unmarshal !!str `(token)` into Config\n")


def test_secrets_are_in_no_command_and_no_text() -> None:
    script = kubeadm.script(WHERE, papers(), ENDPOINT, 60)
    assert TOKEN not in script
    assert TOKEN not in repr(papers())
    assert "secret" not in kubeadm.script(WHERE, Papers("kind: Join\n", "secret"), ENDPOINT, 60)
