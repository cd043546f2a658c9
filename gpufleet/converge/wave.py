"""Entry of a wave's short-lived process: `python -m gpufleet.converge.wave`.

A State of pyinfra serves once, its caches last as long as the process, and its SSH needs the standard library made
cooperative. So each wave is a process of its own that is told what to do by one line on standard input.
"""

from __future__ import annotations

from importlib import import_module

from gevent import monkey

if __name__ == "__main__":
    # First of all, and before anything else is imported: what was imported earlier keeps blocking calls.
    monkey.patch_all()
    import_module("gpufleet.converge.child").main()
