"""The programs of the lab's container toolkit in a folder, with an nvidia-smi and a runc that they ask."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from gpufleet.lab.vendors.package import Package

SMI = '#!/bin/sh\n[ -z "$BROKEN" ] || { echo "$BROKEN"; exit 18; }\ncat <<END\nGPU 0: NVIDIA L40S (UUID: GPU-0a)\nEND\n'
RUNC = '#!/bin/sh\necho "runc version 1.3.3 $*"\n'


def laid_out(folder: Path, packages: Iterable[Package]) -> Path:
    """Write the programs of packages into a folder, which is returned."""
    files = [file for package in packages for file in package.files if file.path.startswith("/usr/bin/") and file.data]
    programs = {Path(file.path).name: file.data for file in files}
    for name, data in {**programs, "nvidia-smi": SMI.encode(), "runc": RUNC.encode()}.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)
    return folder


def ran(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the folder."""
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", **more}
    return subprocess.run(
        [str(folder / words[0]), *words[1:]], env=variables, capture_output=True, text=True, check=False
    )
