"""What kubeadm is told, and what is read from what it writes."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from gpufleet.lab.control_plane import configuration, server

CONFIGURATION = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 10.213.0.3
  bindPort: 6443
nodeRegistration:
  name: control
  criSocket: unix:///run/containerd/containerd.sock
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: 10.213.0.3:6443
apiServer:
  certSANs:
  - control
  - localhost
  - 127.0.0.1
etcd:
  local:
    extraArgs:
    - name: unsafe-no-fsync
      value: 'true'
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
"""
#: Of kubeadm 1.36.3 for this configuration, shortened.
MANIFEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: etcd
spec:
  containers:
  - command:
    - etcd
    - --data-dir=/var/lib/etcd
    - --initial-cluster=control=https://10.213.0.3:2380
    - --unsafe-no-fsync=true
    image: registry.k8s.io/etcd:3.6.8-0
    livenessProbe:
      httpGet:
        host: 127.0.0.1
    ports:
    - containerPort: 2381
      name: probe-port
"""


@pytest.fixture
def supervise(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    loader = importlib.machinery.SourceFileLoader("supervise", str(server.CONTAINER / "supervise"))
    spec = importlib.util.spec_from_loader("supervise", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_what_kubeadm_is_told() -> None:
    assert configuration.text("10.213.0.3", "1.36.3") == CONFIGURATION


def test_the_command_of_a_static_pod(supervise: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "etcd.yaml").write_text(MANIFEST)
    assert supervise.command("etcd", tmp_path) == [
        "etcd",
        "--data-dir=/var/lib/etcd",
        "--initial-cluster=control=https://10.213.0.3:2380",
        "--unsafe-no-fsync=true",
    ]


def test_a_program_that_ends_is_started_again(
    supervise: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervise, "LOGS", tmp_path)
    monkeypatch.setattr(supervise, "command", lambda name: ["sh", "-c", f"echo {name}; exec sleep 60"])
    running = {name: supervise.start(name) for name in supervise.PROGRAMS}
    etcd, manager = running["etcd"], running["kube-controller-manager"]
    etcd.kill()
    etcd.wait()
    supervise.keep(running)
    assert capsys.readouterr().out == "etcd ended with status -9: starting it again\n"
    assert (running["etcd"] is not etcd, running["kube-controller-manager"] is manager) == (True, True)
    supervise.stop(running)
    assert [process.wait() for process in running.values()] == [-9] * 4


def test_both_sides_of_the_container_name_the_same_files(supervise: ModuleType) -> None:
    assert (supervise.SETTINGS, str(supervise.READY)) == (server.SETTINGS, server.READY)
