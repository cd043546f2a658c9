"""Loading inventories through pyinfra, and refusing what cannot be read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gpufleet import inventory
from gpufleet.errors import GpufleetError, InventoryError
from gpufleet.project import ROOT

Write = Callable[..., Path]
CURE = "correct the file; nothing was touched"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write `fleet.py` and group data into a directory of its own, which becomes the current one."""
    monkeypatch.chdir(tmp_path)

    def written(source: str, **group_data: str) -> Path:
        (tmp_path / "group_data").mkdir()
        for group, text in group_data.items():
            (tmp_path / "group_data" / f"{group}.py").write_text(text)
        (tmp_path / "fleet.py").write_text(source)
        return Path("fleet.py")

    return written


def error_of(path: Path) -> GpufleetError:
    with pytest.raises(GpufleetError) as caught:
        inventory.validate(path)
    return caught.value


def test_hosts_have_groups_and_merged_data(write: Write) -> None:
    path = write('gpu = [("gpu-01", {"ssh_hostname": "10.0.0.1"})]\n', gpu="site = 'fra1'\n", all="_sudo = True\n")
    host = inventory.load(path).hosts["gpu-01"]
    assert (host.groups, host.connector) == (("gpu", "fleet"), "ssh")
    assert host.data == {"ssh_hostname": "10.0.0.1", "site": "fra1", "_sudo": True}


def test_loading_leaves_the_process_unpatched(write: Write) -> None:
    path = write('gpu = ["gpu-01"]\n')
    program = (
        "import pathlib, sys; from gpufleet import inventory; "
        f"inventory.load(pathlib.Path({str(path)!r})); sys.exit('pyinfra_cli' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_an_inventory_prints_is_kept_off_stdout(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    inventory.load(write('print("asking the site")\ngpu = ["gpu-01"]\n'))
    assert capfd.readouterr() == ("", "asking the site\n")


def test_values_that_cannot_be_pickled_do_no_harm(write: Write) -> None:
    path = write('gpu = [("gpu-01", {"call": lambda: 0, "deep": {"list": [1, lambda: 0]}, "set": {1, 2}})]\n')
    data = inventory.load(path).hosts["gpu-01"].data
    assert repr(data) == "{'call': <function>, 'deep': {'list': [1, <function>]}, 'set': {1, 2}}"


@pytest.mark.parametrize(
    ("source", "group_data", "message"),
    [
        (
            'gpu = ["gpu-01",\n',
            {},
            "fleet.py:1: expected an inventory that Python can read, found SyntaxError: '[' was never closed; " + CURE,
        ),
        (
            "import json\n\ngpu = json.loads('[')\n",
            {},
            "fleet.py:3: expected an inventory that Python can read, "
            "found JSONDecodeError: Expecting value: line 1 column 2 (char 1); " + CURE,
        ),
        (
            'gpu = ["gpu-01"]\n',
            {"gpu": 'nvidia_driver = {\n    "version": latest,\n}\n'},
            "group_data/gpu.py:2: expected an inventory that Python can read, "
            "found NameError: name 'latest' is not defined; " + CURE,
        ),
        (
            'gpu = ["@dokcer/gpu-01"]\n',
            {},
            "fleet.py: expected an inventory that Python can read, "
            "found NoConnectorError: Invalid connector: dokcer; " + CURE,
        ),
        (
            "import os\n\nos._exit(7)\n",
            {},
            "fleet.py: expected an inventory that Python can read, "
            "found its process ended with 7 before it was read; " + CURE,
        ),
        (
            "raise SystemExit(3)\n",
            {},
            "fleet.py: expected an inventory that Python can read, found SystemExit: 3; " + CURE,
        ),
        (
            "gpu = []\n",
            {},
            'fleet.py: expected at least one host, found none; write a list such as gpu = ["gpu-01", "gpu-02"]',
        ),
        (
            "from gpufleet.errors import InventoryError\n"
            'raise InventoryError("lab demo", expected="a lab that is up", found="none", cure="start it")\n',
            {},
            "lab demo: expected a lab that is up, found none; start it",
        ),
    ],
)
def test_inventory_that_cannot_be_read(write: Write, source: str, group_data: Mapping[str, str], message: str) -> None:
    error = error_of(write(source, **group_data))
    assert isinstance(error, InventoryError)
    assert (str(error), error.exit_code) == (message, 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fleat.py", "fleat.py: expected an inventory file, found no such file; did you mean fleet.py?"),
        ("group_data", "group_data: expected an inventory file, found a directory; "),
        ("x", "x: expected an inventory file, found no such file; name a file such as inventories/metal.py"),
    ],
)
def test_inventory_that_does_not_exist(write: Write, name: str, message: str) -> None:
    write('gpu = ["gpu-01"]\n')
    cure = "name a file such as inventories/metal.py" if message.endswith("; ") else ""
    assert str(error_of(Path(name))) == message + cure


def test_what_pyinfra_passes_over_in_silence_is_a_fault(write: Write) -> None:
    source = 'all = ["gpu-01", "gpu-03"]\ngpu = ["gpu-01", "gpu-02", "gpu-01"]\nrack = [{"gpu-04": {}}]\n'
    assert str(error_of(write(source))) == (
        "fleet.py: expected no faults, found 3 faults; correct the lines below; nothing was touched\n"
        '  fleet.py: Ignoring host group "rack". Host groups may only contain strings (host) or tuples (host, data); '
        "correct it\n"
        "  gpu-01: group gpu: host written 2 times; keep one of them\n"
        "  gpu-02: group gpu: host not in the list all: pyinfra drops it; add it to all"
    )


def test_names_pyinfra_knows_and_types_it_refuses(write: Write) -> None:
    source = 'gpu = [("gpu-01", {"ssh_prot": 22, "ssh_port": "22", "_serail": True, "site": "fra1", "ssh_zzz": 1})]\n'
    assert str(error_of(write(source))) == (
        "fleet.py: expected no faults, found 3 faults; correct the lines below; nothing was touched\n"
        "  gpu-01: ssh_port: expected int, found str; correct its type\n"
        "  gpu-01: ssh_prot: unknown connection data; did you mean ssh_port?\n"
        "  gpu-01: _serail: unknown global argument; did you mean _serial?"
    )


def test_all_faults_of_all_hosts_come_together(write: Write) -> None:
    path = write(
        'gpu = ["gpu-01", "gpu-02"]\nold = ["gpu-03"]\n',
        gpu='nvidia_driver = {"version": "535.261.03", "flavour": "open", "reboot_timeout": "soon"}\n',
        old='nvidia_driver = {"version": "535.261.03", "reboot": "if-requierd"}\nbase = "default"\n',
    )
    assert str(error_of(path)) == (
        "fleet.py: expected no faults, found 6 faults; correct the lines below; nothing was touched\n"
        "  gpu-[01-02]: nvidia_driver.reboot_timeout: expected int, found 'soon' (str); "
        "roles/nvidia_driver/README.md lists the options\n"
        "  gpu-[01-02]: nvidia_driver.flavour: unknown option; did you mean flavor?\n"
        "  gpu-03: base: expected dict of options, found 'default' (str); roles/base/README.md lists the options\n"
        "  gpu-03: nvidia_driver.reboot: expected 'never' or 'if-required', found 'if-requierd' (str); "
        "did you mean 'if-required'?"
    )


def test_the_example_inventory_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert len(inventory.validate(Path("inventories/metal.py")).hosts) == 16
