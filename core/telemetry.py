"""Structured logs and metrics. A log line that belongs to a request has the request's id."""

from __future__ import annotations

import contextvars
import json
import logging
import sys
import time
import traceback
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

request_id: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar("request_id", default=None)
_STANDARD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    """One line of JSON per record, with the whole chain of causes of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            fields["request_id"] = current
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD_ATTRIBUTES}
        if record.exc_info and record.exc_info[0] is not None:
            fields["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(fields, default=str, ensure_ascii=False)


def configure_logging(level: str = "INFO") -> None:
    """Send every record to standard error as JSON. For the command line: `create_app` does not touch logging."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiosqlite", "alembic", "sqlalchemy", "botocore", "urllib3", "asyncssh", "docker"):
        logging.getLogger(noisy).setLevel("WARNING")


class Metrics:
    """The service's metrics, apart from those of other code in the process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "plugport_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram("plugport_request_seconds", "Time to answer.", ("route",), registry=self.registry)
        self.operations = Counter(
            "plugport_operations", "Operations ended.", ("kind", "status", "problem"), registry=self.registry
        )
        self.operation_seconds = Histogram(
            "plugport_operation_seconds",
            "Time from acceptance to end.",
            ("kind",),
            registry=self.registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
        )
        self.providers = Gauge("plugport_providers", "Providers by status.", ("status",), registry=self.registry)
