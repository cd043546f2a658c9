"""containerd's files, put in place after containerd has read them; and its unit, started by sound files alone."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Generator, Mapping
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import Directory, Sha1File
from pyinfra.operations import files as pyinfra_files

from gpufleet.containers.beforehand import objection_beforehand
from gpufleet.containers.drop_ins import drop_in, moved
from gpufleet.containers.judging import Trial, objection
from gpufleet.containers.schema import DIRECTORY, DROP_INS, ROOT_FILE, SCHEMAS, runtime_plugin
from gpufleet.errors import HostError
from gpufleet.facts.containerd import PROGRAM, UNIT, ConfigTrial, DropIns
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.operations import failure

Commands = Generator[Any, None, None]

#: Lines of the journal to show where containerd does not start.
LOG_LINES = 10


@operation()
def configured(path: str, text: str) -> Commands:
    """
    Put the root file or a drop-in in place, once containerd has read it beside the others and does what they say.

    A file that would keep containerd from starting, or be ignored in part, is refused with file, line and cure; the one
    of before stays. The change of name that puts it in place leaves nobody half a file to read. With a new root file
    drop-ins of this suite that add runtimes are brought to its schema, and in schema 2 to what it says, now or later.

    + path: `/etc/containerd/config.toml`, or a file below `/etc/containerd/conf.d`
    + text: the whole file

    **Example:**

    .. code:: python

        containerd.configured(path="/etc/containerd/conf.d/99-nvidia.toml", text=text, name="Add NVIDIA's runtime")
    """
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    texts = {path: text} if host.get_fact(Sha1File, path=path) != digest else {}
    texts |= _moved(text) if path == ROOT_FILE else {}
    # Want this text and what goes with it, and have it?
    if not texts:
        host.noop(f"{path} is as declared")
        return
    new = {target: f"{DIRECTORY}/.{target.rpartition('/')[2]}.new" for target in texts}
    for target, candidate in new.items():
        source = StringIO(texts[target])
        yield from pyinfra_files.put._inner(src=source, dest=candidate, mode="644", user="root", group="root")
    wrong = objection(host.get_fact(ConfigTrial, candidates=new), host.name)
    if wrong:
        yield StringCommand("rm", "-f", *map(QuoteString, new.values()))
        yield _refused(wrong)
        return
    yield StringCommand("mkdir", "-p", QuoteString(path.rpartition("/")[0]))
    yield _put_in_place(new)


def _put_in_place(new: Mapping[str, str]) -> StringCommand:
    """Return one command for all files, so that a run which is cut off leaves all or none of them behind."""
    moves = [("&&", "mv", "-f", QuoteString(source), QuoteString(target)) for target, source in new.items()]
    return StringCommand(*[word for move in moves for word in move][1:])


def _moved(text: str) -> dict[str, str]:
    """Return drop-ins of this suite as a new root file needs them, where they are not that already."""
    root, files = _parsed(text), host.get_fact(DropIns)
    try:
        found = {path: moved(written, root) for path, written in files.items()}
    except tomllib.TOMLDecodeError:  # the trial will say so
        return {}
    return {path: new for path, new in found.items() if new}


@operation()
def awaited(text: str) -> Commands:
    """
    Refuse drop-ins that cannot stand beside a new root file, or that the containerd which is there would not start by.

    Packages start containerd anew when they change, before anybody could judge its files by the new program.

    + text: the root file that is to come

    **Example:**

    .. code:: python

        containerd.awaited(name="See that drop-ins fit", text=text)
    """
    moving = _moved(text)
    files = {ROOT_FILE: text, **host.get_fact(DropIns), **moving}
    wrong = objection(Trial(files), host.name)
    if not wrong and files.keys() - {ROOT_FILE, *moving}:
        wrong = objection_beforehand(host.get_fact(ConfigTrial), _parsed(text).get("version", 0), moving, host.name)
    if wrong:
        yield _refused(wrong)
    else:
        host.noop(f"drop-ins fit: {', '.join([*files][1:]) or 'there is none'}")


@operation()
def runtimes(path: str, declared: Mapping[str, Mapping[str, Any]], default: str | None = None) -> Commands:
    """
    Declare runtimes in a drop-in, in the schema of the root file that is there, as `configured` puts it in place.

    + path: a file below `/etc/containerd/conf.d`
    + declared: tables of runtimes by their names, such as `runtime_type` and `options`
    + default: name of the runtime that pods get which name none; without it the root file's

    **Example:**

    .. code:: python

        containerd.runtimes(
            name="Declare NVIDIA's runtime",
            path="/etc/containerd/conf.d/99-nvidia.toml",
            declared={"nvidia": {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": "/usr/bin/x"}}},
        )
    """
    root = _parsed(host.get_fact(ConfigTrial).files.get(ROOT_FILE, ""))
    if root.get("version") not in SCHEMAS:
        yield failure(
            f"{host.name}: {ROOT_FILE}",
            expected=f"a file of version {', '.join(map(str, SCHEMAS))}",
            found=str(root.get("version", "none")),
            cure="give the host the key container_runtime, or write the file in a version that its containerd reads",
        )
        return
    table = {**({"default_runtime_name": default} if default else {}), "runtimes": declared}
    text = drop_in(root, {runtime_plugin(root["version"]): {"containerd": table}})
    yield from configured._inner(path=path, text=text)


@operation()
def running() -> Commands:
    """
    Run containerd now and at boot, restarted where its files or its program changed; containers go on meanwhile.

    Before any start its files are judged as `configured` does, whoever wrote them: while they are not sound the
    containerd that runs goes on by the files of before. A drop-in that is gone is told by its directory, whose status
    changes with every name in it.

    **Example:**

    .. code:: python

        containerd.running(name="Run containerd")
    """
    read = [PROGRAM, ROOT_FILE, DROP_INS, *host.get_fact(DropIns), f"/etc/systemd/system/{UNIT}.d/gpufleet.conf"]
    daemon = host.get_fact(GpuDaemonState, unit=UNIT, files=read)
    # Without the directory nothing tells what was in it.
    is_bare = not host.get_fact(Directory, path=DROP_INS)
    verb = "start" if not daemon.state.is_running else "restart" if daemon.is_stale or is_bare else ""
    # Want it enabled, running and up to date, and have it so?
    if daemon.state.is_enabled and not (verb or daemon.is_unread):
        host.noop(f"{UNIT} is enabled and running")
        return
    wrong = objection(host.get_fact(ConfigTrial), host.name) if verb else None
    if wrong:
        yield _refused(wrong)
        return
    if is_bare:
        yield StringCommand("mkdir", "-p", QuoteString(DROP_INS))
    if daemon.state.is_masked:
        yield StringCommand("systemctl", "unmask", QuoteString(UNIT))
    elif daemon.is_unread:
        # Not without need: it takes GPUs from containers whose devices systemd does not know of.
        yield StringCommand("systemctl", "daemon-reload")
    if not daemon.state.is_enabled:
        yield StringCommand("systemctl", "enable", QuoteString(UNIT))
    if verb:
        yield StringCommand("systemctl", verb, QuoteString(UNIT), "||", _last_words())


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _refused(wrong: HostError) -> StringCommand:
    return failure(wrong.where, expected=wrong.expected, found=wrong.found, cure=wrong.cure)


def _last_words() -> StringCommand:
    """Return the command that shows why containerd did not start and ends with an error."""
    journal = StringCommand("journalctl", "--unit", QuoteString(UNIT), "--lines", str(LOG_LINES), "--output", "cat")
    return StringCommand("{", journal, ">&2;", "exit 1;", "}")
