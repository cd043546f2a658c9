"""The subnet manager only, on hosts that have their InfiniBand."""

from roles.subnet_manager.deploy import subnet_manager

subnet_manager()
