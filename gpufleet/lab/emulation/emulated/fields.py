"""The fields of `nvidia-smi --query-gpu`: value and unit, from one GPU."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import driver, paths, pci
from .gpus import Gpu

_GENERATIONS = {"2.5": "1", "5.0": "2", "8.0": "3", "16.0": "4", "32.0": "5", "64.0": "6"}
Field = tuple[str, Callable[[Gpu], str]]


def _generation(which: str) -> Callable[[Gpu], str]:
    path = f"{which}_link_speed"
    return lambda gpu: _GENERATIONS[paths.text(paths.DEVICES / gpu.address / path).split(" ")[0]]


def _width(which: str) -> Callable[[Gpu], str]:
    return lambda gpu: paths.text(paths.DEVICES / gpu.address / f"{which}_link_width")


def _always(value: str) -> Callable[[Gpu], str]:
    return lambda _: value


def _card(key: str) -> Callable[[Gpu], str]:
    return lambda _: str(paths.configured("profile.json")["gpu"][key])


def _reasons(label: str) -> dict[str, Field]:
    """Why clocks are low: an idle GPU has one reason, the first."""
    return {
        f"{label}.active": ("", _always("0x0000000000000001")),
        f"{label}.gpu_idle": ("", _always("Active")),
        **{
            f"{label}.{reason}": ("", _always("Not Active"))
            for reason in ("applications_clocks_setting", "sw_power_cap", "hw_slowdown", "hw_thermal_slowdown",
                           "hw_power_brake_slowdown", "sw_thermal_slowdown", "sync_boost")
        },
    }  # fmt: skip


def _errors(kind: str, value: Callable[[Gpu], str]) -> dict[str, Field]:
    """ECC counters; HBM and GDDR6 have device memory and SRAM, the older parts read N/A."""
    counters: dict[str, Field] = {}
    for period in ("volatile", "aggregate"):
        counters[f"ecc.errors.{kind}.{period}.total"] = ("", value)
        for place in ("dram", "device_memory"):
            counters[f"ecc.errors.{kind}.{period}.{place}"] = ("", value)
        counters[f"ecc.errors.{kind}.{period}.sram"] = ("", _always("0"))
        for place in ("register_file", "l1_cache", "l2_cache", "texture_memory", "cbu"):
            counters[f"ecc.errors.{kind}.{period}.{place}"] = ("", _always("[N/A]"))
    return counters


def _used(gpu: Gpu) -> int:
    return 4 if driver.persistence() else 0


FIELDS: dict[str, Field] = {
    "timestamp": ("", lambda _: time.strftime("%Y/%m/%d %H:%M:%S.000")),
    "driver_version": ("", lambda _: driver.loaded_version()),
    "count": ("", lambda _: str(sum(1 for folder in pci.folders() if pci.driver_of(folder) == "nvidia"
                                    and paths.text(folder / "class").startswith("0x03")))),
    "index": ("", lambda gpu: str(gpu.minor)),
    "name": ("", lambda gpu: gpu.name),
    "serial": ("", lambda gpu: gpu.serial),
    "uuid": ("", lambda gpu: gpu.uuid),
    "vbios_version": ("", lambda gpu: gpu.vbios),
    "pci.bus_id": ("", lambda gpu: gpu.bus_id),
    "pci.domain": ("", lambda gpu: f"0x{gpu.bus_id[:8]}"),
    "pci.bus": ("", lambda gpu: f"0x{gpu.bus_id[9:11]}"),
    "pci.device": ("", lambda gpu: f"0x{gpu.bus_id[12:14]}"),
    "pci.device_id": ("", lambda gpu: f"0x{gpu.device_id}"),
    "pci.sub_device_id": ("", lambda gpu: f"0x{gpu.subsystem_id}"),
    "pcie.link.gen.current": ("", _generation("current")),
    "pcie.link.gen.gpucurrent": ("", _generation("current")),
    "pcie.link.gen.max": ("", _generation("max")),
    "pcie.link.gen.gpumax": ("", _generation("max")),
    "pcie.link.gen.hostmax": ("", _generation("max")),
    "pcie.link.width.current": ("", _width("current")),
    "pcie.link.width.max": ("", _width("max")),
    "display_mode": ("", _always("Disabled")),
    "display_active": ("", _always("Disabled")),
    "persistence_mode": ("", lambda _: "Enabled" if driver.persistence() else "Disabled"),
    "compute_mode": ("", _always("Default")),
    "mig.mode.current": ("", _always("Disabled")),
    "mig.mode.pending": ("", _always("Disabled")),
    "gsp.mode.current": ("", _always("Enabled")),
    "pstate": ("", _always("P0")),
    "fan.speed": ("%", _always("[N/A]")),
    "memory.total": ("MiB", lambda gpu: str(gpu.memory)),
    "memory.reserved": ("MiB", lambda gpu: str(gpu.memory // 128)),
    "memory.used": ("MiB", lambda gpu: str(_used(gpu))),
    "memory.free": ("MiB", lambda gpu: str(gpu.memory - gpu.memory // 128 - _used(gpu))),
    "utilization.gpu": ("%", _always("0")),
    "utilization.memory": ("%", _always("0")),
    "temperature.gpu": ("", lambda gpu: str(29 + gpu.minor % 4)),
    "temperature.memory": ("", lambda gpu: str(38 + gpu.minor % 4)),
    "power.draw": ("W", lambda gpu: f"{70 + gpu.minor % 4}.00"),
    "power.limit": ("W", lambda gpu: f"{_card('power_limit_w')(gpu)}.00"),
    "power.default_limit": ("W", lambda gpu: f"{_card('power_limit_w')(gpu)}.00"),
    "power.max_limit": ("W", lambda gpu: f"{_card('power_limit_w')(gpu)}.00"),
    "clocks.gr": ("MHz", _always("345")),
    "clocks.sm": ("MHz", _always("345")),
    "clocks.max.gr": ("MHz", _card("max_clock_mhz")),
    "clocks.max.sm": ("MHz", _card("max_clock_mhz")),
    "ecc.mode.current": ("", _always("Enabled")),
    "ecc.mode.pending": ("", _always("Enabled")),
    **_errors("corrected", _always("0")),
    **_errors("uncorrected", lambda gpu: str(gpu.uncorrected)),
    **_reasons("clocks_event_reasons"),
    **_reasons("clocks_throttle_reasons"),
}  # fmt: skip

REMAPPED: dict[str, Field] = {
    "timestamp": FIELDS["timestamp"],
    "gpu_uuid": FIELDS["uuid"],
    "gpu_name": FIELDS["name"],
    "gpu_serial": FIELDS["serial"],
    "gpu_bus_id": FIELDS["pci.bus_id"],
    "remapped_rows.correctable": ("", _always("0")),
    "remapped_rows.uncorrectable": ("", lambda gpu: str(int(gpu.remap_pending))),
    "remapped_rows.pending": ("", lambda gpu: str(int(gpu.remap_pending))),
    "remapped_rows.failure": ("", _always("0")),
}

ALIASES = {
    "gpu_name": "name",
    "gpu_uuid": "uuid",
    "gpu_bus_id": "pci.bus_id",
    "gpu_serial": "serial",
    "clocks.current.sm": "clocks.sm",
    "clocks.current.graphics": "clocks.gr",
    "clocks.max.graphics": "clocks.max.gr",
    "power.draw.instant": "power.draw",
    "power.draw.average": "power.draw",
}
