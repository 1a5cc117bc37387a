"""The backend `docker`."""

from plugport.builtin_backends.docker.backend import DockerBackend

__all__ = ["provider"]

provider = DockerBackend()
