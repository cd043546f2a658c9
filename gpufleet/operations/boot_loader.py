"""Arguments of the kernel, asked of the boot loader: GRUB's drop-ins on Debian and Ubuntu, grubby on EL."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.boot_loader import GRUB_DROP_INS, RECORDS, BootLoader, BootLoaderArguments
from gpufleet.operations import boot, failure

Commands = Generator[Any, None, None]

MARK = "# Managed by gpufleet; do not edit\n"


@operation()
def arguments(key: str, arguments: Sequence[str], timeout: int = 600) -> Commands:
    """
    Have every kernel start with these arguments, withdraw those asked for earlier, and say when a reboot is needed.

    + key: name of the drop-in, of the record and of the reason to reboot, such as `gpufleet-infiniband`
    + arguments: words, such as `iommu=pt`; arguments of others stay
    + timeout: seconds after which the boot loader's tool is stopped on the host

    **Example:**

    .. code:: python

        boot_loader.arguments(key="gpufleet-infiniband", arguments=["iommu=pt"], name="Pass the IOMMU through")
    """
    found = host.get_fact(BootLoaderArguments, key=key)
    withdrawn = [word for word in found.recorded if word not in arguments]
    wanted = list(arguments)
    if not found.tool and (wanted or withdrawn):
        yield failure(
            f"{host.name}: boot loader",
            expected="update-grub (Debian, Ubuntu) or grubby (EL)",
            found="neither",
            cure="install it, or give the kernel its arguments by the means of this host and drop them here",
        )
        return
    # Want these and have them?
    if list(found.recorded) == wanted and _in_menu(found, wanted):
        host.noop(f"every kernel starts with {' '.join(wanted)}" if wanted else "no argument is asked for")
    elif found.tool == "grubby":
        yield from _grubby(key, wanted, withdrawn, timeout)
    else:
        yield from _grub(key, wanted, timeout)
    yield from _reboot(key, found, wanted, withdrawn)


def grub_drop_in(wanted: Sequence[str]) -> str:
    """Return the file that adds arguments to what GRUB gives every kernel; grub-mkconfig reads it with the shell."""
    return f'{MARK}GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {" ".join(wanted)}"\n'


def _in_menu(found: BootLoader, wanted: Sequence[str]) -> bool:
    """Tell whether kernels would start with these: of grubby every one; GRUB's menu may have other systems' too."""
    has = [set(wanted) <= set(entry) for entry in found.entries]
    return all(has) if found.tool == "grubby" else any(has) or not has


def _grub(key: str, wanted: Sequence[str], timeout: int) -> Commands:
    path = f"{GRUB_DROP_INS}/{key}.cfg"
    yield from _recorded(path, grub_drop_in(wanted) if wanted else "")
    yield StringCommand("timeout", str(timeout), "update-grub")


def _grubby(key: str, wanted: Sequence[str], withdrawn: Sequence[str], timeout: int) -> Commands:
    words = ["timeout", str(timeout), "grubby", "--update-kernel=ALL"]
    change = [QuoteString(f"--args={' '.join(wanted)}")] if wanted else []
    change += [QuoteString(f"--remove-args={' '.join(withdrawn)}")] if withdrawn else []
    yield StringCommand(*words, *change)
    yield from _recorded(f"{RECORDS}/{key}.conf", f'{MARK}ARGUMENTS="{" ".join(wanted)}"\n' if wanted else "")


def _recorded(path: str, text: str) -> Commands:
    if text:
        yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")
    else:
        yield from files.file._inner(path=path, present=False)


def _reboot(key: str, found: BootLoader, wanted: Sequence[str], withdrawn: Sequence[str]) -> Commands:
    missing = [word for word in wanted if word not in found.running]
    still = [word for word in withdrawn if word in found.running]
    if missing or still:
        parts = [f"without {' '.join(missing)}"] * bool(missing) + [f"still with {' '.join(still)}"] * bool(still)
        yield from boot.require_reboot._inner(key=key, text=f"the kernel runs {' and '.join(parts)}")
