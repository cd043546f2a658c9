"""One way to fail for each host, by the host's data `case`; without it nothing fails."""

import io
from collections.abc import Generator

from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import OperationError
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files, python, server


class Broken(FactBase[str]):
    """A fact that always fails."""

    def command(self) -> str:
        return "echo out; echo broken fact >&2; exit 3"


@operation()
def reading() -> Generator[str, None, None]:
    host.get_fact(Broken)
    yield "true"


@operation()
def raising() -> Generator[str, None, None]:
    if host.name:
        raise OperationError("no such version 1.2.3")
    yield "true"


def callback() -> None:
    raise RuntimeError("the callback is wrong")


@deploy("Cases")
def cases() -> None:
    server.shell(name="First", commands=["true"])
    match host.data.get("case"):
        case "command":
            lines = "; ".join(f"echo line {number} >&2" for number in range(1, 8))
            server.shell(name="Break", commands=[f"echo out; {lines}; exit 7"])
        case "fact":
            host.get_fact(Broken)
        case "operation fact":
            reading(name="Read, then act")
        case "deploy":
            raise ValueError("the deploy code is wrong")
        case "operation":
            raising(name="Raise")
        case "callback":
            python.call(name="Call", function=callback)
        case "upload":
            dest = "/proc/none"
            files.put(name="Upload", src=io.StringIO("x"), dest=dest, mode="644", user="root", group="root")
        case "timeout":
            server.shell(name="Sleep", commands=["sleep 5"], _timeout=1)
        case "once":
            server.shell(name="Once", commands=["true"], _run_once=True)
        case "ignored":
            server.shell(name="Fail without consequence", commands=["false"], _ignore_errors=True)
    server.shell(name="Last", commands=["true"])


cases()
