"""Errors of the plugin: its name, its manifest, its tree, its digest, and that it is not there."""

from __future__ import annotations

from enum import StrEnum

from .base import PlugportError, declared, error_field, escaped


class InvalidPluginName(PlugportError):
    """Raised when a plugin's name, from a path, a source or a manifest, is not a plain name."""

    slug, status, title = "invalid-plugin-name", 400, "Invalid plugin name"
    detail_template = (
        "A plugin's name has 1 to 128 letters, digits, dots, dashes and underscores, "
        "and starts with a letter or a digit."
    )


@declared
class NameMismatch(PlugportError):
    """Raised when the name that was asked for, the source's and the manifest's do not agree."""

    slug, status, title = "name-mismatch", 400, "Names disagree"
    detail_template = "The plugin was expected to be called {expected}, but it calls itself {found}."
    expected: str
    found: str


@declared
class PluginNotFound(PlugportError):
    """Raised by a source that does not have the plugin, and by the service when it is not installed.

    The core fills `scheme` in if a fetch failed so.
    """

    slug, status, title = "plugin-not-found", 404, "Plugin not found"
    detail_template = "No plugin of this name is installed in the workspace."
    reason: str = ""
    scheme: str | None = error_field(default=None, member=None, kw_only=True)

    @property
    def detail(self) -> str:
        """Where the plugin is missing: at its source, or in the workspace."""
        return super().detail if self.scheme is None else f"failed to fetch plugin from {self.scheme}"


@declared
class BundleTooLarge(PlugportError):
    """Raised when a fetched tree has more bytes (or, with `unit="files"`, more files) than the limit."""

    slug, status, title = "bundle-too-large", 413, "Plugin too large"
    detail_template = "The plugin has more than {limit} {unit}."
    limit: int = error_field(clean=int)
    unit: str = error_field(default="bytes", clean=lambda name: "files" if name == "files" else "bytes")


@declared
class DigestMismatch(PlugportError):
    """Raised when what was fetched does not have the digest that the request pins."""

    slug, status, title = "digest-mismatch", 422, "Digest mismatch"
    detail_template = "{field}: {expected} was pinned, but what was fetched has {actual}."
    field: str
    expected: str
    actual: str


@declared
class ManifestInvalid(PlugportError):
    """Raised when `plugin.yaml` cannot be used; `field` is the key at fault, or `plugin.yaml` as a whole."""

    slug, status, title = "manifest-invalid", 422, "Manifest not valid"
    detail_template = "{field}: {what}"
    field: str
    what: str = error_field(member=None)


class BundleFault(StrEnum):
    """Why a tree is refused, as a closed list."""

    LINK_OUTSIDE = "a link leaves the plugin"
    LINK_BROKEN = "a link leads nowhere"
    HARD_LINK = "a hard link to a file outside the plugin"
    SPECIAL = "a device, a pipe or a socket"
    SETUID = "a setuid, setgid or sticky bit"
    NAME = "a name with a control character, a backslash, or bytes that are not UTF-8, or one that is too long"
    CASE = "two names that differ by case alone"
    BOMB = "it expands to far more than it holds"
    EMPTY = "there is no file in it"
    CHANGED = "it changed while it was read"


@declared
class UnsafeBundle(PlugportError):
    """Raised when a fetched tree must not be delivered; `path` is where, below the plugin's root, escaped."""

    slug, status, title = "unsafe-bundle", 422, "Unsafe plugin"
    detail_template = "{path}: {fault}"
    path: str = error_field(clean=escaped)
    fault: BundleFault = error_field(clean=BundleFault)
