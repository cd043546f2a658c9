"""Flags that a newer kubelet no longer knows, in kubeadm's file."""

from __future__ import annotations

import pytest

from gpufleet.kubernetes.flags import known

GONE = "--pod-infra-container-image=registry.k8s.io/pause:3.10.1"
NAME, SOCKET = "--hostname-override=gpu-07", "--container-runtime-endpoint=unix:///run/containerd/containerd.sock"
#: As kubeadm 1.34 writes it.
OLD = f'KUBELET_KUBEADM_ARGS="{SOCKET} {GONE} {NAME}"\n'


@pytest.mark.parametrize(
    ("flags", "kept"),
    [
        (f"{SOCKET} {GONE} {NAME}", f"{SOCKET} {NAME}"),
        (f"{SOCKET} {GONE}", SOCKET),
        (f"{GONE} {SOCKET}", SOCKET),
        (GONE, ""),
        ("", ""),
        (f"{SOCKET} --pod-infra-container-image registry.k8s.io/pause:3.10.1 {NAME}", f"{SOCKET} {NAME}"),
        ("--pod-infra-container-image registry.k8s.io/pause:3.10.1", ""),
        (f"--pod-infra-container-image {NAME}", NAME),
        (f"{GONE} {NAME} {GONE}", NAME),
        (f"{SOCKET}  {NAME}", f"{SOCKET}  {NAME}"),
        (f"--pod-infra-container-images=a {NAME}", f"--pod-infra-container-images=a {NAME}"),
        ("--node-labels=a=b --x--pod-infra-container-image=a", "--node-labels=a=b --x--pod-infra-container-image=a"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("quote", ['"', ""])
def test_one_flag_goes_and_others_stay(flags: str, kept: str, quote: str) -> None:
    line = "KUBELET_KUBEADM_ARGS={0}{1}{0}\n"
    text = known(line.format(quote, flags), "1.35.0")
    assert text == line.format(quote, kept)
    assert known(text, "1.36.3") == text


@pytest.mark.parametrize(
    ("version", "kept"), [("1.34.9", OLD), ("1.31.0", OLD), ("1.35.0", OLD.replace(f" {GONE}", ""))]
)
def test_it_goes_with_the_first_kubelet_that_has_it_not(version: str, kept: str) -> None:
    assert known(OLD, version) == kept


@pytest.mark.parametrize("text", ["", "\n", f"# {GONE}\nOTHER={GONE}\n", f'KUBELET_KUBEADM_ARGS="{NAME}"'])
def test_all_else_stays_to_the_letter(text: str) -> None:
    assert known(text, "1.36.3") == text
