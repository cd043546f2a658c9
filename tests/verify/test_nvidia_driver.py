"""Checks of the role `nvidia_driver`: one version everywhere, kept there, and GPUs that are well."""

from __future__ import annotations

import warnings

from gpufleet.facts.boot import RebootRequired
from gpufleet.health import xids
from gpufleet.stack.driver import same_value
from gpufleet.stack.versions import pin_pattern, upstream
from roles.nvidia_driver.builds import OPEN, PERSISTENCED, USERSPACE, other
from tests.verify.nvidia_driver_readings import PROBE, PROBE_TIMEOUT, Reading, reading

__all__ = ["PROBE", "PROBE_TIMEOUT", "reading"]

#: What nvidia-smi prints where a GPU has no such counter.
NO_COUNTER = ("[N/A]", "N/A", "[Not Supported]")


def test_every_gpu_on_the_bus_answers(reading: Reading) -> None:
    if reading.present:
        found = {row["pci.bus_id"] for row in reading.answers("gpus")}
        silent = sorted(reading.gpus - found)
        assert not silent, f"GPUs: expected {len(reading.gpus)} to answer nvidia-smi, found no answer of {silent}"


def test_loaded_module_is_the_declared_version(reading: Reading) -> None:
    found = reading.driver.loaded
    assert found == reading.version, (
        f"module nvidia: expected {reading.version or 'none'} loaded, found {found or 'none'}"
    )


def test_module_on_disk_is_the_declared_version(reading: Reading) -> None:
    module, kernel, found = reading.choice.build.module, reading.probe["kernel"].text, reading.driver.on_disk
    assert found == reading.version, (
        f"module file {module} of kernel {kernel}: expected {reading.version or 'none'}, found {found or 'none'}"
    )


def test_userspace_is_the_version_of_the_loaded_module(reading: Reading) -> None:
    loaded, found = reading.driver.loaded, reading.driver.userspace
    assert found == loaded, f"libnvidia-ml: expected {loaded or 'none'} as the loaded module, found {found or 'none'}"


def test_packages_are_the_declared_version(reading: Reading) -> None:
    driver = {package.name: package.version for package in reading.packages if package.name != PERSISTENCED}
    required = [*reading.choice.build.packages, *USERSPACE] if reading.present else []
    wrong = [f"{name} {version}" for name, version in driver.items() if upstream(version) != reading.version]
    wrong += [f"no {name}" for name in required if name not in driver]
    assert not wrong, f"packages: expected {reading.version or 'none'}, found {', '.join(wrong)}"


def test_dkms_built_the_module_for_the_running_kernel(reading: Reading) -> None:
    kernel = reading.probe["kernel"].text
    expected = {(reading.version, kernel, "installed")} if reading.present else set()
    found = {
        (row.version, row.kernel, row.state) for row in reading.dkms if not reading.present or row.kernel == kernel
    }
    found_text = ", ".join(" ".join(row) for row in sorted(found)) or "nothing"
    wanted_text = f"{reading.version} {kernel} installed" if reading.present else "nothing"
    assert found == expected, f"dkms module {reading.choice.build.module}: expected {wanted_text}, found {found_text}"


def test_loaded_module_is_of_the_chosen_flavor(reading: Reading) -> None:
    flavor, found = reading.choice.wanted.flavor, reading.driver.flavor
    if reading.present:
        assert found == flavor, f"kernel module: expected the {flavor} one, found {found or 'none loaded'}"


def test_other_flavor_is_not_installed(reading: Reading) -> None:
    unwanted = other(reading.choice.build)
    found = [package.name for package in reading.packages if package.name in unwanted.packages]
    assert not found, f"{unwanted.flavor} kernel module: expected no package of it, found {', '.join(found)}"


def test_packages_are_held(reading: Reading) -> None:
    loose = [package.name for package in reading.packages if package.want != "hold"]
    assert not loose, f"packages: expected all of the driver on hold, found no hold on {', '.join(loose)}"


def test_pin_keeps_the_version(reading: Reading) -> None:
    expected = pin_pattern(reading.choice.version) if reading.present else "no pin"
    found = pinned(reading.probe["pin"].text)
    assert found == expected, f"pin of the driver: expected {expected}, found {found}"


def test_pin_keeps_the_version_of_open_modules(reading: Reading) -> None:
    needed = reading.present and reading.choice.build is OPEN
    expected, found = pin_pattern(reading.version) if needed else "no pin", pinned(reading.probe["open pin"].text)
    assert found == expected, f"pin of the open kernel modules: expected {expected}, found {found}"


def test_persistence_mode_is_on(reading: Reading) -> None:
    if reading.present and reading.options.persistence:
        off = [row["pci.bus_id"] for row in reading.answers("gpus") if row["persistence_mode"] != "Enabled"]
        assert not off, f"persistence mode: expected on for every GPU, found off for {', '.join(off)}"


def test_persistence_daemon_is_as_declared(reading: Reading) -> None:
    wanted = reading.present and reading.options.persistence
    expected = "running and enabled" if wanted else "stopped and disabled"
    daemon = reading.daemon
    found = f"{'running' if daemon.active else 'stopped'} and {'enabled' if daemon.enabled else 'disabled'}"
    assert found == expected, f"{PERSISTENCED}: expected it {expected}, found it {found}"


def test_module_options_are_live(reading: Reading) -> None:
    parameters = reading.driver.parameters
    for name, value in (reading.choice.wanted.options if reading.present else {}).items():
        live = parameters.get(name.removeprefix("NVreg_"), "no such option")
        assert same_value(live, value), f"module option {name}: expected {value} live, found {live}"


def test_module_options_are_kept(reading: Reading) -> None:
    module, options = reading.choice.build.module, reading.choice.wanted.options if reading.present else {}
    expected = [f"options {module} {name}={value}" for name, value in sorted(options.items())]
    found = [line for line in reading.probe["module options"].lines if not line.startswith("#")]
    assert found == expected, f"module options at boot: expected {expected}, found {found}"


def test_nouveau_stays_away(reading: Reading) -> None:
    found = [line for line in reading.probe["bound"].lines if line.split()[0] in reading.gpus and "nouveau" in line]
    assert not found, f"GPUs: expected none bound to nouveau, found {', '.join(found)}"
    loaded = reading.probe["nouveau"].text
    assert not loaded, f"module nouveau: expected it not loaded, found {loaded}"


def test_no_reboot_is_required(reading: Reading) -> None:
    found = RebootRequired().process(reading.probe["reboot"].lines)
    text = "; ".join(f"{key}: {why}" for key, why in found.items())
    assert not found, f"reasons to reboot: expected none, found {text}"


def test_kernel_log_has_no_severe_xid(reading: Reading) -> None:
    seen = xids.found(reading.probe["kernel log"].lines)
    severe = list(xids.severe(seen))
    for xid in sorted(set(seen) - set(severe)):
        warnings.warn(str(xid), stacklevel=1)
    assert not severe, f"kernel log: expected no severe Xid since boot, found {'; '.join(map(str, severe))}"


def test_memory_has_no_uncorrected_errors(reading: Reading) -> None:
    counter = "ecc.errors.uncorrected.volatile.total"
    rows = reading.answers("gpus") if reading.present else []
    bad = [f"{row[counter]} on {row['pci.bus_id']}" for row in rows if row[counter] not in ("0", *NO_COUNTER)]
    assert not bad, f"uncorrected memory errors since the driver was loaded: expected 0, found {', '.join(bad)}"


def test_no_row_remap_is_pending(reading: Reading) -> None:
    assert not (bad := flagged(reading, "remapped_rows.pending")), (
        f"row remapping: expected none pending, found it on {', '.join(bad)}; reset the GPU"
    )


def test_no_row_remap_has_failed(reading: Reading) -> None:
    assert not (bad := flagged(reading, "remapped_rows.failure")), (
        f"row remapping: expected no failure, found it on {', '.join(bad)}; replace the GPU"
    )


def flagged(reading: Reading, field: str) -> list[str]:
    """GPUs whose flag is up; parts without row remapping have no such flag."""
    rows = reading.answers("remapped rows") if reading.present else []
    return [row["gpu_bus_id"] for row in rows if row[field].lower() not in {"0", "no", *map(str.lower, NO_COUNTER)}]


def pinned(preferences: str) -> str:
    """The version that a preferences file pins with priority, in words where it does not."""
    lines = dict(line.split(": ", 1) for line in preferences.splitlines() if ": " in line)
    if not lines:
        return "no pin"
    strong = int(lines.get("Pin-Priority", "0")) > 1000
    return lines.get("Pin", "").removeprefix("version ") if strong else f"priority {lines.get('Pin-Priority')}"
