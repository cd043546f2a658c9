"""Run the command line: `python -m gpufleet`."""

from gpufleet.cli import main

main()
