"""What the checks of the role `nvidia_driver` say of deviations that Debian's own packages cannot show."""

from __future__ import annotations

from tests.support.driver_deviations import Deviation, moved

#: On the hosts of every family, after their last stage: what Debian's own packages cannot show.
ELSEWHERE: dict[str, tuple[str, Deviation]] = {
    "repository key": (
        "u24",
        Deviation(
            *moved("/etc/apt/keyrings/cuda.gpg"),
            {
                "repository_is_trusted_by_its_own_key": "key of NVIDIA's repository: expected {fingerprint} alone, "
                "found none",
            },
        ),
    ),
    "stream": (
        "r9",
        Deviation(
            "dnf --quiet --assumeyes module reset nvidia-driver",
            "dnf --quiet --assumeyes module enable nvidia-driver:580-open",
            {"pin_keeps_the_version": "module stream of the driver: expected 580-open, found none"},
        ),
    ),
}

#: What the checks say while the firmware of a host demands signatures that DKMS does not make.
UNSIGNED = {
    "module_is_signed_under_secure_boot": "module nvidia: expected it signed by a key that the firmware knows, "
    "found {signer}",
}
