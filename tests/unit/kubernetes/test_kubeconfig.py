"""Which kubeconfig is taken, and every way of giving a wrong one in its own words; none shows what it holds."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import ClusterError, GpufleetError
from gpufleet.kubernetes import kubeconfig
from gpufleet.kubernetes.data import ClusterData
from gpufleet.kubernetes.kubeconfig import Kubeconfig
from gpufleet.options.secret import Secret
from tests.support.kubeconfigs import document, write

SERVER = "https://10.0.0.1:6443"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def content(**user: Any) -> dict[str, Any]:
    return document(SERVER, None, user or {"token": "SECRET"})


def data(path: Path, context: str | None = None) -> ClusterData:
    return ClusterData(kubeconfig=Secret(file=path), context=context)


def test_the_one_in_the_data_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(home / "none"))
    found = kubeconfig.read(data(write(home / "own", content())))
    assert found == Kubeconfig(str(home / "own"), "fleet", {"server": SERVER}, {"token": "SECRET"})
    assert "SECRET" not in repr(found)


def test_then_that_of_the_environment_then_that_of_kubectl(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".kube").mkdir()
    write(home / ".kube" / "config", content())
    assert kubeconfig.read(ClusterData()).source == f"{home}/.kube/config"
    monkeypatch.setenv("KUBECONFIG", str(write(home / "other", content())))
    assert kubeconfig.read(ClusterData()).source == f"{home}/other"


def test_one_that_is_no_file(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("VAULT", write(home / "x", content()).read_text())
    assert kubeconfig.read(ClusterData(kubeconfig=Secret(env="VAULT"))).source == "kubernetes.kubeconfig"


def test_paths_count_from_its_folder(home: Path) -> None:
    paths = {"tokenFile": "t", "client-certificate": "/etc/c.crt", "client-key": "keys/k"}
    made = document(SERVER, None, paths, {"certificate-authority": "ca.crt"})
    found = kubeconfig.read(data(write(home / "k", made)))
    assert found.cluster == {"server": SERVER, "certificate-authority": f"{home}/ca.crt"}
    expected = {"tokenFile": f"{home}/t", "client-certificate": "/etc/c.crt", "client-key": f"{home}/keys/k"}
    assert found.user == expected


@pytest.mark.parametrize("by_environment", [True, False])
def test_a_relative_one_is_found_and_so_are_its_files(
    home: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    (home / "sub").mkdir()
    write(home / "sub" / "k", document(SERVER, None, {"tokenFile": "t"}))
    monkeypatch.chdir(home)
    monkeypatch.setenv("KUBECONFIG", "sub/k")
    found = kubeconfig.read(ClusterData() if by_environment else data(Path("sub/k")))
    assert (found.source, found.user) == ("sub/k", {"tokenFile": f"{home}/sub/t"})


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_path_is_none(home: Path, empty: str | None) -> None:
    paths = {"tokenFile": empty, "client-certificate": empty, "client-key": empty, "token": "SECRET"}
    found = kubeconfig.read(data(write(home / "k", document(SERVER, None, paths, {"certificate-authority": empty}))))
    assert (found.cluster, found.user) == ({"server": SERVER}, {"token": "SECRET"})


def test_another_context(home: Path) -> None:
    both = content()
    both["contexts"].append({"name": "admin", "context": {"cluster": "training", "user": "root"}})
    both["users"].append({"name": "root", "user": {"token": "OTHER"}})
    assert kubeconfig.read(data(write(home / "k", both), "admin")).user == {"token": "OTHER"}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in content().items() if key != name}


def setting(kind: str, **values: Any) -> dict[str, Any]:
    made = content()
    made[f"{kind}s"][0][kind] |= values
    return made


WITHOUT = "expected a kubeconfig without"
OWN = "give gpufleet a kubeconfig of its own with a token, a client certificate or an exec command"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (without("kind"), "expected a kubeconfig (kind: Config), found something else; give that of a user"),
        (without("current-context"), "expected the name of a context, found none; it has the contexts fleet"),
        (without("contexts"), "expected the context fleet, found none; it has the contexts (none)"),
        (without("clusters"), "expected the cluster training, found none; it has the clusters (none)"),
        (without("users"), "expected the user gpufleet, found none; it has the users (none)"),
        (
            setting("cluster", server=None),
            "expected `server` in the cluster training, found none; write the URL of the API server there",
        ),
        (setting("user", tokenFile=7), "expected a path in `tokenFile`, found int; write it as text"),
        (
            setting("user", exec="SECRET"),
            "expected an exec command of client.authentication.k8s.io/v1beta1, found no command; "
            "most commands know that too: write it there, or give a token or a client certificate",
        ),
        (
            {**content(), "contexts": [None, {"name": ["x"]}, {"name": "fleet"}]},
            "expected the context fleet, found none; it has the contexts ['x'], fleet",
        ),
        (
            {**content(), "users": {"name": "gpufleet"}},
            "expected the user gpufleet, found none; it has the users (none)",
        ),
        (
            setting("cluster", **{"tls-server-name": "kube"}),
            f"{WITHOUT} `tls-server-name` of a cluster, which is not supported, found it set; {OWN}",
        ),
        (
            setting("user", **{"as": "ada"}),
            f"{WITHOUT} `as` of a user, which is not supported, found it set; {OWN}",
        ),
        (
            setting("user", exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "SECRET"}),
            "expected an exec command of client.authentication.k8s.io/v1beta1, found client.authentication.k8s.io/v1; "
            "most commands know that too: write it there, or give a token or a client certificate",
        ),
    ],
)
def test_wrong_ones(home: Path, wrong: dict[str, Any], message: str) -> None:
    path = write(home / "k", wrong)
    with pytest.raises(GpufleetError) as caught:
        kubeconfig.read(data(path))
    assert (str(caught.value), caught.value.exit_code) == (f"{path}: {message}", 1)


@pytest.mark.parametrize("text", ["SECRET: [", "SECRET", "- SECRET", "", "SECRET: 2026-13-01"])
def test_what_is_no_kubeconfig_is_not_shown(home: Path, text: str) -> None:
    (home / "k").write_text(text)
    with pytest.raises(GpufleetError) as caught:
        kubeconfig.read(data(home / "k"))
    assert str(caught.value) == (
        f"{home / 'k'}: expected a kubeconfig (kind: Config), found something else; give that of a user"
    )


@pytest.mark.parametrize("by_environment", [True, False])
def test_one_in_another_encoding(home: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool) -> None:
    (home / "k").write_bytes(b"kind: Config # \xe9")
    monkeypatch.setenv("KUBECONFIG", str(home / "k"))
    with pytest.raises(ClusterError) as caught:
        kubeconfig.read(ClusterData() if by_environment else data(home / "k"))
    expected = "expected a kubeconfig (kind: Config), found a text that is not UTF-8; give that of a user"
    assert str(caught.value) == f"{home / 'k'}: {expected}"


@pytest.mark.parametrize("what", ["is_file", "read_bytes"])
def test_one_that_may_not_be_read(home: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Its folder, or itself: root, who runs some of these tests, may read either."""
    monkeypatch.setenv("KUBECONFIG", str(write(home / "k", content())))

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, what, refuse)
    with pytest.raises(ClusterError) as caught:
        kubeconfig.read(ClusterData())
    assert str(caught.value) == (
        f"{home / 'k'}: expected a kubeconfig that can be read, found permission denied; "
        "let this user read it, or give another in kubernetes.kubeconfig"
    )


def test_none_anywhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cure = "give one in kubernetes.kubeconfig or $KUBECONFIG, or leave nodes alone with --no-gate"
    messages = []
    for value in ("", str(home / "gone"), f"{home / 'a'}:{home / 'b'}"):
        monkeypatch.setenv("KUBECONFIG", value)
        with pytest.raises(GpufleetError) as caught:
            kubeconfig.read(ClusterData())
        messages.append(str(caught.value))
    assert messages == [
        f"kubernetes.kubeconfig: expected a kubeconfig, found no file {home}/.kube/config; {cure}",
        f"KUBECONFIG: expected a kubeconfig, found no file {home}/gone; {cure}",
        "KUBECONFIG: expected one file, found 2 files; name one, or one in kubernetes.kubeconfig",
    ]
