"""containerd as it is on the host: what it says of its files, and the drop-ins."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import DIRECTORY, DROP_INS, ROOT_FILE

UNIT = "containerd.service"
PROGRAM = "/usr/bin/containerd"
#: Seconds that one answer may take.
TIMEOUT = 30

_TRIAL = """\
d=$(mktemp -d) && trap 'rm -rf "$d"' EXIT && mkdir "$d/conf.d"
cp -p {root} "$d/config.toml" 2>/dev/null; cp -p {drop_ins}/*.toml "$d/conf.d/" 2>/dev/null
{copies}{{ cd "$d" && for f in config.toml $(LC_ALL=C ls conf.d/*.toml 2>/dev/null); do
[ ! -e "$f" ] || {{ echo "== file {directory}/$f"; cat "$f"; echo; }}; done
sed -i "s#{drop_ins}/#$d/conf.d/#" config.toml 2>/dev/null
echo "== dump"; timeout {timeout} {program} --config "$d/config.toml" config dump 2>"$d/said"; c=$?
echo; echo "== code $c"; echo "== said"; cat "$d/said"
echo "== default"; timeout {timeout} {program} config default 2>/dev/null; }} | sed "s#$d/#{directory}/#g"; true"""


class ConfigTrial(FactBase[Trial]):
    """What containerd says of its files, with new ones in the place of some and without others where they are given."""

    default = Trial

    @override
    def command(self, candidates: Mapping[str, str] | None = None, without: Sequence[str] = ()) -> str:
        """Copy the files, let containerd read the copies, and print them with its answers.

        `candidates` are files by the paths that they are to have, `without` paths that are to have none.
        """
        given = {path.removeprefix(f"{DIRECTORY}/"): file for path, file in (candidates or {}).items()}
        copies = [f'cp -p {shlex.quote(file)} "$d/"{shlex.quote(name)} || exit\n' for name, file in given.items()]
        copies += [f'rm -f "$d/"{shlex.quote(path.removeprefix(f"{DIRECTORY}/"))}\n' for path in without]
        return _TRIAL.format(
            root=ROOT_FILE,
            drop_ins=DROP_INS,
            directory=DIRECTORY,
            program=PROGRAM,
            timeout=TIMEOUT,
            copies="".join(copies),
        )

    @override
    def process(self, output: list[str]) -> Trial:
        """Cut at the lines that begin with two equals signs."""
        parts: list[tuple[str, list[str]]] = []
        for line in output:
            if line.startswith("== "):
                parts.append((line.removeprefix("== "), []))
            elif parts:
                parts[-1][1].append(line)
        texts = {name: "".join(f"{line}\n" for line in lines) for name, lines in parts}
        files = {name.split(" ", 1)[1]: _text(text) for name, text in texts.items() if name.startswith("file ")}
        codes = [int(name.split()[1]) for name in texts if name.startswith("code ")]
        said = tuple(line for line in texts.get("said", "").splitlines() if line.strip())
        code = codes[0] if codes else 0
        return Trial(files, code, said, texts.get("dump", ""), texts.get("default", ""))


def _text(printed: str) -> str:
    """Take away the end of line that was printed after the file."""
    return printed.removesuffix("\n")


class DropIns(FactBase[dict[str, str]]):
    """Texts of the drop-ins that containerd reads, by their paths."""

    default = dict

    @override
    def command(self) -> str:
        """Print each after its path."""
        return f'for f in {DROP_INS}/*.toml; do [ ! -e "$f" ] || {{ echo "== file $f"; cat "$f"; echo; }}; done; true'

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Cut at the lines that name a file."""
        return dict(sorted(ConfigTrial().process(output).files.items()))
