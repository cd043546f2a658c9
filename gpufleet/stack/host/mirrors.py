"""A site's mirrors in the place of vendors' repositories: the key `stack.repositories` put over what the matrix has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gpufleet.options.repository import RepositoryOptions
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.resolution import Repository, Resolution
from gpufleet.stack.verdicts import Verdict

Mirrors = Mapping[str, RepositoryOptions]


def placed(resolution: Resolution, mirrors: Mirrors) -> Resolution:
    """Return a resolution whose repositories are where the site has them."""
    rows = tuple(place(row, mirrors) for row in resolution.repositories)
    return resolution if rows == resolution.repositories else replace(resolution, repositories=rows)


def place(repository: Repository, mirrors: Mirrors) -> Repository:
    """Return one repository where the site has it."""
    return mirrors[repository.name].applied(repository) if repository.name in mirrors else repository


def unpinned(resolution: Resolution, mirrors: Mirrors) -> tuple[Verdict, ...]:
    """Return an error for every repository whose key nobody has vouched for: nothing could be installed from it."""
    return tuple(
        Verdict(
            "error",
            f"stack.repositories.{row.name}.key_fingerprint",
            f"the fingerprint of {row.key_place}, forty hexadecimal digits",
            "none in the matrix",
            "read the key's fingerprint where you trust it, and name it there",
            f"repository {row.name}",
            row.source,
        )
        for row in resolution.repositories
        if not (row.fingerprint or (row.name in mirrors and mirrors[row.name].key_fingerprint))
    )


def unknown(mirrors: Mirrors, matrix: Matrix) -> tuple[Verdict, ...]:
    """Return an error for every mirror of a repository that the matrix does not know, as nothing would use it."""
    names = {row.name for row in matrix.repositories}
    expected = f"a repository that the matrix knows: {', '.join(sorted(names))}"
    return tuple(
        Verdict(
            "error",
            f"stack.repositories.{name}",
            expected,
            name,
            "correct the name, or add the repository's row beside the inventory",
            "stack.repositories",
            "inventory",
        )
        for name in mirrors
        if name not in names
    )
