"""Which adapter a program is asked for, and the program under the simulator's library."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import client
from .rates import rate

ROOT = Path(os.environ.get("GPUFLEET_LAB_ROOT", "/"))
HOME = ROOT / "usr/lib/gpufleet-lab-fabric"
FOLDERS = ("usr/sbin", "usr/bin")
#: Exit status of a shell for a program that is not there.
ABSENT = 127
#: What the library says when ten programs are attached already, and seconds to wait for one of them to end.
FULL, SECONDS = b"connect failed", 30
#: Signals for the program, not for its launcher.
PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
#: Without an argument it tells about all adapters; others begin at the first one.
FOR_ALL = "ibstat"
RATE = re.compile(rb"^(\t\tRate: )\d+$", re.MULTILINE)


def asked_for(program: str, words: list[str]) -> str:
    """Return the device in the words of a command, empty where they name none."""
    for index, word in enumerate(words):
        if word in ("-C", "--Ca"):
            return words[index + 1] if index + 1 < len(words) else ""
        if word.startswith("--Ca="):
            return word[5:]
        if word.startswith("-C"):
            return word[2:]
        if program == FOR_ALL and not word.startswith("-"):
            return word
    return ""


def chosen(program: str, words: list[str], devices: list[str]) -> list[str]:
    """Return the devices to run the program for; of an unknown device it complains itself."""
    device = asked_for(program, words)
    if device in devices:
        return [device]
    return devices if program == FOR_ALL and not device else devices[:1]


def environment(path: Path) -> dict[str, str]:
    """Read the lines NAME=value of a file that systemd reads, too."""
    rows = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value.strip('"') for name, _, value in rows}


def main(program: str, words: list[str]) -> int:
    """Run the real program, if it is installed."""
    found = [path for folder in FOLDERS if os.access(path := ROOT / folder / program, os.X_OK)]
    devices = sorted(path.name.rpartition("-")[0] for path in (HOME / "devices").iterdir())
    if not found or not devices:
        return ABSENT
    place = ROOT / "tmp" / f".gpufleet-lab-fabric-{os.getpid()}"
    place.mkdir()
    try:
        return max(run([str(found[0]), *words], device, place) for device in chosen(program, words, devices))
    finally:
        remove(place)


def run(command: list[str], device: str, place: Path) -> int:
    """Run a command on one device, once a place at the simulator is free; return its exit status."""
    variables = environment(HOME / "devices" / f"{device}-1")
    corrected = command[0].endswith(f"/{FOR_ALL}")
    deadline = time.monotonic() + SECONDS
    while True:
        status, output, errors = attempt(command, {**os.environ, **variables}, place, captured=corrected)
        if FULL not in errors or time.monotonic() > deadline:
            sys.stdout.buffer.write(with_rate(output, variables) if corrected else output)
            sys.stdout.flush()
            sys.stderr.buffer.write(errors)
            return status
        time.sleep(0.2)


def attempt(command: list[str], variables: dict[str, str], place: Path, *, captured: bool) -> tuple[int, bytes, bytes]:
    """Run a command in a folder of its own, where the library makes files; signals are passed on."""
    with (place / "output").open("w+b") as output, (place / "errors").open("w+b") as errors:
        # Held back until there is somebody to pass them on, as the program may run before.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        process = subprocess.Popen(
            command,
            env=variables,
            cwd=place,
            stdout=output if captured else None,
            stderr=errors,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),  # noqa: PLW1509 - no threads here
        )
        for number in PASSED_ON:
            signal.signal(number, lambda given, _: process.send_signal(given))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the program, too
        status = process.wait()
        for file in (output, errors):
            file.seek(0)
        return (status if status >= 0 else 128 - status), output.read(), errors.read()


def with_rate(output: bytes, variables: dict[str, str]) -> bytes:
    """Put the rate right that ibstat reads from the library's files: those have 104 for EDR, HDR and NDR alike."""
    if RATE.search(output):
        server, port = variables["IBSIM_SERVER_NAME"], int(variables["IBSIM_SERVER_PORT"])
        with contextlib.suppress(OSError):
            true = rate(client.ask(server, port, variables["SIM_HOST"])).partition(" ")[0].partition(".")[0]
            return RATE.sub(rb"\g<1>" + true.encode(), output)
    return output


def remove(place: Path) -> None:
    """Remove the folder; python3-minimal has no shutil."""
    for folder, folders, files in os.walk(place, topdown=False):
        for name in files:
            (Path(folder) / name).unlink()
        for name in folders:
            (Path(folder) / name).rmdir()
    place.rmdir()
