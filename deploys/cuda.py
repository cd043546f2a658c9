"""CUDA toolkits only, on hosts that have their driver."""

from roles.cuda.deploy import cuda

cuda()
