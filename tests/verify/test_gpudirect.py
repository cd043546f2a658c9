"""Checks of the role `gpudirect`: the chosen path and no other, and GDRCopy with its module."""

from __future__ import annotations

import pytest

from gpufleet.facts.dkms import DkmsModules
from gpufleet.health import Probe, unproven
from roles.gpudirect.steps import GDRCOPY, GDRDRV, PEER_MEMORY, UNIT, gpudirect_modules
from tests.verify import companion_readings
from tests.verify.companion_readings import Companion, Declared, unit_probe

DEVICE = "/dev/gdrdrv"
#: Where a client of peer memory shows: the list of OFED's ib_core, and the modules whose symbols nvidia_peermem holds;
#: it does not stay loaded where they refuse it.
CLIENTS = (
    "/sys/kernel/mm/memory_peers/nv_mem*",
    f"/sys/module/ib_core/holders/{PEER_MEMORY}",
    f"/sys/module/ib_uverbs/holders/{PEER_MEMORY}",
)
#: Functions of the kernel by which a DMA-BUF is taken and given.
DMA_BUF = {"ib_umem_dmabuf_get": "ib_uverbs", "nv_dma_buf_export": "nvidia"}
PROBE = {
    **companion_readings.PROBE,
    **unit_probe(UNIT),
    "kernel": "uname -r",
    "dkms": DkmsModules().command(module=GDRDRV),
    "device": f"ls {DEVICE} 2>/dev/null; true",
    "RDMA devices": "ls /sys/class/infiniband 2>/dev/null; true",
    "clients": f"ls -d {' '.join(CLIENTS)} 2>/dev/null; true",
    "functions": f"grep -owE '{'|'.join(DMA_BUF)}' /proc/kallsyms | sort -u; true",
}
AFTER = ("nvidia-persistenced.service", "systemd-modules-load.service", "openibd.service")
BEFORE = ("kubelet.service", "slurmd.service")


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the host."""
    return Companion.read(probe, declared, "gpudirect", "gdrcopy")


def modules(found: Companion) -> list[str]:
    """Modules that this host is to have loaded."""
    return gpudirect_modules(found.chosen) if found.chosen and not found.chosen.errors else []


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"GPUDirect: expected a stack that fits, found {said}"


def test_gdrcopy_is_installed(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"GDRCopy: {said}"


def test_gdrcopy_is_held(found: Companion) -> None:
    said = found.says_holds()
    assert not said, f"GDRCopy: {said}"


def test_gdrcopy_is_built_for_the_running_kernel(found: Companion) -> None:
    kernel = found.probe["kernel"].text
    rows = [row for row in DkmsModules().process(found.probe["dkms"].lines) if row.kernel == kernel]
    built = [f"{row.version} {row.state}" for row in rows]
    if found.wanted:
        expected = [f"{found.wanted[0].version} installed"]
        assert built == expected, f"dkms module {GDRDRV} for kernel {kernel}: expected {expected}, found {built}"


def test_gdrcopy_has_its_device(found: Companion) -> None:
    assert not found.wanted or found.probe["device"].text, f"{DEVICE}: expected it, found none"


def test_modules_are_loaded(found: Companion) -> None:
    said = found.says_modules(modules(found))
    assert not said, f"modules of GPUDirect: {said}"


def test_peer_memory_only_where_it_is_the_path(found: Companion) -> None:
    if found.chosen and not found.chosen.errors and PEER_MEMORY not in modules(found):
        path = found.chosen.gpudirect or "none"
        why = found.chosen.reasons.get("gpudirect", "not wanted")
        is_loaded = PEER_MEMORY in found.probe["modules"].lines
        assert not is_loaded, f"path of GPUDirect: expected {path} ({why}), found {PEER_MEMORY} loaded"


def test_path_is_registered(found: Companion) -> None:
    path = found.chosen.gpudirect if found.chosen and not found.chosen.errors else ""
    if path and not found.probe["RDMA devices"].lines:
        unproven("the kernel shows no RDMA device")
    if path == "peermem":
        assert found.probe["clients"].lines, f"path of GPUDirect: expected {PEER_MEMORY} registered, found it not"
    elif path:
        functions = found.probe["functions"].lines
        missing = [f"{name} of {module}" for name, module in DMA_BUF.items() if name not in functions]
        assert not missing, f"path of GPUDirect: expected DMA-BUF on both sides, found no {', '.join(missing)}"


def test_modules_are_loaded_at_boot(found: Companion) -> None:
    said = found.says_unit(UNIT, "active and enabled") if modules(found) else ""
    assert not said, f"{UNIT}: {said}"


def test_order_at_boot(found: Companion) -> None:
    said = found.says_order(UNIT, AFTER, BEFORE) if modules(found) else ""
    assert not said, f"{UNIT}: {said}"


def test_nothing_where_none_belongs(found: Companion) -> None:
    said = "" if modules(found) else found.says_leftovers(UNIT, GDRCOPY)
    assert not said, f"GDRCopy: {said}"
