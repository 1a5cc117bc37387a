"""The backend `ec2`."""

from plugport.builtin_backends.ec2.backend import Ec2Backend

__all__ = ["provider"]

provider = Ec2Backend()
