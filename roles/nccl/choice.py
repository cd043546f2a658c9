"""What a host gets: a pure decision from the options, the resolution and the platform."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.stack.machine import Platform
from gpufleet.stack.nccl_settings.configuration import Configuration, configuration
from gpufleet.stack.resolution import Package, Repository, Resolution, Unpacked
from roles.nccl.options import Nccl


@dataclass(frozen=True)
class Choice:
    """Packages and settings of one host."""

    configuration: Configuration
    packages: tuple[Package, ...] = ()
    #: Builds for another CUDA major, beside its toolkit.
    unpacked: tuple[Unpacked, ...] = ()
    repositories: tuple[Repository, ...] = ()

    @property
    def from_distribution(self) -> bool:
        """Whether the distribution's own build is installed: NVIDIA's names its CUDA version."""
        return any("+cuda" not in package.version for package in self.packages)


def choose(options: Nccl, resolution: Resolution, platform: Platform) -> Choice:
    """Choose packages and settings."""
    return Choice(
        packages=resolution.of("nccl"),
        unpacked=tuple(item for item in resolution.unpacked if item.component == "nccl"),
        repositories=resolution.repositories,
        configuration=configured(options, platform),
    )


def configured(options: Nccl, platform: Platform) -> Configuration:
    """Return the settings for a host of this platform; checks on hosts compare with the same."""
    chosen = platform if options.profile == "auto" else options.profile
    text = options.topology.read_text(encoding="utf-8") if options.topology else ""
    return configuration(chosen, options.own_settings, text)
