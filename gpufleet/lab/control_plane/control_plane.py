"""The control plane of a lab: made beside the hosts, and what a node or an operator needs to reach it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gpufleet.errors import LabError
from gpufleet.lab import base, network, state
from gpufleet.lab.control_plane import build, configuration, images, packages, programs, server
from gpufleet.lab.control_plane.server import Server
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.state import State


@dataclass(frozen=True)
class ControlPlane:
    """The control plane of a lab that has one."""

    lab: State

    @classmethod
    def of(cls, lab: State) -> ControlPlane:
        """Return the lab's control plane; raises LabError where it has none."""
        if not lab.kubernetes.is_file():
            cure = f"run `gpufleet lab down --lab {lab.lab}`, then `gpufleet lab up --kubernetes`"
            raise LabError(f"lab {lab.lab}", expected="a control plane", found="none", cure=cure)
        return cls(lab)

    @property
    def version(self) -> str:
        """Its release of Kubernetes, such as `1.36.3`."""
        return self.lab.kubernetes.read_text(encoding="utf-8").strip()

    @property
    def server(self) -> Server:
        """The container in which it runs."""
        return Server(self.lab)

    @property
    def endpoint(self) -> str:
        """Address and port of the API server, as `kubeadm join` takes them."""
        return f"{self.server.address()}:{configuration.PORT}"

    @property
    def kubeconfig(self) -> Path:
        """The cluster administrator's kubeconfig, for programs on the controller."""
        return self.lab.path / "kubeconfig"

    @property
    def ca_hash(self) -> str:
        """Hash of the certificate authority's public key, as `--discovery-token-ca-cert-hash` takes it."""
        return public_key_hash(self.server.run("cat", server.CA).encode())

    def token(self, ttl: str = "1h") -> str:
        """Make a token with which nodes may join for a time such as `1h`."""
        return self.server.run("kubeadm", "token", "create", "--ttl", ttl).split()[-1]

    def kubectl(self, *arguments: str, data: bytes | None = None) -> str:
        """Run kubectl as the cluster's administrator; `data` is its standard input."""
        return self.server.run("kubectl", *arguments, data=data)

    def user(self, name: str, *groups: str) -> str:
        """Return a kubeconfig of a new user, who has the rights that are bound to the name and the groups alone."""
        words = [word for group in groups for word in ("--org", group)]
        command = ("kubeadm", "kubeconfig", "user", "--client-name", name, *words, "--config", server.SETTINGS)
        return self.server.run(*command)


def public_key_hash(certificate: bytes) -> str:
    """Return the hash of a certificate's public key: `sha256:` and 64 hexadecimal digits."""
    key = x509.load_pem_x509_certificate(certificate).public_key()
    written = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(written).hexdigest()}"


def check(lab: State, found: Sequence[LabHost], wanted: Sequence[HostSpec]) -> None:
    """Refuse a control plane for hosts that cannot be its nodes, and a host of its name; raises LabError."""
    if found and not lab.kubernetes.is_file():
        cure = f"run `gpufleet lab down --lab {lab.lab}` first"
        raise LabError(f"lab {lab.lab}", expected="hosts made as nodes", found="hosts made without", cure=cure)
    if configuration.NODE in {*(host.name for host in found), *(host.name for host in wanted)}:
        cure, said = "give the host another name", f"a host called {configuration.NODE}"
        raise LabError(f"lab {lab.lab}", expected="that name left to the control plane", found=said, cure=cure)


def planned(
    lab: State, hosts: Sequence[LabHost], wanted: Sequence[HostSpec], say: base.Say, *, asked: bool, older: bool = False
) -> programs.Programs | None:
    """Have the programs and their packages, and note that the lab's hosts are to be nodes.

    `older` asks for packages of an older minor beside, and with them for a control plane. Returns None for a lab
    without one. Raises LabError for hosts that cannot be nodes, and ToolMissingError where the programs cannot be had.
    """
    if not (asked or older or lab.kubernetes.is_file()):
        return None
    check(lab, hosts, wanted)
    found = programs.ensure(say)
    packages.ensure([found, *programs.older(found, say, asked=older)])
    if not lab.kubernetes.is_file():
        lab.path.mkdir(parents=True, exist_ok=True)
        lab.images.write_bytes(images.archive(found.path(build.WORKLOAD).read_bytes()))
        state.write(lab.kubernetes, f"{found.version}\n")
    return found


def ensure(lab: State, found: programs.Programs, ready: Mapping[str, str], say: base.Say) -> None:
    """Start the control plane as far as it lacks, and keep its administrator's kubeconfig."""
    net = network.ensure(lab.lab)
    own = ControlPlane(lab)
    own.server.start(net, found, ready, say)
    state.write(own.kubeconfig, own.server.run("cat", server.ADMIN), 0o600)
    say(f"control: up at {server.address(net)} (Kubernetes {own.version})")
