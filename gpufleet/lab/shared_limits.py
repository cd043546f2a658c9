"""Limits of the controller's kernel that its container hosts share among them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

#: How many inotify instances one user may have open (inotify(7)); what runs as root in every container counts as one.
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
#: Enough for fifty Kubernetes nodes, which open 20 each, or a hundred other hosts, with 10 each (counted on this lab).
#: The kernel's own 128 end at six nodes: a kubelet beyond them does not start.
ENOUGH = 1024

Say = Callable[[str], None]
AsRoot = Callable[[list[str]], Sequence[str]]


def raise_instances(say: Say, as_root: AsRoot, path: Path = INSTANCES) -> None:
    """Raise the limit of inotify instances where it is low, saying so; a kernel that refuses is named, not fatal."""
    try:
        found = int(path.read_text())
    except OSError:  # a kernel without inotify has no such limit
        return
    if found >= ENOUGH:
        return
    command = as_root(["sh", "-c", f"echo {ENOUGH} > {path}"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        say(f"raising fs.inotify.max_user_instances from {found} to {ENOUGH}: all container hosts share it")
    else:
        say(
            f"fs.inotify.max_user_instances: expected {ENOUGH} or more, which all container hosts share, "
            f"found {found}, and it cannot be raised here; set it as root, or keep labs below a dozen hosts"
        )
