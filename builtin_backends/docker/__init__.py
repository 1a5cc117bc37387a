"""The backend `docker`."""

from .backend import DockerBackend

__all__ = ["provider"]

provider = DockerBackend()
