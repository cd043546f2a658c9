"""Package repositories of vendors: one file each, trusted by one pinned key."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import StringIO
from typing import Any
from urllib.parse import urljoin

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.repositories import YumRepositories
from gpufleet.facts.rpm import InstalledVersions
from gpufleet.operations import dnf, failure, repository_keys

Commands = Generator[Any, None, None]

#: First line of every file written here.
MARK = "# Managed by gpufleet; do not edit\n"
#: What the rebuilds and Red Hat call the repository of build dependencies that EPEL needs.
CRB = ("crb", "codeready-builder-for-rhel-9-{arch}-rpms", "codeready-builder-for-rhel-10-{arch}-rpms")


@operation()
def apt_source(
    source: str,
    uri: str,
    key: str,
    fingerprint: str,
    suites: Sequence[str] = ("/",),
    components: Sequence[str] = (),
    present: bool = True,
) -> Commands:
    """
    Have apt use a repository, trusted by its own key alone: `/etc/apt/sources.list.d/<source>.sources`.

    + source: name of the file and of the key's
    + uri: base URL
    + key: URL of the key, its file name below `uri`, or the armored key itself
    + fingerprint: fingerprint of the primary key
    + suites: names, or `/` for a repository without suites
    + components: names; none for a repository without suites
    + present: whether the repository and its key are to be there

    Lists are read again by whatever installs next, as the file is newer than they are.

    **Example:**

    .. code:: python

        repositories.apt_source(
            name="Use NVIDIA's repository",
            source="nvidia-cuda",
            uri="https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2404/x86_64/",
            key="3bf863cc.pub",
            fingerprint="EB693B3035CD5710E231E123A4B469963BF863CC",
        )
    """
    file, keyring = source_file(source), f"/etc/apt/keyrings/{source}.gpg"
    if not present:
        yield from files.file._inner(path=file, present=False)
        yield from files.file._inner(path=keyring, present=False)
        return
    yield from repository_keys.trusted._inner(path=keyring, key=_key(key, uri), fingerprint=fingerprint)
    fields = {"Types": "deb", "URIs": uri, "Suites": " ".join(suites), "Components": " ".join(components)}
    text = "".join(f"{name}: {value}\n" for name, value in fields.items() if value)
    yield from _put(file, f"{MARK}{text}Signed-By: {keyring}\n")


@operation()
def dnf_repository(
    repository: str,
    baseurl: str,
    key: str,
    fingerprint: str,
    options: Mapping[str, str | int | bool] | None = None,
    present: bool = True,
) -> Commands:
    """
    Have dnf use a repository whose packages carry one key's signature: `/etc/yum.repos.d/<repository>.repo`.

    + repository: id of the repository
    + baseurl: base URL
    + key: URL of the key, its file name below `baseurl`, or the armored key itself
    + fingerprint: fingerprint of the primary key
    + options: more settings of dnf.conf(5), such as `repo_gpgcheck`, `excludepkgs`, `module_hotfixes`, `priority`
    + present: whether the repository and its key are to be there

    **Example:**

    .. code:: python

        repositories.dnf_repository(
            name="Use NVIDIA's repository",
            repository="cuda-rhel9-x86_64",
            baseurl="https://developer.download.nvidia.com/compute/cuda/repos/rhel9/x86_64/",
            key="D42D0685.pub",
            fingerprint="610C7B14E068A878070DA4E99CD0A493D42D0685",
        )
    """
    file, keyfile = f"/etc/yum.repos.d/{repository}.repo", f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{repository}"
    if not present:
        yield from files.file._inner(path=file, present=False)
        yield from repository_keys.forgotten._inner(key=repository_keys.normalized(fingerprint), path=keyfile)
        return
    yield from repository_keys.trusted._inner(path=keyfile, key=_key(key, baseurl), fingerprint=fingerprint)
    fields = {
        "name": repository,
        "baseurl": baseurl,
        "enabled": "1",
        "gpgcheck": "1",
        "gpgkey": f"file://{keyfile}",
        **{name: str(int(value) if isinstance(value, bool) else value) for name, value in (options or {}).items()},
    }
    text = "".join(f"{name}={value}\n" for name, value in fields.items())
    yield from _put(file, f"{MARK}[{repository}]\n{text}")


@operation()
def build_dependencies(arch: str = "x86_64") -> Commands:
    """
    Switch on the repository that EL keeps build dependencies in, CRB, which EPEL's packages need.

    + arch: architecture as `uname -m` prints it

    **Example:**

    .. code:: python

        repositories.build_dependencies(name="Switch CRB on")
    """
    known = host.get_fact(YumRepositories)
    names = [name.format(arch=arch) for name in CRB]
    there = [name for name in names if name in known]
    # Want one of its names on and have it?
    if any(known[name] for name in there):
        host.noop(f"repository {next(name for name in there if known[name])} is on")
    elif there:
        yield from dnf.exact._inner(packages=["dnf-plugins-core"])
        yield StringCommand("dnf", "config-manager", "--set-enabled", QuoteString(there[0]))
    else:
        yield failure(
            f"{host.name}: /etc/yum.repos.d",
            expected=f"a repository called {' or '.join(names)}",
            found="none",
            cure="subscribe the host, or add the site's mirror of it under one of these names",
        )


@operation()
def epel() -> Commands:
    """
    Have dnf use EPEL, where dkms is, by the package that brings its repository and key.

    A site's own mirror is a `dnf_repository` called `epel`, after which this changes nothing.

    **Example:**

    .. code:: python

        repositories.epel(name="Use EPEL")
    """
    known = host.get_fact(YumRepositories)
    # Want it on and have it?
    if known.get("epel"):
        host.noop("repository epel is on")
        return
    if "epel-release" not in host.get_fact(InstalledVersions, packages=["epel-release"]):
        yield from dnf.exact._inner(packages=["epel-release"])
    if "epel" in known:
        yield from dnf.exact._inner(packages=["dnf-plugins-core"])
        yield StringCommand("dnf", "config-manager", "--set-enabled", "epel")


def source_file(source: str) -> str:
    """Return the file that names an archive to apt."""
    return f"/etc/apt/sources.list.d/{source}.sources"


def _key(key: str, base: str) -> str:
    """Return the key's address; vendors keep it beside the packages or above them, as in `../gpg`."""
    return key if repository_keys.ARMOR in key else urljoin(f"{base.rstrip('/')}/", key)


def _put(path: str, text: str) -> Commands:
    yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")
