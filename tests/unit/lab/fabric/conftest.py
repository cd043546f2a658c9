"""What several tests of the fabric need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.lab.fabric.ibsim import Ibsim


@pytest.fixture
def ibsim() -> Iterator[Ibsim]:
    """A simulator that answers."""
    found = Ibsim()
    yield found
    found.close()
