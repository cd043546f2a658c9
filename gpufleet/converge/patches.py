"""What a wave's process changes in pyinfra itself: each where pyinfra offers no other way in."""

from __future__ import annotations

from functools import cache

from pyinfra.api import arguments
from pyinfra.connectors import ssh

from gpufleet.converge.transport import Client


def apply() -> None:
    """Change this process's pyinfra, before its first host."""
    # The connector names its client class at module level; hosts that reconnect after a reboot get ours again too.
    vars(ssh)["SSHClient"] = Client
    # The types of 30 arguments, read anew for every operation of every host, take a third of a run's processor time.
    vars(arguments)["all_global_arguments"] = cache(arguments.all_global_arguments)
