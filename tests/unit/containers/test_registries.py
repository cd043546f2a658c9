"""hosts.toml: every mirror in its order, with what differs from containerd's own defaults."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.containers.registries import Registry, hosts, path_of

GIVEN: dict[str, Any] = {
    "server": "https://registry-1.docker.io",
    "mirrors": [
        {"url": "https://mirror.example.org:5000/hub", "ca": "/etc/ssl/site.crt", "override_path": True},
        {"url": "http://10.0.0.5", "capabilities": ["pull"], "skip_verify": True},
    ],
}
TEXT = """\
# Managed by gpufleet; do not edit
server = "https://registry-1.docker.io"

[host."https://mirror.example.org:5000/hub"]
capabilities = ["pull", "resolve"]
ca = "/etc/ssl/site.crt"
override_path = true

[host."http://10.0.0.5"]
capabilities = ["pull"]
skip_verify = true
"""


def test_whole_file() -> None:
    text = hosts(Registry.model_validate(GIVEN))
    assert text == TEXT
    assert list(tomllib.loads(text)["host"]) == ["https://mirror.example.org:5000/hub", "http://10.0.0.5"]
    assert path_of("_default") == "/etc/containerd/certs.d/_default/hosts.toml"


def test_nothing_but_the_registry_itself() -> None:
    assert hosts(Registry()) == "# Managed by gpufleet; do not edit\n"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"server": "docker.io"}, "server"),
        ({"mirrors": [{"url": "mirror:5000"}]}, "url"),
        ({"mirrors": [{"url": "https://a", "capabilities": []}]}, "capabilities"),
        ({"mirrors": [{"url": "https://a", "ca": "site.crt"}]}, "ca"),
        ({"mirror": []}, "mirror"),
    ],
)
def test_refused(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Registry.model_validate(changes)
    assert [error["loc"][-1] for error in refused.value.errors()] == [place]
