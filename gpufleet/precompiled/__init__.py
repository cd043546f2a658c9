"""Kernel modules built once and installed everywhere: a directory of signed packages, filled here, read by hosts."""
