"""AWS's clients: built once, used in threads of their own; and what their failures mean."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

_T = TypeVar("_T")
FAILURES: Final = (ClientError, BotoCoreError)
"""What a call of a client raises."""
_THREADS = 8
_CONFIG = Config(
    connect_timeout=4,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=_THREADS,
)
_THROTTLED = frozenset(
    {"RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException",
     "RequestThrottled", "SlowDown", "BandwidthLimitExceeded"}
)  # fmt: skip
_DENIED = frozenset(
    {"UnauthorizedOperation", "AuthFailure", "AccessDenied", "AccessDeniedException", "OptInRequired",
     "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken", "ExpiredTokenException", "RequestExpired",
     "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "Blocked", "AuthException"}
)  # fmt: skip


class Failure(StrEnum):
    """Why AWS did not do what it was asked for."""

    THROTTLED = "throttled"
    DENIED = "denied"
    TRANSIENT = "transient"
    """A server's error, a dropped connection, a timeout, or one that nobody foresaw."""


def failure_of(error: Exception) -> tuple[Failure, str]:
    """The sort of failure, and the words for the log: AWS's code and request id, where it gave them."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        code = str(told.get("Code", ""))
        request = error.response.get("ResponseMetadata", {}).get("RequestId") or "none given"
        kind = Failure.THROTTLED if code in _THROTTLED else Failure.DENIED if code in _DENIED else Failure.TRANSIENT
        return kind, f"{kind}: {error.operation_name}: {code}: {told.get('Message', '')} (request id {request})"
    denied = isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError)
    kind = Failure.DENIED if denied else Failure.TRANSIENT
    return kind, f"{kind}: {type(error).__name__}: {error}"


class Aws:
    """The session of the environment (`AWS_*`), with its clients `ec2` and `ec2-instance-connect`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="plugport-ec2")

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do blocking work in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def client(self, service: str) -> Any:
        """The service's client. Blocking. Raises what botocore raises where there is no region; then the next call
        tries again."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.session().client(service, config=_CONFIG)
            return self._clients[service]

    def session(self) -> Any:
        """The session, which has the credentials and the region (`AWS_DEFAULT_REGION`, else `AWS_REGION`, which
        containers and functions are given and botocore does not read)."""
        if self._session is None:
            made = boto3.session.Session()
            self._session = made if made.region_name else boto3.session.Session(region_name=os.getenv("AWS_REGION"))
        return self._session

    def close(self) -> None:
        """Let go of threads and connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
