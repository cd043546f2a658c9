"""A few cheap operations: a file, a command that depends on it, a directory."""

import io

from pyinfra.operations import files, server

marker = files.put(
    name="Write the marker",
    src=io.StringIO("light\n"),
    dest="/etc/gpufleet-test-marker",
    mode="644",
    user="root",
    group="root",
)
server.shell(name="Act on a new marker", commands=["true"], _if=marker.did_change)
files.directory(name="Make the folder", path="/etc/gpufleet-test-folder", mode="755", user="root", group="root")
