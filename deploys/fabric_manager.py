"""Fabric manager only, on hosts that have their driver."""

from roles.fabric_manager.deploy import fabric_manager

fabric_manager()
