"""nvidia-smi's long answers: the table, `-q` and `-q -x`."""

from __future__ import annotations

import time

from . import driver
from .fields import FIELDS, REMAPPED
from .gpus import Gpu

#: One entry of the log: the name in `-q`, the tag in `-q -x`, and a field's name, a text, or entries below.
Entry = tuple[str, str, "str | list[Entry]"]


def _errors(period: str) -> list[Entry]:
    return [
        ("SRAM Correctable", "sram_correctable", f"ecc.errors.corrected.{period}.sram"),
        ("SRAM Uncorrectable", "sram_uncorrectable", f"ecc.errors.uncorrected.{period}.sram"),
        ("DRAM Correctable", "dram_correctable", f"ecc.errors.corrected.{period}.dram"),
        ("DRAM Uncorrectable", "dram_uncorrectable", f"ecc.errors.uncorrected.{period}.dram"),
    ]


_LINK: list[Entry] = [
    ("PCIe Generation", "pcie_gen", [("Max", "max_link_gen", "pcie.link.gen.max"),
                                     ("Current", "current_link_gen", "pcie.link.gen.current")]),
    ("Link Width", "link_widths", [("Max", "max_link_width", "pcie.link.width.max"),
                                   ("Current", "current_link_width", "pcie.link.width.current")]),
]  # fmt: skip
_PCI: list[Entry] = [
    ("Bus", "pci_bus", "pci.bus"),
    ("Device", "pci_device", "pci.device"),
    ("Domain", "pci_domain", "pci.domain"),
    ("Device Id", "pci_device_id", "pci.device_id"),
    ("Bus Id", "pci_bus_id", "pci.bus_id"),
    ("Sub System Id", "pci_sub_system_id", "pci.sub_device_id"),
    ("GPU Link Info", "pci_gpu_link_info", _LINK),
]
_REMAPPED: list[Entry] = [
    ("Correctable Error", "remapped_row_corr", "remapped_rows.correctable"),
    ("Uncorrectable Error", "remapped_row_unc", "remapped_rows.uncorrectable"),
    ("Pending", "remapped_row_pending", "remapped_rows.pending"),
    ("Remapping Failure Occurred", "remapped_row_failure", "remapped_rows.failure"),
]
_ENTRIES: list[Entry] = [
    ("Product Name", "product_name", "name"),
    ("Persistence Mode", "persistence_mode", "persistence_mode"),
    ("MIG Mode", "mig_mode", [("Current", "current_mig", "mig.mode.current"),
                              ("Pending", "pending_mig", "mig.mode.pending")]),
    ("Serial Number", "serial", "serial"),
    ("GPU UUID", "uuid", "uuid"),
    ("Minor Number", "minor_number", "index"),
    ("VBIOS Version", "vbios_version", "vbios_version"),
    ("GSP Firmware Version", "gsp_firmware_version", "driver_version"),
    ("PCI", "pci", _PCI),
    ("Performance State", "performance_state", "pstate"),
    ("FB Memory Usage", "fb_memory_usage", [("Total", "total", "memory.total"),
                                            ("Reserved", "reserved", "memory.reserved"),
                                            ("Used", "used", "memory.used"), ("Free", "free", "memory.free")]),
    ("Compute Mode", "compute_mode", "compute_mode"),
    ("Utilization", "utilization", [("Gpu", "gpu_util", "utilization.gpu"),
                                   ("Memory", "memory_util", "utilization.memory")]),
    ("ECC Mode", "ecc_mode", [("Current", "current_ecc", "ecc.mode.current"),
                             ("Pending", "pending_ecc", "ecc.mode.pending")]),
    ("ECC Errors", "ecc_errors", [("Volatile", "volatile", _errors("volatile")),
                                  ("Aggregate", "aggregate", _errors("aggregate"))]),
    ("Remapped Rows", "remapped_rows", _REMAPPED),
    ("Temperature", "temperature", [("GPU Current Temp", "gpu_temp", "temperature.gpu")]),
    ("GPU Power Readings", "gpu_power_readings", [("Power Draw", "power_draw", "power.draw"),
                                                  ("Current Power Limit", "current_power_limit", "power.limit")]),
    ("Clocks", "clocks", [("Graphics", "graphics_clock", "clocks.gr"), ("SM", "sm_clock", "clocks.sm")]),
]  # fmt: skip


def _value(source: str, gpu: Gpu) -> str:
    unit, read = FIELDS[source] if source in FIELDS else REMAPPED[source]
    value = read(gpu)
    if source in ("remapped_rows.pending", "remapped_rows.failure"):
        return "Yes" if value == "1" else "No"
    if source == "pci.bus_id":
        return value
    suffix = {"pcie.link.width.max": "x", "pcie.link.width.current": "x"}.get(source, "")
    unit = "C" if source.startswith("temperature") else unit
    return (f"{value}{suffix} {unit}").rstrip().replace("[N/A]", "N/A")


def _escape(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(entries: list[Entry], gpu: Gpu, depth: int) -> list[str]:
    lines = []
    for label, _, source in entries:
        if isinstance(source, list):
            lines += [" " * 4 * depth + label, *_text(source, gpu, depth + 1)]
        else:
            lines.append(f"{' ' * 4 * depth + label:<42}: {_value(source, gpu)}")
    return lines


def _xml(entries: list[Entry], gpu: Gpu, depth: int) -> list[str]:
    lines, tab = [], "\t" * depth
    for _, tag, source in entries:
        if isinstance(source, list):
            lines += [f"{tab}<{tag}>", *_xml(source, gpu, depth + 1), f"{tab}</{tag}>"]
        else:
            lines.append(f"{tab}<{tag}>{_escape(_value(source, gpu))}</{tag}>")
    return lines


def text(version: str, gpus: list[Gpu]) -> str:
    """`nvidia-smi -q`."""
    head = {
        "Timestamp": time.strftime("%a %b %e %H:%M:%S %Y"),
        "Driver Version": version,
        "CUDA Version": driver.cuda_version(version),
    }
    lines = [
        "",
        "==============NVSMI LOG==============",
        "",
        *(f"{label:<42}: {value}" for label, value in head.items()),
    ]
    lines += ["", f"{'Attached GPUs':<42}: {len(gpus)}"]
    for gpu in gpus:
        lines += [f"GPU {gpu.bus_id}", *_text(_ENTRIES, gpu, 1), ""]
    return "\n".join(lines)


def xml(version: str, gpus: list[Gpu]) -> str:
    """`nvidia-smi -q -x`."""
    lines = ['<?xml version="1.0" ?>', '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">', "<nvidia_smi_log>"]
    head = {
        "timestamp": time.strftime("%a %b %e %H:%M:%S %Y"),
        "driver_version": version,
        "cuda_version": driver.cuda_version(version),
        "attached_gpus": str(len(gpus)),
    }
    lines += [f"\t<{tag}>{value}</{tag}>" for tag, value in head.items()]
    for gpu in gpus:
        lines += [f'\t<gpu id="{gpu.bus_id}">', *_xml(_ENTRIES, gpu, 2), "\t</gpu>"]
    return "\n".join([*lines, "</nvidia_smi_log>"])


def _row(gpu: Gpu) -> list[str]:
    on = "On" if driver.persistence() else "Off"
    power = f"{float(FIELDS['power.draw'][1](gpu)):.0f}W / {float(FIELDS['power.limit'][1](gpu)):.0f}W"
    memory = f"{FIELDS['memory.used'][1](gpu)}MiB / {gpu.memory}MiB"
    first = f"| {gpu.minor:>3}  {gpu.name[:30]:<30} {on:>4} | {gpu.bus_id} Off | {gpu.uncorrected:>20} |"
    second = (
        f"| N/A {FIELDS['temperature.gpu'][1](gpu):>4}C    P0  {power:>24} | {memory:>20} | {'0%      Default':>20} |"
    )
    return [first, second, "+" + "-" * 41 + "+" + "-" * 22 + "+" + "-" * 22 + "+"]


def table(version: str, gpus: list[Gpu]) -> str:
    """`nvidia-smi` alone."""
    width = 87
    title = f" NVIDIA-SMI {version:<21} Driver Version: {version:<14} CUDA Version: {driver.cuda_version(version)}"
    lines = [
        time.strftime("%a %b %e %H:%M:%S %Y"),
        "+" + "-" * width + "+",
        f"|{title:<{width}}|",
        "|" + "-" * width + "|",
    ]
    for gpu in gpus:
        lines += _row(gpu)
    lines += [
        "",
        "+" + "-" * width + "+",
        f"|{' Processes:':<{width}}|",
        f"|{'  No running processes found':<{width}}|",
    ]
    return "\n".join([*lines, "+" + "-" * width + "+"])
