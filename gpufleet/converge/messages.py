"""What is said when a host does not come to the end: the cause as found, and the cure. Pure texts, tested whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: How many of a failed command's last lines are worth repeating.
TAIL = 5


def sentence(host: str, expected: str, found: str, cure: str) -> str:
    """The project's one sentence shape for an error."""
    return f"{host}: expected {expected}, found {found}; {cure}"


@dataclass(frozen=True)
class Login:
    """How a host is reached, as the inventory says it."""

    host: str
    address: str
    port: int = 22
    user: str = ""
    key: str = ""
    known_hosts: str = "~/.ssh/known_hosts"

    @property
    def known_as(self) -> str:
        """The host's name in known_hosts."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"

    def unreachable(self, found: str) -> str:
        """No SSH server answers."""
        cure = "check that the host is up and that ssh_hostname and ssh_port are right"
        return sentence(self.host, f"an SSH server at {self.address} port {self.port}", found, cure)

    def unusable(self, problem: str) -> str:
        """The inventory's own connection data fail before the network is reached."""
        return sentence(self.host, "connection data that can be used", f"`{problem}`", "correct them in the inventory")

    def key_differs(self) -> str:
        """The host shows another key than the recorded one."""
        cure = f"if it was reinstalled, remove the old key with `ssh-keygen -R {self.known_as} -f {self.known_hosts}`"
        expected = f"the host key recorded for {self.known_as} in {self.known_hosts}"
        return sentence(self.host, expected, "another key", f"{cure} and record the new one, else trust nothing there")

    def key_unknown(self) -> str:
        """Strict checking is on and no key is recorded."""
        expected = f"a host key for {self.known_as} in {self.known_hosts}"
        return sentence(self.host, expected, "none", "compare its fingerprint at the host's console and record it")

    def login_refused(self) -> str:
        """The SSH server knows the user or the key not."""
        user = self.user or "the current user"
        means = f"the key {self.key}" if self.key else "a key of the agent, the user's own keys or a password"
        cure = "check ssh_user, ssh_key and the user's authorized_keys there"
        return sentence(self.host, f"{user} to be let in with {means}", "the login refused", cure)

    def sudo_refused(self, found: str) -> str:
        """The user may not become root without a password."""
        cure = "grant it in /etc/sudoers.d there, or set _sudo_password in the inventory"
        user = self.user or "the login"
        return sentence(self.host, f"{user} to have sudo without a password", f"`{found}`", cure)


@dataclass(frozen=True)
class Place:
    """Where in a host's run something happened."""

    host: str
    operation: str = ""
    #: Operations behind it that were not reached.
    remaining: int = 0

    @property
    def consequence(self) -> str:
        """What did not happen because of the failure."""
        if not self.operation:
            return "no operation was run"
        if self.remaining == 0:
            return "it was the last operation"
        if self.remaining == 1:
            return "the operation after it was not run"
        return f"the {self.remaining} operations after it were not run"

    def operation_failed(self, exit_status: int | None, lines: Sequence[str]) -> str:
        """A command of the operation failed."""
        status = "a failure" if exit_status is None else f"exit status {exit_status}"
        text = sentence(self.host, f"operation `{self.operation}` to succeed", status, self.consequence)
        return with_tail(text, lines)

    def fact_failed(self, fact: str, exit_status: int | None, lines: Sequence[str]) -> str:
        """A command that reads the host's state failed."""
        found = "a failure" if exit_status is None else f"exit status {exit_status}"
        within = f" for operation `{self.operation}`" if self.operation else ""
        return with_tail(sentence(self.host, f"to read {fact}{within}", found, self.consequence), lines)

    def raised(self, problem: str) -> str:
        """Deploy code raised an exception."""
        where = f"operation `{self.operation}`" if self.operation else "the deploy"
        return sentence(self.host, f"{where} to run", problem, self.consequence)

    def timed_out(self, seconds: float) -> str:
        """A command did not end in its time; it may still be running there."""
        consequence = f"{self.consequence}; the command may still be running there"
        return sentence(self.host, f"operation `{self.operation}` to end within {seconds:g} s", "no end", consequence)

    def runs_once(self, operation: str) -> str:
        """An operation asks for one host only, which independent hosts cannot agree upon."""
        expected = f"operation `{operation}` to run on every host"
        return sentence(self.host, expected, "`_run_once`", "put it into a deploy file of its own and use --limit")

    def incomplete(self, count: int) -> str:
        """Operations were left without an end and without a failure."""
        return sentence(self.host, "every operation complete", f"{count} without an end", "run the deploy again")

    def stopped(self) -> str:
        """The operator stopped the run."""
        where = f"before operation `{self.operation}`" if self.operation else "before its first operation"
        return sentence(self.host, "the run to finish", f"it stopped by the operator {where}", "run it again to go on")

    def abandoned(self) -> str:
        """The operator did not wait for the operation under way."""
        found = f"operation `{self.operation}` abandoned by the operator"
        cure = "its command may still be running there: see that it ended, then run again"
        return sentence(self.host, "the run to finish", found, cure)


def lost(host: str, cause: str, current: str) -> str:
    """The wave's process ended without saying how the host came out."""
    return sentence(host, "an end of its run", f"{cause} while at `{current}`", "what was done is not known; run again")


def with_tail(text: str, lines: Sequence[str]) -> str:
    """An error with a command's last lines below it."""
    return "\n".join([text, *(f"    {line}" for line in [line for line in lines if line.strip()][-TAIL:])])
