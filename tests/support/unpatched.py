"""pyinfra_testing, without what importing it does to the process.

It imports pyinfra_cli, which makes gevent patch threads, sockets and subprocesses of whoever imports it. pyinfra's
command wants that; a test process with real threads and file locks in it deadlocks.
"""

from __future__ import annotations

from unittest.mock import patch

with patch("gevent.monkey.patch_all"):
    from pyinfra_testing.facts import make_fact_tests
    from pyinfra_testing.operations import make_operation_tests
    from pyinfra_testing.util import FakeHost

__all__ = ["FakeHost", "make_fact_tests", "make_operation_tests"]
