"""A deploy that changes something on every run: what Molecule's idempotence step must catch."""

from pyinfra.operations import server

server.shell(name="Write the time", commands=["date > /tmp/drift"])
