"""What went wrong with the engine, as an error of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import APIError, DockerException, NotFound

from ...hookspecs.errors import BackendUnavailable, DeliveryFailed, DeliveryTimeout, WorkspaceNotRunning


class TargetMissing(DeliveryFailed):
    """Raised within the backend when a path is not there; leaves it as a plain `DeliveryFailed`."""


@contextmanager
def understood() -> Iterator[None]:
    """Turns what docker-py and requests raise into the tree's errors; the engine's words are for the log.

    A status does not tell what went wrong (a full disk, a read-only target and a broken archive are all 500), so
    nothing is concluded from it but whose fault it is.
    """
    try:
        yield
    except NotFound as error:
        if "No such container" in str(error):
            raise WorkspaceNotRunning(str(error)) from error
        raise TargetMissing(str(error)) from error
    except APIError as error:
        if error.status_code == 409:
            raise WorkspaceNotRunning(str(error)) from error
        raise DeliveryFailed(str(error)) from error
    except requests.ReadTimeout as error:
        raise DeliveryTimeout(f"the engine hangs: {error}") from error
    except (requests.RequestException, DockerException, OSError) as error:
        raise BackendUnavailable(f"the engine went away: {type(error).__name__}: {error}") from error
