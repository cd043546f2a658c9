"""Flags of the kubelet that a newer one no longer knows, in the file that kubeadm wrote at the join. Pure.

A kubelet ends at its start with a flag that it does not know. kubeadm up to 1.34 wrote `--pod-infra-container-image`;
the kubelet has it no more from 1.35 on, and `kubeadm upgrade node` of 1.35 alone took it out of the file. Source:
CHANGELOG-1.35.md and CHANGELOG-1.36.md of Kubernetes (pull requests 133779, 133778, 135807).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpufleet.stack.versions import numbers

#: Variable of the file that holds the flags.
VARIABLE = "KUBELET_KUBEADM_ARGS"
#: The first minor version without each flag.
GONE: Mapping[str, tuple[int, int]] = {"pod-infra-container-image": (1, 35)}


def known(text: str, version: str) -> str:
    """Return the text of such a file without the flags that a kubelet of this version does not know.

    All else stays to the letter: other flags, their order, and lines that set something else.
    """
    gone = [name for name, since in GONE.items() if numbers(version)[:2] >= since]
    return "".join(_without(line, gone) for line in text.splitlines(keepends=True))


def _without(line: str, names: list[str]) -> str:
    if not line.startswith(f"{VARIABLE}="):
        return line
    for name in names:
        # Its value stands behind `=`, or is the next word; a flag is parted from others by one of its two blanks.
        flag = rf"--{re.escape(name)}(?:=[^\s\"]*|[ \t]+[^\s\"-][^\s\"]*)?(?=[\s\"]|$)"
        line = re.sub(rf"[ \t]+{flag}|(?<=[=\"]){flag}[ \t]*", "", line)
    return line
