"""A vendor's repository as the resolver names it, on either family of operating systems."""

from __future__ import annotations

from collections.abc import Generator
from io import StringIO
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.family import EL, OsFamily
from gpufleet.operations import conflicting_sources, failure, repositories
from gpufleet.stack.resolution import Repository

Commands = Generator[Any, None, None]

#: dnf prefers repositories of lower numbers to all others, whose number is 99: it shadows packages of equal names.
PRIORITY = 10


@operation()
def used(repository: Repository, present: bool = True) -> Commands:
    """
    Have the package manager use a vendor's repository, trusted by its pinned key alone; or forget it.

    Every role that needs one writes the same file, named after the repository. apt refuses an archive that two files
    name with different keys, as the vendor's keyring package does beside ours: every other entry goes.

    + repository: the repository, as `Resolution.repositories` has it
    + present: whether it is to be there

    **Example:**

    .. code:: python

        vendor_repository.used(name="Use NVIDIA's repository", repository=resolution.repositories[0])
    """
    if present and not repository.fingerprint:
        yield failure(
            f"{host.name}: stack.repositories.{repository.name}.key_fingerprint",
            expected=f"the fingerprint of {repository.key_place}, forty hexadecimal digits",
            found="none in the matrix",
            cure="read the key's fingerprint where you trust it, and name it there",
        )
        return
    url, key, fingerprint = repository.url, repository.key, repository.fingerprint
    if host.get_fact(OsFamily) == EL:
        yield from repositories.dnf_repository._inner(
            repository=repository.name,
            baseurl=url,
            key=key,
            fingerprint=fingerprint,
            options=dnf_options(repository),
            present=present,
        )
    else:
        yield from _preferences(repository, present)
        yield from repositories.apt_source._inner(
            source=repository.name,
            uri=url,
            key=key,
            fingerprint=fingerprint,
            suites=repository.suites or ("/",),
            components=repository.components,
            present=present,
        )
        if present:
            yield from conflicting_sources.removed._inner(uri=url, keep=repositories.source_file(repository.name))


@operation()
def forgotten(repository: str) -> Commands:
    """
    Have the package manager use a vendor's repository no longer: the files that `used` wrote go.

    + repository: name of the repository

    **Example:**

    .. code:: python

        vendor_repository.forgotten(name="Take no more from DOCA-OFED's repository", repository="doca")
    """
    on_el = (f"/etc/yum.repos.d/{repository}.repo", f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{repository}")
    on_debian = (
        repositories.source_file(repository),
        f"/etc/apt/keyrings/{repository}.gpg",
        _preferences_file(repository),
    )
    for path in on_el if host.get_fact(OsFamily) == EL else on_debian:
        yield from files.file._inner(path=path, present=False)


def dnf_options(repository: Repository) -> dict[str, str | int | bool]:
    """Return settings of a repository that differs: in what it may bring, what it prevails over, what it signs."""
    excluded: dict[str, str | int | bool] = {"excludepkgs": ",".join(repository.excluded)}
    priority: dict[str, str | int | bool] = {"priority": PRIORITY} if repository.prevails else {}
    unsigned: dict[str, str | int | bool] = {"gpgcheck": False, "repo_gpgcheck": True}
    return {
        **(excluded if repository.excluded else {}),
        **priority,
        **(unsigned if repository.signed == "metadata" else {}),
    }


def _preferences(repository: Repository, present: bool) -> Commands:
    """Keep apt from taking the excluded packages from here; only a repository that has some has such a file."""
    if not repository.excluded:
        return
    path = _preferences_file(repository.name)
    if not present:
        yield from files.file._inner(path=path, present=False)
        return
    names = " ".join(repository.excluded)
    records = [f"Package: {names}\nPin: {pin}\nPin-Priority: -1\n" for pin in repository.pins]
    text = "Explanation: Managed by gpufleet; do not edit\n" + "\n".join(records)
    yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")


def _preferences_file(repository: str) -> str:
    return f"/etc/apt/preferences.d/gpufleet-{repository}.pref"
