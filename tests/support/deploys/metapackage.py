"""Ask for the metapackage that brings a driver, as the role `cuda` asks for its toolkits."""

from pyinfra.api.deploy import deploy

from gpufleet.operations import driver_guard


@deploy("Metapackage")
def metapackage() -> None:
    driver_guard.untouched(wanted=["cuda-12-9"], name="See that it leaves the driver alone")


metapackage()
