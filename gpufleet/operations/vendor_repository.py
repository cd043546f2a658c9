"""A vendor's repository as the resolver names it, on either family of operating systems."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.family import EL, OsFamily
from gpufleet.operations import conflicting_sources, failure, repositories
from gpufleet.stack.resolution import Repository

Commands = Generator[Any, None, None]


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
            expected=f"the fingerprint of {repository.key}, forty hexadecimal digits",
            found="none in the matrix",
            cure="read the key's fingerprint where you trust it, and name it there",
        )
        return
    url, key, fingerprint = address(repository), repository.key, repository.fingerprint
    if host.get_fact(OsFamily) == EL:
        yield from repositories.dnf_repository._inner(
            repository=repository.name, baseurl=url, key=key, fingerprint=fingerprint, present=present
        )
    else:
        yield from repositories.apt_source._inner(
            source=repository.name, uri=url, key=key, fingerprint=fingerprint, present=present
        )
        if present:
            yield from conflicting_sources.removed._inner(uri=url, keep=repositories.source_file(repository.name))


def address(repository: Repository) -> str:
    """Return the whole URL; repositories without suites need the slash at its end."""
    return f"{repository.base_url.rstrip('/')}/{repository.path.strip('/')}/"
