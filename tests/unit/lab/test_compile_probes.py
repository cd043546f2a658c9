"""What NVIDIA's compile probes say is kept: of one text, compiler and kernel, whatever process numbers they carry."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gpufleet.lab.compilations import PROBES

NUMBER, AGAIN = "4711", "4712"


class Build:
    """A folder with a compiler that counts how often it is asked, and a ccache that says what it was given."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "autoconf.h"
        self.config.write_text("")
        self.program(
            "compiler", f"echo . >>{folder}/asked; cat >{folder}/read; ! grep -qs broken conftest*.c {folder}/read"
        )
        self.program("ccache", 'echo ccache "$@"')
        self.program(
            "probes", PROBES.read_text().removeprefix("#!/bin/sh\n").replace("/usr/bin/ccache", f"{folder}/ccache")
        )

    def program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.folder / name).chmod(0o755)

    def run(self, *words: str, text: str = "", **changes: str) -> tuple[int, str]:
        environment = {"PATH": os.environ["PATH"], "CCACHE_DIR": f"{self.folder}/kept", **changes}
        command = [f"{self.folder}/probes", f"{self.folder}/compiler", *words]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, input=text, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    def probe(self, number: str, text: str, **changes: str) -> tuple[int, bool]:
        """Ask a probe as conftest.sh does: its exit status, and whether there is an object."""
        source, target = self.folder / f"conftest{number}.c", self.folder / f"conftest{number}.o"
        source.write_text(text)
        code, _ = self.run(*self.flags(number), "-c", source.name, **changes)
        there = target.exists()
        source.unlink()
        target.unlink(missing_ok=True)
        return code, there

    def flags(self, number: str) -> list[str]:
        return [f"-DKBUILD_BASENAME=#conftest{number}", "-include", str(self.config)]

    @property
    def asked(self) -> int:
        asked = self.folder / "asked"
        return len(asked.read_text().split()) if asked.exists() else 0


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


@pytest.mark.parametrize(("text", "said"), [("int there;", (0, True)), ("broken;", (1, False))])
def test_a_probe_is_asked_once(build: Build, text: str, said: tuple[int, bool]) -> None:
    assert [build.probe(number, text) for number in (NUMBER, AGAIN)] == [said, said]
    assert build.asked == 1


@pytest.mark.parametrize(("text", "code"), [("#include <there.h>", 0), ("broken", 1)])
def test_a_header_is_looked_for_once(build: Build, text: str, code: int) -> None:
    words = [[*("-E", "-M"), *build.flags(number), "-"] for number in (NUMBER, AGAIN)]
    assert [build.run(*each, text=text) for each in words] == [(code, ""), (code, "")]
    assert (build.asked, (build.folder / "read").read_text()) == (1, f"{text}\n")


def test_another_text_and_another_kernel_are_asked_anew(build: Build) -> None:
    build.probe(NUMBER, "int one;")
    build.probe(NUMBER, "int other;")
    build.config.write_text("#define CONFIG_OTHER 1\n")
    build.probe(NUMBER, "int one;")
    assert build.asked == 3


@pytest.mark.parametrize("words", [["-c", "nv.c"], ["-E", "-"], ["-c", "conftest1.c"]])
def test_what_is_no_probe_goes_to_ccache(build: Build, words: list[str]) -> None:
    assert build.run(*words) == (0, f"ccache {build.folder}/compiler {' '.join(words)}\n")


def test_nothing_is_kept_where_the_cache_is_off(build: Build) -> None:
    words = [*build.flags(NUMBER), "-c", "conftest1.c"]
    for changes in ({"CCACHE_DISABLE": "1"}, {"CCACHE_DIR": ""}):
        assert build.run(*words, **changes) == (0, f"ccache {build.folder}/compiler {' '.join(words)}\n")
