"""Reads what the scripts print of what was set aside, and holds how much a target may keep."""

from __future__ import annotations

from dataclasses import dataclass

from ...hookspecs import Receipt, ServiceSettings
from .script_output import Fields, decode, printable


@dataclass(frozen=True, slots=True)
class KeepBounds:
    """How much of what people edited a target keeps, all plugins together: files, and bytes. The newest stays."""

    files: int = 1_000
    bytes: int = 64 * 1024 * 1024

    @classmethod
    def of(cls, service: ServiceSettings) -> KeepBounds:
        """Return the service's bounds."""
        return cls(service.kept_files, service.kept_bytes)

    @property
    def arguments(self) -> tuple[str, str]:
        """The bounds as the scripts take them."""
        return str(self.files), str(self.bytes)


def read_receipt(output: bytes, left: tuple[str, ...] = ()) -> Receipt:
    """Return the receipt from the records of a script (see `keeping.sh`). Its digest is None without a record `I`.

    Raises `BackendUnavailable` if the output is cut.
    """
    fields, values = Fields(output), {letter: dict[str, None]() for letter in "KFDIRB"}
    while not fields.at_end():
        record = decode(fields.next())
        values.setdefault(record[:1], {})[printable(record[1:])] = None
    digest = next((f"sha256:{digest}" for digest in values["I"]), None)
    kept, kept_files, dropped, refused, restored = (tuple(values[letter]) for letter in "KFDRB")
    return Receipt(digest, left, kept, kept_files, dropped, refused, restored)
