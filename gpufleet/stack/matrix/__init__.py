"""The compatibility matrix: YAML data with sources, typed rows, a loader that rejects contradictions, pure queries."""

from gpufleet.stack.matrix.loader import load
from gpufleet.stack.matrix.matrix import Matrix, ended

__all__ = ["Matrix", "ended", "load"]
