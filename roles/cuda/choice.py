"""What a host gets: a pure decision from the options, the resolution, and what was installed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpufleet.stack.resolution import Package, Repository, Resolution
from gpufleet.stack.toolkits import compat_package, toolkit_of
from roles.cuda.options import Cuda


@dataclass(frozen=True)
class Choice:
    """Packages and paths of one host."""

    packages: tuple[Package, ...] = ()
    #: NVIDIA's toolkits, which lie in /usr/local; the distribution's is none of them.
    toolkits: tuple[str, ...] = ()
    default: str = ""
    #: Toolkit whose driver libraries the linker finds first, and why; empty where the driver's own are used.
    compat: str = ""
    compat_reason: str = ""
    repositories: tuple[Repository, ...] = ()
    #: Installed from here and no longer wanted.
    obsolete: tuple[str, ...] = ()

    @property
    def recorded(self) -> tuple[str, ...]:
        """Toolkits to answer for while the change goes on: a run that is cut off forgets none."""
        return tuple(sorted({*self.toolkits, *self.obsolete}, key=_order))

    @property
    def from_distribution(self) -> tuple[Package, ...]:
        """Packages of the distribution's own toolkit."""
        return tuple(package for package in self.packages if toolkit_of(package.name) is None)

    @property
    def unwanted_compat(self) -> list[str]:
        """Packages with driver libraries that must not lie beside the driver's own."""
        return [compat_package(toolkit) for toolkit in self.toolkits if toolkit != self.compat]


def choose(options: Cuda, resolution: Resolution | None, managed: Sequence[str]) -> Choice:
    """Choose packages, the default and what goes; without a resolution everything goes."""
    if resolution is None:
        return Choice(obsolete=tuple(managed))
    packages = resolution.of("cuda")
    compat = resolution.of("cuda_compat")
    toolkits = tuple(sorted(filter(None, (toolkit_of(package.name) for package in packages)), key=_order))
    return Choice(
        packages=(*packages, *compat),
        toolkits=toolkits,
        default=resolution.cuda_default if toolkits else "",
        compat=(toolkit_of(compat[-1].name) or "") if compat else "",
        compat_reason=compat[-1].reason if compat else "",
        repositories=resolution.repositories,
        obsolete=tuple(toolkit for toolkit in managed if toolkit not in toolkits),
    )


def _order(toolkit: str) -> tuple[int, ...]:
    return tuple(int(part) for part in toolkit.split("."))
