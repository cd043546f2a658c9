"""Everything a host needs, in the order in which it is needed."""

from roles.base.deploy import base
from roles.nvidia_driver.deploy import nvidia_driver

base()
nvidia_driver()
