"""NCCL only, on hosts that have their CUDA toolkits."""

from roles.nccl.deploy import nccl

nccl()
