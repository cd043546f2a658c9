"""dmesg over the emulated kernel log."""

from __future__ import annotations

import argparse
import os
import sys
import time

from . import kmsg, paths


class _Formatter(argparse.HelpFormatter):
    """A fixed width: to ask for the terminal's takes shutil, which python3-minimal lacks."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("dmesg", description="Print the emulated kernel log of this host.",
                                     formatter_class=_Formatter)  # fmt: skip
    parser.add_argument("-T", "--ctime", action="store_true")
    parser.add_argument("-t", "--notime", action="store_true")
    parser.add_argument("-r", "--raw", action="store_true")
    parser.add_argument("-C", "--clear", action="store_true")
    parser.add_argument("-c", "--read-clear", action="store_true")
    parser.add_argument("-w", "--follow", action="store_true")
    parser.add_argument("--time-format", default="")
    for ignored in ("-k", "-x", "-P", "-H", "-L", "-d", "-e"):
        parser.add_argument(ignored, action="store_true", help=argparse.SUPPRESS)
    for ignored in ("-l", "--level", "--color", "-f", "--facility", "-s"):
        parser.add_argument(ignored, help=argparse.SUPPRESS)
    return parser


def _line(stamp: float, message: str, how: argparse.Namespace) -> str:
    moment = time.time() - kmsg.uptime() + stamp
    style = how.time_format
    if how.notime or style == "notime":
        return message
    if how.ctime or style == "ctime":
        return f"[{time.strftime('%a %b %e %H:%M:%S %Y', time.localtime(moment))}] {message}"
    if style == "iso":
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(moment))},{stamp % 1 * 1e6:06.0f}+00:00 {message}"
    return f"<6>[{stamp:12.6f}] {message}" if how.raw else f"[{stamp:12.6f}] {message}"


def main(arguments: list[str]) -> int:
    """Print the log; clear it or follow it when asked to."""
    how = _options().parse_args(arguments)
    if not how.clear:
        sys.stdout.write("".join(f"{_line(*entry, how)}\n" for entry in kmsg.entries()))
        sys.stdout.flush()
    if how.clear or how.read_clear:
        if os.geteuid() != 0 and str(paths.ROOT) == "/":
            sys.stderr.write("dmesg: clear kernel buffer failed: Operation not permitted\n")
            return 1
        paths.put(kmsg.LOG, "", 0o644)
    if how.follow:
        os.execvp("tail", ["tail", "-n", "0", "-f", str(kmsg.LOG)])  # noqa: S606 - its own words alone
    return 0
