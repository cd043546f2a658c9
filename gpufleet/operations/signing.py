"""Signed kernel modules: DKMS signs with a key that the firmware knows, and what it built proves it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO, StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import File, Sha256File
from pyinfra.operations import files

from gpufleet.facts.secure_boot import EnrolledKeys
from gpufleet.facts.signing import ModuleSigner
from gpufleet.operations import failure
from gpufleet.options.mok import MachineOwnerKey

Commands = Generator[Any, None, None]

#: Read by dkms from 3.0 on after its framework.conf; dkms 2.8 of Ubuntu 22.04 signs with Ubuntu's own key files alone.
FRAMEWORK = "/etc/dkms/framework.conf.d/gpufleet.conf"


@dataclass(frozen=True)
class KeyPlace:
    """Where a host keeps the key that DKMS signs with."""

    key: str
    certificate: str


OWN_PLACE = KeyPlace("/var/lib/dkms/gpufleet-mok.key", "/var/lib/dkms/gpufleet-mok.der")
#: Where Ubuntu's `update-secureboot-policy` keeps the machine's key, and its dkms before 3.0 looks for it.
UBUNTU_PLACE = KeyPlace("/var/lib/shim-signed/mok/MOK.priv", "/var/lib/shim-signed/mok/MOK.der")


def place(release: str) -> KeyPlace:
    """Return the place of the key by the system's release, such as `ubuntu-22.04`."""
    return UBUNTU_PLACE if release == "ubuntu-22.04" else OWN_PLACE


@operation()
def enrolled(pair: MachineOwnerKey) -> Commands:
    """
    Have the certificate on the host, and fail unless the firmware knows it.

    Enrolling asks for a password at the machine's console during a reboot: nobody but its owner can do it. Until then
    a key of the machine's own stays where it is.

    + pair: the key pair

    **Example:**

    .. code:: python

        signing.enrolled(name="Prove that the key is enrolled", pair=pair)
    """
    certificate = OWN_PLACE.certificate
    yield from files.put._inner(src=BytesIO(pair.certificate), dest=certificate, mode="644", user="root", group="root")
    if host.state.is_executing and pair.fingerprint not in {key.fingerprint for key in host.get_fact(EnrolledKeys)}:
        yield failure(
            f"{host.name}: Secure Boot",
            expected=f"the key `{pair.signer}` among the machine owner keys that the firmware knows",
            found=f"{certificate} not enrolled",
            cure=f"run `mokutil --import {certificate}`, choose a password, reboot, and confirm at the console",
        )


@operation()
def configured(pair: MachineOwnerKey, at: KeyPlace) -> Commands:
    """
    Have DKMS sign every module it builds with this key.

    + pair: the key pair
    + at: where it lies on the host, readable for root alone

    **Example:**

    .. code:: python

        signing.configured(name="Have DKMS sign", pair=pair, at=signing.place("ubuntu-24.04"))
    """
    # First, because it tells whose key lies there.
    text = f'# Managed by gpufleet; do not edit.\nmok_signing_key="{at.key}"\nmok_certificate="{at.certificate}"\n'
    yield from files.put._inner(src=StringIO(text), dest=FRAMEWORK, mode="644", user="root", group="root")
    yield from _private(pair.key, at.key)
    yield from files.put._inner(
        src=BytesIO(pair.certificate), dest=at.certificate, mode="644", user="root", group="root"
    )


@operation()
def forgotten(at: KeyPlace) -> Commands:
    """
    Remove the key, its certificate and what points DKMS to them; a key of the machine's own stays.

    + at: where they lie on the host

    **Example:**

    .. code:: python

        signing.forgotten(name="Take the signing key off the host", at=signing.place("ubuntu-24.04"))
    """
    # Ubuntu's place has the machine's own key, unless `configured` put another there.
    is_ours = at == OWN_PLACE or host.get_fact(File, path=FRAMEWORK)
    paths = [*([at.key, at.certificate] if is_ours else []), OWN_PLACE.certificate, FRAMEWORK]
    for path in dict.fromkeys(paths):
        yield from files.file._inner(path=path, present=False)


@operation()
def signed(module: str, dkms_module: str, version: str, kernel: str, signer: str, timeout: int = 2400) -> Commands:
    """
    Have the module on disk signed by this key: build it again where another signed it, or nobody did.

    + module: name of the module file
    + dkms_module: name by which DKMS knows it
    + version: version of the module
    + kernel: release of the kernel, as `uname -r` prints it
    + signer: common name of the key's certificate
    + timeout: seconds after which the build is stopped on the host

    **Example:**

    .. code:: python

        signing.signed("nvidia", "nvidia", "580.95.05", kernel, signer="Fleet key", name="Prove the signature")
    """
    # Want it signed by this key and have it so?
    if (found := host.get_fact(ModuleSigner, module=module)) == signer:
        host.noop(f"module {module} is signed by {signer}")
        return
    if not host.state.is_executing:
        host.noop(f"module {module} is signed by {found or 'nobody'}")
    yield _rebuild(dkms_module, version, kernel, timeout)
    if (found := host.get_fact(ModuleSigner, module=module)) != signer:
        yield failure(
            f"{host.name}: module file {module}",
            expected=f"it signed by {signer}",
            found=f"it signed by {found}" if found else "no signature on it",
            cure=f"look for `Signing key` in the output of `dkms build -m {dkms_module} -v {version} --force`",
        )


def _rebuild(module: str, version: str, kernel: str, timeout: int) -> StringCommand:
    of_this = ["-m", module, "-v", version, "-k", kernel, "--force"]
    build, install = (StringCommand("dkms", verb, *map(QuoteString, of_this)) for verb in ("build", "install"))
    return StringCommand("timeout", str(timeout), build, "&&", "timeout", str(timeout), install)


def _private(key: bytes, path: str) -> Commands:
    """Write a private key by standard input: no list of processes shows it, and no other file ever holds it."""
    info, digest = host.get_fact(File, path=path), host.get_fact(Sha256File, path=path)
    wanted = {"mode": 600, "user": "root", "group": "root"}
    is_ours = isinstance(info, dict) and {name: info.get(name) for name in wanted} == wanted
    if is_ours and digest == sha256(key).hexdigest():
        host.noop(f"{path} is the key, readable for root alone")
        return
    target = QuoteString(path)
    directory = StringCommand("install", "-d", "-m", "755", QuoteString(path.rpartition("/")[0]))
    write = StringCommand("(umask 077; cat >", target, "&& chown root:root", target, "&& chmod 600", target, ")")
    yield StringCommand(directory, "&&", "rm -f", target, "&&", write, _stdin=key.decode())
