"""Tests that use one lab are handed out together."""

from __future__ import annotations

import pytest

from tests.support.labs_apart import lab_of


@pytest.mark.parametrize(
    ("test", "lab"),
    [
        ("tests/integration/test_lab.py::test_a[l12]", "tests/integration/test_lab.py"),
        ("tests/integration/fleet/test_converge.py::test_b", "tests/integration/fleet"),
        ("tests/integration/fleet/verify/test_hosts.py::test_c[a::b/c]", "tests/integration/fleet"),
        ("tests/unit/test_options.py::test_d", "tests/unit/test_options.py"),
    ],
)
def test_a_lab_is_a_file_or_the_folder_that_shares_it(test: str, lab: str) -> None:
    assert lab_of(test) == lab
