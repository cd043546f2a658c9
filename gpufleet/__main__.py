"""Run the command line: `python -m gpufleet`."""

from gpufleet.start import main

main()
