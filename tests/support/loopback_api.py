"""A real API server and its etcd on loopback, with real TLS and RBAC and nothing else of a cluster."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gpufleet.kubernetes.rights import MANIFEST
from gpufleet.lab import waiting
from gpufleet.lab.control_plane.programs import Programs
from tests.support.certificates import Authority, Pair
from tests.support.kubeconfigs import document, write

SECONDS = 120


class LoopbackApi:
    """Both programs run from `with` on, in a folder of their own; `kubectl` is the administrator's."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs, self.folder = programs, folder
        self._etcd, peer, self._port = (_free_port() for _ in range(3))
        self.url = f"https://127.0.0.1:{self._port}"
        self.authority = Authority("the cluster's authority")
        administrator = self.authority.pair("admin", organization="system:masters")
        self._admin = write(folder / "admin", document(self.url, self.authority.pem, of_certificate(administrator)))
        self._commands = {"etcd": self._etcd_flags(peer), "kube-apiserver": self._api_flags()}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for name, flags in self._commands.items():
            with (self.folder / f"{name}.log").open("wb") as log:
                command = [str(self._programs.path(name)), *flags]
                self._running[name] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        try:
            waiting.until("kube-apiserver", "an API server that is ready", self._ready, SECONDS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for name in reversed([*self._running]):
            self.stop(name)

    def stop(self, name: str) -> None:
        """End one program; once more does nothing."""
        if process := self._running.pop(name, None):
            process.kill()
            process.wait()

    def kubectl(self, *arguments: str, config: Path | None = None, data: Any = None) -> str:
        """Run kubectl as the administrator or by another kubeconfig; raises CalledProcessError when it fails."""
        done = self.asked(*arguments, config=config, data=data)
        done.check_returncode()
        return done.stdout

    def asked(self, *arguments: str, config: Path | None = None, data: Any = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl, whatever comes of it; `data` goes to its standard input as JSON."""
        command = [str(self._programs.path("kubectl")), f"--kubeconfig={config or self._admin}", *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return subprocess.run(
            command, input=json.dumps(data), capture_output=True, text=True, check=False, env=environment
        )

    def node(self, name: str) -> dict[str, Any]:
        """Read a node."""
        return dict(json.loads(self.kubectl("get", "node", name, "--output=json", "--show-managed-fields")))

    def account(self) -> Path:
        """Apply gpufleet's manifest, and return a kubeconfig of its service account."""
        self.kubectl("apply", f"--filename={MANIFEST}")
        token = self.kubectl("create", "token", "gpufleet", "--namespace=gpufleet").strip()
        return self.kubeconfig("gpufleet", {"token": token})

    def kubeconfig(self, name: str, user: dict[str, Any], authority: bytes | None = None) -> Path:
        """A kubeconfig of this server for a user."""
        return write(self.folder / name, document(self.url, authority or self.authority.pem, user))

    def _ready(self) -> tuple[bool, str]:
        for name, process in self._running.items():
            if process.poll() is not None:
                return False, f"{name} ended: {(self.folder / f'{name}.log').read_text()[-500:]}"
        done = self.asked("get", "--raw=/readyz")
        return done.stdout == "ok", done.stderr

    def _etcd_flags(self, peer: int) -> Sequence[str]:
        own, others = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{peer}"
        return [
            *(f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", f"--initial-cluster=default={others}"),
            *(f"--listen-client-urls={own}", f"--advertise-client-urls={own}"),
            *(f"--listen-peer-urls={others}", f"--initial-advertise-peer-urls={others}"),
        ]

    def _api_flags(self) -> Sequence[str]:
        certificate, key = self.authority.pair("kube-apiserver").written(self.folder, "api-server")
        (self.folder / "ca.crt").write_bytes(self.authority.pem)
        accounts, public = _account_keys(self.folder)
        return [
            *(f"--etcd-servers=http://127.0.0.1:{self._etcd}", "--service-cluster-ip-range=10.96.0.0/24"),
            *("--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"),
            *("--bind-address=127.0.0.1", f"--secure-port={self._port}", f"--cert-dir={self.folder}/certificates"),
            *(f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}"),
            *(f"--client-ca-file={self.folder}/ca.crt", "--authorization-mode=Node,RBAC"),
            "--enable-bootstrap-token-auth",
            *("--enable-admission-plugins=NodeRestriction", "--service-account-issuer=https://kubernetes.default.svc"),
            *(f"--service-account-signing-key-file={accounts}", f"--service-account-key-file={public}"),
        ]


def of_certificate(pair: Pair) -> dict[str, str]:
    """The user of a kubeconfig who shows a certificate."""
    parts = {"client-certificate-data": pair.certificate, "client-key-data": pair.key}
    return {name: base64.b64encode(content).decode() for name, content in parts.items()}


def _account_keys(folder: Path) -> tuple[Path, Path]:
    """Keys by which the server signs tokens of service accounts."""
    key = rsa.generate_private_key(65537, 2048)
    paths = folder / "accounts.key", folder / "accounts.pub"
    paths[0].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    paths[1].write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return paths


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
