"""Kernel modules that were built once: building them on one host, and bringing them to another, verified."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from pyinfra.api.command import FileDownloadCommand, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.errors import HostError
from gpufleet.facts.packages import AvailableVersions, InstalledVersions
from gpufleet.operations import deadline, packages, wishes
from gpufleet.precompiled import signing
from gpufleet.precompiled.artifact import Artifact
from gpufleet.precompiled.key import ModuleKey
from gpufleet.precompiled.repository import Directory, Website
from gpufleet.stack.versions import newest_match

Commands = Generator[Any, None, None]

SCRIPTS = Path(__file__).parents[1] / "precompiled/scripts"
#: Where a host keeps a package between its download and its installation, and where a build leaves its result.
STAGED, BUILT = "/var/cache/gpufleet/modules/staged", "/var/cache/gpufleet/modules/built"
#: What stands between name and version where apt or dnf is to download one package.
SEPARATOR = {"deb": "=", "rpm": "-"}
#: Seconds for one file from a website.
DOWNLOAD_TIMEOUT = 600
_TOOLS = "/var/cache/gpufleet/modules/scripts"


@operation()
def built(
    key: ModuleKey, module: str, package: str, version: str, packing: str, target: str, timeout: int = 2400
) -> Commands:
    """
    Build the driver's modules for one kernel, pack them, and fetch the package and its description.

    The host's own driver is not touched. dkms, a compiler and the kernel's headers must be there.

    + key: what the build is to fit
    + module: name by which DKMS knows the module
    + package: the package with the module's sources
    + version: its version; without a revision any revision of it
    + packing: `deb` or `rpm`
    + target: directory on this machine that gets `build.json` and `package`
    + timeout: seconds after which the build is stopped on the host

    **Example:**

    .. code:: python

        precompiled.built(key=key, module="nvidia", package="nvidia-kernel-open-dkms", ...)
    """
    exact = _exact(package, version)
    if exact is None:
        # The lists may be older than the repository, which nothing was installed from yet.
        yield from packages.refreshed._inner()
        exact = _exact(package, version)
    if exact is None and host.state.is_executing:
        yield wishes.not_to_be_had({f"{package}={version}": _offered(package)}, "a repository")
        return
    for name in ("build", packing):
        yield from files.put._inner(
            src=str(SCRIPTS / name), dest=f"{_TOOLS}/{name}", mode="755", user="root", group="root"
        )
    source = f"{package}{SEPARATOR[packing]}{exact}"
    yield _build(key, [packing, module, key.driver, key.kernel, key.flavor, key.release, source, BUILT], timeout)
    Path(target).mkdir(parents=True, exist_ok=True)
    for name in ("build.json", "package"):
        yield FileDownloadCommand(f"{BUILT}/{name}", str(Path(target) / name))
    yield StringCommand("rm", "-rf", BUILT, _TOOLS)


@operation()
def staged(artifact: Artifact, repository: Directory | Website, public_key: str) -> Commands:
    """
    Have a build's package on the host, its signature and its checksum verified there.

    + artifact: the build
    + repository: where its files are: a directory of this machine, or a website that the host reaches
    + public_key: OpenSSH public key that must have signed it

    **Example:**

    .. code:: python

        precompiled.staged(name="Fetch the modules", artifact=artifact, repository=repository, public_key=key)
    """
    installed = host.get_fact(InstalledVersions, packages=[artifact.package])
    # Want this build and have it?
    if installed.get(artifact.package) == artifact.version:
        host.noop(f"installed: {artifact.package} {artifact.version}")
        return
    manifest = artifact.key.manifest.rpartition("/")[2]
    # First, because it makes the directory: a download does not.
    signers = StringIO(signing.allowed_signers(public_key))
    yield from files.put._inner(src=signers, dest=f"{STAGED}/allowed_signers", mode="644", user="root", group="root")
    for name in (manifest, f"{manifest}.sig", artifact.file):
        yield from _fetched(artifact, repository, name)
    yield StringCommand(verification(artifact, manifest))


@operation()
def unstaged() -> Commands:
    """
    Remove what `staged` left, after the package was installed.

    **Example:**

    .. code:: python

        precompiled.unstaged(name="Remove the fetched package")
    """
    yield from files.directory._inner(path=STAGED, present=False)


@cache  # a package is read once for all hosts that get it
def lookup(repository: Directory | Website, key: ModuleKey) -> Artifact | None:
    """Return the build that fits, None where there is none; raises GpufleetError where it is broken."""
    return repository.find(key)


def verification(artifact: Artifact, manifest: str) -> str:
    """Return the shell command that fails unless the manifest was signed and the package is what it describes."""
    unsigned = HostError(
        f"{host.name}: {manifest}",
        expected="a signature by the key of the repository",
        found="none, or another's",
        cure="compare nvidia_driver.precompiled.public_key with the key that signs, then build again",
    )
    broken = HostError(
        f"{host.name}: {artifact.file}",
        expected=f"sha256 {artifact.sha256}",
        found="another",
        cure="fetch it again; if it stays, build it again",
    )
    verify = f"ssh-keygen -Y verify -q -n {signing.NAMESPACE} -I {signing.IDENTITY} -f allowed_signers"
    return (
        f"cd {STAGED} && "
        f"{{ {verify} -s {manifest}.sig <{manifest} >/dev/null && grep -q {artifact.sha256} {manifest} || "
        f"{{ printf '%s\\n' {shlex.quote(str(unsigned))} >&2; exit 1; }}; }} && "
        f"{{ echo '{artifact.sha256}  {artifact.file}' | sha256sum --check --status || "
        f"{{ printf '%s\\n' {shlex.quote(str(broken))} >&2; exit 1; }}; }}"
    )


def _offered(package: str) -> list[str]:
    offered: dict[str, list[str]] = host.get_fact(AvailableVersions, packages=[package])
    return offered.get(package, [])


def _exact(package: str, version: str) -> str | None:
    return newest_match(version, _offered(package))


def _build(key: ModuleKey, words: Sequence[str], timeout: int) -> StringCommand:
    """Return the command that runs the script, stopped at the deadline with one sentence."""
    late = HostError(
        host.name,
        expected=f"{key} to be built within {timeout} seconds",
        found="the build still running, and stopped it",
        cure="free the host, or raise install_timeout",
    )
    return StringCommand(deadline.within(timeout, f"{_TOOLS}/build {shlex.join(words)}", late))


def _fetched(artifact: Artifact, repository: Directory | Website, name: str) -> Commands:
    if isinstance(repository, Directory):
        source = repository.root / artifact.key.manifest
        yield from files.put._inner(
            src=str(source.with_name(name)), dest=f"{STAGED}/{name}", mode="644", user="root", group="root"
        )
        return
    # What an interrupted run left may be of an older build under the same name.
    yield from files.download._inner(
        src=repository.address(artifact, name),
        dest=f"{STAGED}/{name}",
        mode="644",
        user="root",
        group="root",
        force=True,
        extra_curl_args={"--max-time": str(DOWNLOAD_TIMEOUT)},
        extra_wget_args={"--timeout": str(DOWNLOAD_TIMEOUT)},
    )
