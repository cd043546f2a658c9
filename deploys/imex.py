"""IMEX only, on hosts that have their driver."""

from roles.imex.deploy import imex

imex()
