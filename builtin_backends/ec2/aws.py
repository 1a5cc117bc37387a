"""AWS's clients, each made once and used in threads; and what their failures mean."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

_T = TypeVar("_T")
AWS_ERRORS: Final = (ClientError, BotoCoreError)
"""What a call of a client raises."""
_THREADS = 8
_CONFIG = Config(
    connect_timeout=4,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=_THREADS,
)


class FailureKind(StrEnum):
    """Why a request to AWS failed."""

    THROTTLED = "throttled"
    DENIED = "denied"
    TRANSIENT = "transient"
    """A server's error, a dropped connection, a timeout, or an error of an unknown kind."""


_KINDS = {
    **dict.fromkeys(
        ("RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException",
         "TooManyRequestsException", "RequestThrottled", "SlowDown", "BandwidthLimitExceeded"),
        FailureKind.THROTTLED,
    ),
    **dict.fromkeys(
        ("UnauthorizedOperation", "AuthFailure", "AccessDenied", "AccessDeniedException", "OptInRequired",
         "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException",
         "RequestExpired", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
         "Blocked", "AuthException"),
        FailureKind.DENIED,
    ),
}  # fmt: skip
"""By AWS's code. An unknown code is TRANSIENT."""


def describe_failure(error: Exception) -> tuple[FailureKind, str]:
    """Return the kind of failure, and a text for the log with AWS's code and request id if it sent them."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        code = str(details.get("Code", ""))
        request_id = error.response.get("ResponseMetadata", {}).get("RequestId") or "none"
        kind = _KINDS.get(code, FailureKind.TRANSIENT)
        return kind, f"{kind}: {error.operation_name}: {code}: {details.get('Message', '')} (request id {request_id})"
    denied = isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError)
    kind = FailureKind.DENIED if denied else FailureKind.TRANSIENT
    return kind, f"{kind}: {type(error).__name__}: {error}"


class Aws:
    """The session of the environment (`AWS_*`), with its clients `ec2` and `ec2-instance-connect`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="plugport-ec2")

    async def in_thread(self, function: Callable[[], _T]) -> _T:
        """Call a blocking function in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def client(self, service: str) -> Any:
        """Return the service's client. Blocking. Raises botocore's error if there is no region; the next call tries
        again."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session.client(service, config=_CONFIG)
            return self._clients[service]

    @cached_property
    def session(self) -> Any:
        """The session, with the credentials and the region.

        The region is `AWS_DEFAULT_REGION`, else `AWS_REGION`: containers and functions get the latter, and botocore
        does not read it.
        """
        session = boto3.session.Session()
        return session if session.region_name else boto3.session.Session(region_name=os.getenv("AWS_REGION"))

    def close(self) -> None:
        """Close the threads and the connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
