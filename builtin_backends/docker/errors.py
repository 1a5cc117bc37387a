"""Translates failures of the engine into errors of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import APIError, DockerException, NotFound

from ...hookspecs.errors import BackendUnavailable, DeliveryFailed, DeliveryTimeout, WorkspaceNotRunning


class PathMissing(DeliveryFailed):
    """Raised inside the backend if the container lacks a path. If nothing handles it, it is a `DeliveryFailed`."""


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate what docker-py and requests raise into errors of the tree. The engine's text is for the log.

    The status code does not classify a failure (a full disk, a read-only target and a broken archive are all 500), so
    only 404 and 409 mean more than `DeliveryFailed`.
    """
    try:
        yield
    except NotFound as error:
        if "No such container" in str(error):
            raise WorkspaceNotRunning(str(error)) from error
        raise PathMissing(str(error)) from error
    except APIError as error:
        if error.status_code == 409 and "is restarting" in str(error):
            raise BackendUnavailable(str(error)) from error
        if error.status_code == 409:
            raise WorkspaceNotRunning(str(error)) from error
        raise DeliveryFailed(str(error)) from error
    except requests.ReadTimeout as error:
        raise DeliveryTimeout(f"the engine hangs: {error}") from error
    except (requests.RequestException, DockerException, OSError) as error:
        raise BackendUnavailable(f"the engine cannot be reached: {type(error).__name__}: {error}") from error
