"""DCGM only, on hosts that have their driver."""

from roles.dcgm.deploy import dcgm

dcgm()
