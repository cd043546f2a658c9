"""Checks of the role `nvidia_driver`: one version everywhere, kept there, and GPUs that are well."""

from __future__ import annotations

import warnings

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.dnf import ModuleStreams
from gpufleet.facts.nvidia import RunfileTraces
from gpufleet.facts.packages import LockedVersions
from gpufleet.health import xids
from gpufleet.stack import driver_names
from gpufleet.stack.driver import same_value
from gpufleet.stack.versions import pin_pattern, upstream
from roles.nvidia_driver.places import PERSISTENCED, STREAMS
from tests.verify.nvidia_driver_readings import NO_COUNTER, PROBE, PROBE_TIMEOUT, Reading, flagged, pinned, reading

__all__ = ["PROBE", "PROBE_TIMEOUT", "reading"]


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
    module, kernel, found = reading.module, reading.probe["kernel"].text, reading.driver.on_disk
    assert found == reading.version, (
        f"module file {module} of kernel {kernel}: expected {reading.version or 'none'}, found {found or 'none'}"
    )


def test_userspace_is_the_version_of_the_loaded_module(reading: Reading) -> None:
    loaded, found = reading.driver.loaded, reading.driver.userspace
    assert found == loaded, f"libnvidia-ml: expected {loaded or 'none'} as the loaded module, found {found or 'none'}"


def test_packages_are_the_declared_version(reading: Reading) -> None:
    required = reading.choice.names if reading.choice else []
    own_versions = [row.name for row in reading.choice.driver.packages if not row.version] if reading.choice else []
    found = {name: version for name, version in reading.own.items() if name not in own_versions}
    wrong = [f"{name} {version}" for name, version in sorted(found.items()) if upstream(version) != reading.version]
    wrong += [f"no {name}" for name in required if name not in reading.installed]
    assert not wrong, f"packages: expected {reading.version or 'none'}, found {', '.join(wrong)}"


def test_dkms_built_the_module_for_the_running_kernel(reading: Reading) -> None:
    kernel, compiles = reading.probe["kernel"].text, reading.choice is not None and reading.choice.build is None
    expected = {(reading.version, kernel, "installed")} if compiles else set()
    found = {
        (row.version, row.kernel, row.state) for row in reading.dkms if not reading.present or row.kernel == kernel
    }
    found_text = ", ".join(" ".join(row) for row in sorted(found)) or "nothing"
    wanted_text = f"{reading.version} {kernel} installed" if compiles else "nothing"
    module = reading.choice.driver.dkms_module if reading.choice else "nvidia"
    assert found == expected, f"dkms module {module}: expected {wanted_text}, found {found_text}"


def test_loaded_module_is_of_the_chosen_flavor(reading: Reading) -> None:
    if reading.choice:
        flavor, found = reading.choice.driver.flavor, reading.driver.flavor
        assert found == flavor, f"kernel module: expected the {flavor} one, found {found or 'none loaded'}"


def test_no_other_driver_is_installed(reading: Reading) -> None:
    unwanted = reading.choice.driver.unwanted if reading.choice else ()
    wanted = [package.name for package in reading.choice.driver.packages] if reading.choice else []
    found = driver_names.matching(reading.installed, unwanted) - set(wanted)
    if reading.choice:
        found |= driver_names.of_other_branches(reading.installed, wanted, reading.version)
    text = "no package of another flavor or branch"
    assert not found, f"driver {reading.version}: expected {text} beside it, found {', '.join(sorted(found))}"


def test_no_driver_of_the_runfile_installer(reading: Reading) -> None:
    found = RunfileTraces().process(reading.probe["runfile"].lines)
    assert not found, f"NVIDIA's runfile installer: expected nothing of it, found {', '.join(found)}"


def test_packages_are_held(reading: Reading) -> None:
    text = ", ".join(reading.loose)
    assert not reading.loose, f"packages: expected all of the driver on hold, found no hold on {text}"


def test_pin_keeps_the_version(reading: Reading) -> None:
    choice = reading.choice
    if choice and choice.system.family == "el":
        expected, found = choice.driver.stream, ModuleStreams().process(reading.probe["streams"].lines).get(STREAMS, "")
        assert found == expected, f"module stream of the driver: expected {expected or 'none'}, found {found or 'none'}"
        return
    first = choice.driver.packages[0].version if choice else ""
    expected = pin_pattern(first or reading.version) if choice else "no pin"
    found = pinned(reading.probe["pin"].text)
    assert found == expected, f"pin of the driver: expected {expected}, found {found}"


def test_locks_keep_the_version(reading: Reading) -> None:
    locks = LockedVersions().process(reading.probe["locks"].lines)
    drivers = {name: version for name, version in locks.items() if driver_names.looks_like_driver(version)}
    wrong = [f"{name} {version}" for name, version in drivers.items() if upstream(version) != reading.version]
    wrong += [f"none of {name}" for name in (reading.choice.locked if reading.choice else []) if name not in locks]
    assert not wrong, f"locked versions of the driver: expected {reading.version or 'none'}, found {', '.join(wrong)}"


def test_repository_is_trusted_by_its_own_key(reading: Reading) -> None:
    repository = reading.choice.repository if reading.choice else None
    if repository:
        found, expected = ", ".join(reading.keys), repository.fingerprint
        assert found == expected, f"key of NVIDIA's repository: expected {expected} alone, found {found or 'none'}"


def test_module_is_signed_under_secure_boot(reading: Reading) -> None:
    pair = reading.options.secure_boot.pair() if reading.present else None
    if reading.present and (pair or reading.secure_boot):
        right = reading.signer == pair.signer if pair else reading.is_trusted
        expected = f"the key {pair.signer}" if pair else "a key that the firmware knows"
        found = reading.signer or "no signature"
        assert right, f"module {reading.module}: expected it signed by {expected}, found {found}"


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
    for name, value in (reading.choice.wanted.options if reading.choice else {}).items():
        live = parameters.get(name.removeprefix("NVreg_"), "no such option")
        assert same_value(live, value), f"module option {name}: expected {value} live, found {live}"


def test_module_options_are_kept(reading: Reading) -> None:
    module, options = reading.module, reading.choice.wanted.options if reading.choice else {}
    expected = sorted(f"options {module} {name}={value}" for name, value in options.items())
    found = sorted(line for line in reading.probe["module options"].lines if not line.startswith("#"))
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
