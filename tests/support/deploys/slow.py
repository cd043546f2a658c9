"""An operation long enough to be interrupted, between two quick ones."""

from pyinfra.context import host
from pyinfra.operations import server

server.shell(name="Before", commands=["true"])
server.shell(name="Take long", commands=[f"sleep {host.data.get('seconds', 3)}"])
server.shell(name="After", commands=["true"])
