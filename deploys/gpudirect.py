"""GPUDirect and GDRCopy only, on hosts that have their driver."""

from roles.gpudirect.deploy import gpudirect

gpudirect()
