"""The script that lets containerd read copies of its files, run by a shell with a containerd of a few lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gpufleet.containers.judging import Trial, objection
from gpufleet.facts.containerd import ConfigTrial

#: Prints the root file that it is given, and fails where a drop-in says so; complains of one warning.
STUB = """\
#!/bin/sh
if [ "$2" = default ]; then echo 'version = 3'; exit; fi
grep imports "$2" >/dev/null || exit 3
cat "$2"; echo "warning: about $2" >&2
! grep -s BROKEN "${2%config.toml}conf.d/"*.toml >/dev/null || { echo "containerd: in $2" >&2; exit 1; }
"""
ROOT = 'version = 3\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
DIRECTORY = "/etc/containerd"


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "etc/conf.d").mkdir(parents=True)
    (tmp_path / "etc/config.toml").write_text(ROOT)
    stub = tmp_path / "containerd"
    stub.write_text(STUB)
    stub.chmod(0o755)
    return tmp_path / "etc"


def tried(etc: Path, candidates: dict[str, str] | None = None, without: tuple[str, ...] = ()) -> Trial:
    """Run the fact with this directory in the place of /etc/containerd; its answer has the real one's name again."""
    script = ConfigTrial().command(candidates, without).replace("/usr/bin/containerd", str(etc.parent / "containerd"))
    script = script.replace(f"cp -p {DIRECTORY}", f"cp -p {etc}")
    result = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, cwd=etc)
    assert result.stderr == ""
    return ConfigTrial().process(result.stdout.splitlines())


def test_files_and_answers(etc: Path) -> None:
    (etc / "conf.d/10-a.toml").write_text("version = 3")
    (etc / "conf.d/.hidden.toml").write_text("BROKEN")
    (etc / "conf.d/note.txt").write_text("BROKEN")
    found = tried(etc)
    assert found == Trial(
        files={f"{DIRECTORY}/config.toml": ROOT, f"{DIRECTORY}/conf.d/10-a.toml": "version = 3"},
        code=0,
        said=(f"warning: about {DIRECTORY}/config.toml",),
        dump=ROOT + "\n",
        default="version = 3\n",
    )
    assert objection(found, "gpu-07") is None


def test_candidates_stand_in_the_place_of_files(etc: Path) -> None:
    (etc / "conf.d/10-a.toml").write_text("version = 3\n")
    (etc / ".config.toml.new").write_text(f"# new\n{ROOT}")
    (etc / ".10-a.toml.new").write_text("# BROKEN\n")
    new = {
        f"{DIRECTORY}/{name}": f"{DIRECTORY}/.{name.split('/')[-1]}.new" for name in ("config.toml", "conf.d/10-a.toml")
    }
    found = tried(etc, new)
    assert found.files == {f"{DIRECTORY}/config.toml": f"# new\n{ROOT}", f"{DIRECTORY}/conf.d/10-a.toml": "# BROKEN\n"}
    assert (found.code, found.said[-1]) == (1, f"containerd: in {DIRECTORY}/config.toml")
    assert str(objection(found, "gpu-07")).startswith(f"gpu-07: {DIRECTORY}/config.toml, ")
    assert sorted(path.name for path in etc.rglob("*.toml")) == ["10-a.toml", "config.toml"]
    assert (etc / "config.toml").read_text() == ROOT


def test_a_file_is_tried_as_if_it_were_gone(etc: Path) -> None:
    (etc / "conf.d/10-a.toml").write_text("# BROKEN\n")
    (etc / "conf.d/20-b.toml").write_text("version = 3")
    assert tried(etc).code == 1
    found = tried(etc, without=(f"{DIRECTORY}/conf.d/10-a.toml", f"{DIRECTORY}/conf.d/none.toml"))
    assert (found.code, list(found.files)) == (0, [f"{DIRECTORY}/config.toml", f"{DIRECTORY}/conf.d/20-b.toml"])
    assert (etc / "conf.d/10-a.toml").exists()


def test_no_containerd(etc: Path) -> None:
    (etc.parent / "containerd").unlink()
    found = tried(etc)
    assert (found.code, found.dump, found.default) == (127, "\n", "")
    assert "expected files that `containerd config dump` reads" in str(objection(found, "gpu-07"))


def test_no_files(etc: Path) -> None:
    (etc / "config.toml").unlink()
    assert tried(etc).files == {}
