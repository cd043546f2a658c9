"""Share tests on container hosts out by lab: what uses one lab runs in one process, in the order of its story.

pytest-xdist has groups for this (`--dist=loadgroup`), but pytest 9 hides them from it. A lab belongs to a file, or to a
folder below `tests/integration/` whose files share it.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

ROOT = "tests/integration/"


class LabScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Hands out whole labs, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return lab_of(nodeid)


def lab_of(nodeid: str) -> str:
    """Return what brings the lab of a test: `tests/integration/fleet`, or `tests/integration/test_lab.py`."""
    path = nodeid.partition("::")[0]
    return ROOT + path.removeprefix(ROOT).partition("/")[0] if path.startswith(ROOT) else path
