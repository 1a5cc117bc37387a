"""The backend `ec2`."""

from .backend import Ec2Backend

__all__ = ["provider"]

provider = Ec2Backend()
