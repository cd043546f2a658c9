"""What speaks against drop-ins of others before another release comes, as the containerd that is there reads them."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gpufleet.containers.judging import Trial, objection
from gpufleet.containers.merging import unknown
from gpufleet.containers.places import found, line_of
from gpufleet.containers.schema import DROP_INS, ROOT_FILE
from gpufleet.errors import HostError


def objection_beforehand(trial: Trial, schema: int, own: Collection[str], host: str) -> HostError | None:
    """Return the first thing that a containerd has against drop-ins that will stay as they are, None for no such thing.

    The root file of before matters no more, nor do drop-ins that are written anew with the next one, `own`. Where the
    root file, or the containerd that reads it, is of another schema than the one to come, drop-ins are to fit that
    already: then versions and names of plugins are not held against them, kinds of values alone.
    """
    others = {path: text for path, text in trial.files.items() if path.startswith(f"{DROP_INS}/") and path not in own}
    if _schemas(trial) == {schema} and not (trial.code and own):  # else nobody can tell which of them it refuses
        wrong = objection(replace(trial, files=_with_root(trial, others)), host)
        if wrong and DROP_INS in wrong.where:
            return wrong
    return next(_kinds(others, _tree(trial.default), host), None)


def _schemas(trial: Trial) -> set[Any]:
    """Return the schema that the containerd writes, and that of the root file where it says one."""
    its = _tree(trial.default).get("version")
    return {its, _tree(trial.files.get(ROOT_FILE, "")).get("version", its)}


def _with_root(trial: Trial, others: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in trial.files.items() if path == ROOT_FILE or path in others}


def _kinds(others: Mapping[str, str], default: Mapping[str, Any], host: str) -> Iterator[HostError]:
    for path, text in others.items():
        for wrong in unknown(_tree(text), default):
            if found(default, wrong.path) is not None:
                where = f"{host}: {path}:{line_of(text, wrong.path)}"
                yield HostError(where, expected=wrong.expected, found=wrong.found, cure=wrong.cure)


def _tree(text: str) -> dict[str, Any]:
    """Read a file, as nothing where it is no TOML: that is said of it, beside the next root file, before."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
