"""The root of the tree of errors, and how a class declares itself.

A class is data: a slug, a status, a title, a template of the sentence for the client, and its fields::

    @declared
    class BundleTooLarge(PlugportError):
        \"\"\"Raised when a fetched tree has more bytes or files than the limit.\"\"\"

        slug, status, title = "bundle-too-large", 413, "Plugin too large"
        detail_template = "The plugin has more than {limit} {unit}."
        limit: int = error_field(clean=int)
        unit: str = error_field(default="bytes", clean=lambda name: "files" if name == "files" else "bytes")

The constructor takes the fields in their order. Each field is a member of the problem document and may stand in the
template; a field named `reason` is for the log alone. A class without fields needs no decorator: its constructor
takes an optional `reason`.
"""

from __future__ import annotations

import copyreg
import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum
from typing import ClassVar, TypeVar, cast, dataclass_transform

from ..json import JSON

_E = TypeVar("_E", bound="PlugportError")
_T = TypeVar("_T")


class PlugportError(Exception):
    """The root of the tree. Raised through its subclasses only.

    `reason` says for the log what went wrong; no client ever sees it. Chain the cause with `raise … from …`.
    """

    slug: ClassVar[str] = "internal"
    """The last part of the problem's type, in kebab-case."""
    status: ClassVar[int] = 500
    """The HTTP status."""
    title: ClassVar[str] = "Internal error"
    """The problem's title: the same for every error of the class."""
    detail_template: ClassVar[str] = (
        "Something went wrong on our side. Quote the request id to whoever runs this service."
    )
    """The sentence for the client; `{name}` stands for a field."""
    retry_after: int | None = None
    """Seconds after which a client may try again; sent as `Retry-After`."""
    reason: str = ""
    """What went wrong, for the log."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason

    def __post_init__(self) -> None:
        """Clean the declared fields. The generated constructor calls this at its end."""
        for each in self._fields():
            if clean := each.metadata.get("clean"):
                setattr(self, each.name, clean(getattr(self, each.name)))
        if "reason" not in vars(self):
            self.reason = self.detail

    @property
    def detail(self) -> str:
        """One sentence for the client: what is wrong, and what to do."""
        return self.detail_template.format_map(
            {each.name: _as_text(getattr(self, each.name)) for each in self._fields()}
        )

    @property
    def members(self) -> Mapping[str, JSON]:
        """What the problem document has beside RFC 9457's own members. A field that is None is left out."""
        values = {member: getattr(self, name) for member, name in self.member_names().items()}
        return {member: _as_json(value) for member, value in values.items() if value is not None}

    @classmethod
    def member_names(cls) -> dict[str, str]:
        """The members that a problem document of this class may have, each with its field's name."""
        members = {each.metadata.get("member", each.name): each.name for each in cls._fields()}
        return {member: name for member, name in members.items() if member}

    @classmethod
    def _fields(cls) -> list[dataclasses.Field[object]]:
        """The declared fields that a client may see: all but `reason`."""
        return [each for each in getattr(cls, "__dataclass_fields__", {}).values() if each.name != "reason"]

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and pickle the state: the constructors' arguments differ from class to class."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return self.reason or self.detail

    def __repr__(self) -> str:
        return f"{type(self).__name__}(slug={self.slug!r}, reason={self.reason!r})"


def error_field(
    *,
    default: _T = dataclasses.MISSING,  # type: ignore[assignment]
    clean: Callable[[_T], _T] | None = None,
    member: str | None = "",
    kw_only: bool = False,
) -> _T:
    """Declare a field of an error that needs more than a type and a default.

    `clean` makes a safe value of what the constructor was given. `member` is the field's name in the problem
    document, if it is not the field's own; None keeps the field out of the document.
    """
    metadata = {"clean": clean} | ({} if member == "" else {"member": member})
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


@dataclass_transform(eq_default=False, field_specifiers=(error_field,))
def declared(cls: type[_E]) -> type[_E]:
    """Make an error's constructor from its fields (a class decorator)."""
    return dataclasses.dataclass(eq=False, repr=False)(cls)


class Internal(PlugportError):
    """Raised in place of anything that nobody foresaw."""


def escaped(text: str) -> str:
    """The text in printable ASCII, 512 characters at most: what a target or a source calls a file may be anything."""
    return text.encode("unicode_escape", "backslashreplace").decode("ascii")[:512]


def _as_text(value: object) -> str:
    """A field's value as it stands in a sentence."""
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _as_json(value: object) -> JSON:
    """A field's value as it stands in a problem document. An enum stands there by its name, in kebab-case."""
    if isinstance(value, Enum):
        return value.name.lower().replace("_", "-")
    if isinstance(value, tuple | list):
        return [_as_json(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return cast("JSON", dataclasses.asdict(value))
    return cast("JSON", value)
