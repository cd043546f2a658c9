"""Debian 13's own toolkit and NCCL, real packages on a host without a GPU: they compile, read, and are checked."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gpufleet.health import Outcome
from gpufleet.health.verification import Verification
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab, LabHost
from tests.support.base_deviations import Deviation
from tests.support.cuda_deviations import CUDA, DECLARED, NCCL, NCCL_AGAIN, SETTINGS
from tests.support.lab import Fleet, lab_name

HOST = "c13"
DEPLOYS = ("cuda.py", "nccl.py")
KERNEL = 'extern "C" __global__ void add(float *a, const float *b) { a[threadIdx.x] += b[threadIdx.x]; }'
ASK = 'import ctypes; ctypes.CDLL("libnccl.so.2").ncclGetUniqueId(ctypes.create_string_buffer(128))'
#: What builds like nccl-tests: a folder with a Makefile that takes CUDA_HOME and leaves build/*_perf.
MAKEFILE = "all:\n\tmkdir build\n\t$(CUDA_HOME)/bin/nvcc -arch=sm_90 -o build/all_reduce_perf all_reduce.cu -lnccl\n"
PROGRAM = """\
#include <cstdio>
#include <nccl.h>
int main() { int v; ncclGetVersion(&v); printf("%d %d\\n", NCCL_VERSION_CODE, v); }
"""


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A host with the toolkit and NCCL; it has a lab of its own, as they take five gigabytes."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-cuda"
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{HOST}=debian-13/hgx-h100")], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("inventory") / "fleet.py")
        fleet.declare(**{HOST: DECLARED})
        result = fleet.deploy(*DEPLOYS)
        assert result.failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def test_a_second_run_changes_nothing(fleet: Fleet) -> None:
    result = fleet.deploy(*DEPLOYS)
    assert (result.failures(), result.changed) == ([], 0)


def test_the_toolkit_compiles_for_hopper(fleet: Fleet) -> None:
    host = fleet.host(HOST)
    host.execute(f"printf '%s\\n' '{KERNEL}' >/root/add.cu && cd /root && nvcc -arch=sm_90 -cubin -o add.cubin add.cu")
    symbols = host.execute("cuobjdump --dump-elf-symbols /root/add.cubin").stdout
    flags = host.execute("readelf -h /root/add.cubin | sed -n 's/ *Flags: *//p'").stdout
    assert "STO_ENTRY      add" in symbols
    assert int(flags, 16) & 0xFF == 90


def test_what_no_program_can_ask_is_unproven(fleet: Fleet) -> None:
    found = {check.check: check for check in fleet.verify("nccl").checks}
    unproven = {name: check.message for name, check in found.items() if check.outcome is Outcome.UNPROVEN}
    said = "found no Python with ctypes to ask it with"
    assert unproven == {
        "library_is_the_header": f"libnccl.so.2: expected it to tell its version, {said}",
        "library_takes_the_settings": f"libnccl.so.2: expected it to read its settings, {said}",
    }
    fleet.host(HOST).execute("apt-get install --yes --quiet=2 --no-install-recommends libpython3-stdlib")
    assert {check.outcome for check in fleet.verify("cuda", "nccl").checks} == {Outcome.PASS}


def test_the_library_says_what_it_read(fleet: Fleet) -> None:
    """Without a GPU it names what it uses on the way to an identity, the interface; the check asks for the rest."""
    said = fleet.host(HOST).execute(f"NCCL_DEBUG=INFO python3 -c '{ASK}'").stdout
    value = SETTINGS["NCCL_SOCKET_IFNAME"]
    assert f"NCCL INFO NCCL_SOCKET_IFNAME set by environment to {value}\n" in said
    assert "NCCL INFO Bootstrap : Using eth0:" in said


@pytest.mark.parametrize(
    ("role", "deviations"), [("cuda", CUDA), ("nccl", NCCL), ("nccl", NCCL_AGAIN)], ids=["cuda", "nccl", "nccl again"]
)
def test_every_check_fails_on_its_deviation(fleet: Fleet, role: str, deviations: Sequence[Deviation]) -> None:
    host = fleet.host(HOST)
    for deviation in deviations:
        host.execute(deviation.command)
    assert failed(fleet.verify(role)) == {deviation.check: deviation.message for deviation in deviations}

    for deviation in deviations:
        host.execute(deviation.back or "true")
    assert fleet.deploy(*DEPLOYS).failures() == []
    assert failed(fleet.verify(role)) == {}


def test_a_platform_brings_its_topology_and_asks_for_its_plugin(fleet: Fleet) -> None:
    fleet.declare(**{HOST: {"nccl": {**DECLARED["nccl"], "profile": "azure-nd-v5"}}})
    assert fleet.deploy("nccl.py").failures() == []
    assert failed(fleet.verify("nccl")) == {}
    assert fleet.host(HOST).execute("grep -c 0x030200 /etc/gpufleet/nccl/topo.xml").stdout == "8\n"

    fleet.declare(**{HOST: {"nccl": {**DECLARED["nccl"], "profile": "aws-p5"}}})
    assert fleet.deploy("nccl.py").failures() == []
    paths = [f"/opt/amazon/ofi-nccl/{rest}" for rest in ("lib64/libnccl-net-ofi.so", "lib/libnccl-net-ofi.so")]
    wanted = " or ".join([*paths, "/opt/amazon/ofi-nccl/lib/x86_64-linux-gnu/libnccl-net.so"])
    message = f"network plugin: expected {wanted}, found none; NCCL falls back to TCP in silence"
    assert failed(fleet.verify("nccl")) == {"network_plugin_is_there": message}


def test_nccl_tests_are_built_from_a_pinned_archive(fleet: Fleet) -> None:
    host = fleet.host(HOST)
    checksum = archived(host)
    archive = "file:///root/source.tar.gz"
    fleet.declare(**{HOST: {"nccl": {**DECLARED["nccl"], "tests": {"url": archive, "sha256": "0" * 64}}}})
    message = f"{HOST}: nccl-tests: expected sha256 {'0' * 64}, found {checksum}; correct the checksum or the URL"
    (error,) = fleet.deploy("nccl.py").failures()
    assert message in error
    assert failed(fleet.verify("nccl")) == {
        "nccl_tests_are_built": "nccl-tests: expected /opt/nccl-tests/all_reduce_perf, found none"
    }

    fleet.declare(**{HOST: {"nccl": {**DECLARED["nccl"], "tests": {"url": archive, "sha256": checksum}}}})
    assert fleet.deploy("nccl.py").failures() == []
    assert failed(fleet.verify("nccl")) == {}
    assert host.execute("/opt/nccl-tests/all_reduce_perf").stdout == "22203 22203\n"


def test_a_toolkit_that_nobody_makes_is_refused(fleet: Fleet) -> None:
    fleet.declare(**{HOST: {"cuda": {"toolkits": ["12.4", "13.9"]}}})
    (error,) = fleet.deploy("cuda.py").failures()
    assert "CUDA | Refuse a stack that does not fit" in error
    assert "error: cuda: expected a toolkit that the matrix knows, or one of its updates: 11.8, " in error
    assert "found '13.9'; choose one of them, or add a row of your own beside the inventory" in error
    assert set(failed(fleet.verify("cuda"))) == {"stack_fits"}


def test_removal_leaves_nothing_of_nccl(fleet: Fleet) -> None:
    fleet.declare(**{HOST: {"cuda": DECLARED["cuda"], "nccl": {"state": "absent"}}})
    assert fleet.deploy("nccl.py").failures() == []
    left = "ls /etc/nccl.conf /etc/gpufleet/nccl/* /etc/cdi/* 2>/dev/null; dpkg-query -W 'libnccl*' 2>/dev/null; true"
    assert fleet.host(HOST).execute(left).stdout == ""
    assert fleet.deploy("nccl.py").changed == 0


def archived(host: LabHost) -> str:
    """Make the archive on the host; returns its checksum."""
    folder = "/root/source/nccl-tests"
    host.execute(f"mkdir -p {folder}")
    for name, text in (("Makefile", MAKEFILE), ("all_reduce.cu", PROGRAM)):
        host.execute(f"printf %s {shlex.quote(text)} >{folder}/{name}")
    return host.execute(
        "tar czf /root/source.tar.gz -C /root/source nccl-tests && sha256sum /root/source.tar.gz | cut -d' ' -f1"
    ).stdout.strip()


def failed(verification: Verification) -> dict[str, str]:
    """Message of every check that did not pass and was not merely unproven."""
    bad = (Outcome.FAIL, Outcome.ERROR)
    return {check.check: check.message for check in verification.checks if check.outcome in bad}
