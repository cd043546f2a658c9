"""A resolution as text: everything that a role could take from it, line by line."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from gpufleet.stack.resolution import DriverChoice, Resolution

_NUMBER = re.compile(r"\d{3}(\.\d{2,3}){0,2}(?=-|$)")


def text_of(resolution: Resolution) -> str:
    """Return the lines, each under the name of what it belongs to, with its reason after two blanks."""
    return "".join(f"  {line}".rstrip() + "\n" for line in _lines(resolution))


def _lines(resolution: Resolution) -> Iterator[str]:
    reasons = resolution.reasons
    for repository in resolution.repositories:
        yield f"repository: {repository.base_url}{repository.path} signed by {repository.fingerprint}"
    if resolution.driver:
        yield from _driver(resolution.driver)
    for package in resolution.packages:
        yield f"{package.component}: {package.name} {package.version or '(newest)'}  {package.reason}"
    for item in resolution.unpacked:
        yield f"{item.component}: {item.name} {item.version} unpacked into {item.directory}  {item.reason}"
    if resolution.unwanted:
        yield f"removed: {', '.join(resolution.unwanted)}"
    if resolution.cuda_default:
        yield f"default toolkit: {resolution.cuda_default}  {reasons['cuda_default']}"
    for name in resolution.kernel_modules:
        yield f"module: {name}  {reasons[f'module {name}']}"
    for name, value in resolution.module_options.items():
        yield f"option: {name}={value}  {reasons[f'option {name}']}"
    yield from _services(resolution)
    for verdict in resolution.verdicts:
        yield f"{verdict.level}: {verdict.where}: expected {verdict.expected}, found {verdict.found}; {verdict.cure}"


def _services(resolution: Resolution) -> Iterator[str]:
    for service in resolution.services:
        state = "masked" if service.masked else "at boot" if service.enabled else "off"
        yield f"service: {service.unit} {state}  {service.reason}"
    for subject in ("gpudirect", "fabric_manager", "imex"):
        if subject in resolution.reasons:
            chosen = f" {resolution.gpudirect}" if subject == "gpudirect" and resolution.gpudirect else ""
            yield f"{subject}:{chosen}  {resolution.reasons[subject]}"


def _driver(driver: DriverChoice) -> Iterator[str]:
    yield f"driver: {driver.version}  {driver.reason}"
    if driver.pinning:
        yield f"pinned by: {driver.pinning}"
    if driver.stream:
        yield f"module stream: nvidia-driver:{driver.stream}"
    if driver.versionlock:
        yield f"versionlock: {' '.join(driver.versionlock)}"
    for package in driver.packages:
        yield f"{package.component}: {package.name} {package.version or '(newest)'}  {package.reason}"
    yield f"module file {driver.module}, in dkms status {driver.dkms_module or 'none'}"
    if driver.source_packages:
        yield f"built from: {', '.join(driver.source_packages)}"
    if driver.unwanted:
        yield f"removed: {', '.join(folded(driver.unwanted))}"


def folded(names: Iterable[str]) -> Iterator[str]:
    """Write names that differ in a branch or version alone in one line: `nvidia-dkms-(535 550)-open`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        match = _NUMBER.search(name)
        groups[_NUMBER.sub("{}", name, count=1)].append(match[0] if match else "")
    for template, numbers in groups.items():
        if numbers == [""]:
            yield template
        else:
            listed = " ".join(numbers)
            yield template.replace("{}", f"({listed})" if len(numbers) > 1 else listed)
