"""Rendering templates, and writing them by plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError
from pyinfra.api.deploy import deploy

from gpufleet.operations import files
from tests.support.plans import plan

TEMPLATE = """\
# Managed by gpufleet: roles/demo; do not edit
{% for module in modules %}
  {% if module.options %}
options {{ module.name }} {{ module.options }}
  {% endif %}
{% endfor %}
# {{ host.name }}
"""


@pytest.fixture(autouse=True)
def _templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    path = tmp_path / "templates/etc/modprobe.d/demo.conf.j2"
    path.parent.mkdir(parents=True)
    path.write_text(TEMPLATE)
    monkeypatch.setattr(files, "ROOT", tmp_path)
    monkeypatch.chdir("/")
    files._environment.cache_clear()
    yield
    files._environment.cache_clear()


@deploy("Demo")
def demo() -> None:
    modules = [{"name": "nvidia", "options": "x=1"}, {"name": "other", "options": ""}]
    files.rendered(name="Write", path="etc/modprobe.d/demo.conf", mode="640", modules=modules)


def test_a_rendered_file_is_uploaded_with_mode_and_owner() -> None:
    assert plan(demo) == (
        "Demo | Write\n"
        "     mkdir -p /etc/modprobe.d\n"
        "     chown root:root /etc/modprobe.d\n"
        "     upload /etc/modprobe.d/demo.conf\n"
        "     | # Managed by gpufleet: roles/demo; do not edit\n"
        "     | options nvidia x=1\n"
        "     | # gpu-07\n"
        "     chown root:root /etc/modprobe.d/demo.conf\n"
        "     chmod 640 /etc/modprobe.d/demo.conf\n"
    )


def test_a_missing_name_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'modules' is undefined"):
        files.render("etc/modprobe.d/demo.conf")


def test_a_missing_template_is_an_error() -> None:
    with pytest.raises(TemplateNotFound, match=r"etc/other.conf.j2"):
        files.render("/etc/other.conf")
