"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from gpufleet.operations import (
    apt,
    files,
    linker,
    nccl_tests,
    packages,
    stack,
    unpacked,
    vendor_repository,
)
from gpufleet.stack.nccl_settings import cdi
from gpufleet.stack.nccl_settings.configuration import HOST_FILE, POD_FILE, TOPOLOGY_FILE
from roles.nccl.choice import Choice
from roles.nccl.options import Nccl

#: Where Debian keeps its own build.
COMPONENTS = ("contrib", "non-free", "non-free-firmware")
CDI = "etc/cdi/gpufleet-nccl.json"


def say_profile(choice: Choice) -> None:
    """Report whose settings the host gets, and whence they are."""
    chosen = choice.configuration
    stack.left_alone(name=f"Choose the settings of {chosen.profile}", why=f"{chosen.profile}: {chosen.source}")


def use_sources(choice: Choice) -> None:
    """Use the repository that the library comes from."""
    if choice.packages and choice.from_distribution:
        apt.components(components=COMPONENTS, name="Switch on the archive's contrib and non-free components")
    elif choice.packages:
        for repository in choice.repositories:
            vendor_repository.used(repository=repository, name=f"Use NVIDIA's repository {repository.name}")


def hold(choice: Choice) -> None:
    """Hold library and headers before they come: a toolkit's packages ask for no version of them."""
    if choice.packages:
        packages.held(packages=_specs(choice), name="Hold NCCL at its version")


def install(options: Nccl, choice: Choice) -> None:
    """Install library and headers."""
    if choice.packages:
        packages.exact(packages=_specs(choice), timeout=options.install_timeout, name="Install NCCL and its headers")


def put_beside_toolkits(options: Nccl, choice: Choice) -> None:
    """Put builds for other CUDA majors where programs of that toolkit find them."""
    unpacked.exactly(
        wanted=choice.unpacked,
        component="nccl",
        timeout=options.install_timeout,
        name="Keep NCCL's other builds beside their toolkits",
    )


def write_topology(choice: Choice) -> None:
    """Write what NCCL cannot see of the machine, or leave it to NCCL."""
    path = TOPOLOGY_FILE.lstrip("/")
    if text := choice.configuration.topology:
        files.rendered(path=path, text=text.rstrip("\n"), name="Write the PCI topology that the platform hides")
    else:
        files.absent(path=path, name="Leave the topology to NCCL")


def write_settings(choice: Choice) -> None:
    """Write the settings for every process of the host."""
    files.rendered(path=HOST_FILE.lstrip("/"), configuration=choice.configuration, name="Write NCCL's settings")


def offer_to_pods(options: Nccl, choice: Choice) -> None:
    """Lay the same settings out for containers, or take them away."""
    path = POD_FILE.lstrip("/")
    if options.pods:
        files.rendered(path=path, configuration=choice.configuration, name="Lay NCCL's settings out for pods")
        files.rendered(path=CDI, text=cdi.text().rstrip("\n"), name="Describe them to container runtimes")
    else:
        files.absent(path=path, name="Lay no settings out for pods")
        files.absent(path=CDI, name="Describe none to container runtimes")


def refresh_linker() -> None:
    """Let the linker see what changed."""
    linker.cache_is_fresh(name="Let the linker see NCCL")


def build_tests(options: Nccl) -> None:
    """Build nccl-tests where an archive is given."""
    tests = options.tests
    if tests.url and tests.sha256:
        nccl_tests.toolchain(timeout=options.install_timeout, name="Install what builds nccl-tests")
        nccl_tests.built(
            url=tests.url,
            sha256=tests.sha256,
            directory=tests.directory,
            timeout=options.install_timeout,
            name="Build nccl-tests",
        )


def _specs(choice: Choice) -> list[str]:
    return [f"{package.name}={package.version}" if package.version else package.name for package in choice.packages]
