"""The former reading of a fabric's counters, in gpufleet's state directory."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from gpufleet.errors import GpufleetError
from gpufleet.fabric.counters import Reading
from gpufleet.project import state_dir


def file_of(plan: Path) -> Path:
    """Return where the reading of a plan's fabric is kept."""
    key = hashlib.sha256(str(plan.resolve()).encode()).hexdigest()[:16]
    return state_dir() / "fabric" / f"counters-{key}.json"


def former(plan: Path) -> Reading | None:
    """Return the remembered reading, or None where there is none; raises GpufleetError for one that is damaged."""
    path = file_of(plan)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Reading(float(data["time"]), data["counts"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        cure = "delete it: the next check starts anew"
        raise GpufleetError(str(path), expected="a reading of counters", found="a damaged one", cure=cure) from None


def remember(plan: Path, reading: Reading) -> None:
    """Keep a reading for the next check; an interrupted write leaves the former one."""
    path = file_of(plan)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"time": reading.time, "counts": reading.counts}), encoding="utf-8")
    new.replace(path)
