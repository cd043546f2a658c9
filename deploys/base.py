"""The operating system only, without any GPU software."""

from roles.base.deploy import base

base()
