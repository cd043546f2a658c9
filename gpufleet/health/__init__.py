"""Health of hosts: checks, their outcomes, and the one probe that feeds them."""

from gpufleet.health.outcomes import Outcome, unproven
from gpufleet.health.probe import Probe, Section

__all__ = ["Outcome", "Probe", "Section", "unproven"]
