"""A backend of hook API 3 in plain Python: it looks first, and sets aside what people edited."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from dataclasses import replace

from good import GoodBackend, digest_of

from plugport.hookspecs import (
    Edited,
    PathKind,
    PathState,
    Receipt,
    StartupContext,
    TargetQuery,
    TargetState,
    Workspace,
    errors,
    hookimpl,
)

OWN = "plugins/.plugport"


class KeepingBackend(GoodBackend):
    """A `GoodBackend` that implements `inspect_target`, and what comes with it."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict = {}

    @hookimpl
    def startup(self, context: StartupContext) -> None:
        super().startup(context)
        self.most_files = context.service.kept_files

    @hookimpl
    def inspect_target(self, workspace: Workspace, query: TargetQuery) -> TargetState:
        self.require(workspace)
        root = self.root(workspace)
        paths = {path: self.state(root, path, query) for path in (*query.paths, *query.contents, *query.trees)}
        return TargetState(str(root), None, paths)

    def state(self, root, path, query):
        kind = self.kind(root, path)
        if kind is PathKind.FILE:
            content = (root / path).read_bytes()
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            return PathState(kind, None, digest, content if path in query.contents else None)
        if kind is PathKind.DIRECTORY and path in query.trees:
            return PathState(kind, None, digest_of(root / path), files=self.files_of(root / path))
        return PathState(kind)

    def kind(self, root, path):
        for part in [*reversed((root / path).relative_to(root).parents)][1:]:
            if (root / part).is_symlink():
                return PathKind.LINK
        target = root / path
        if target.is_symlink():
            return PathKind.LINK
        if target.is_file():
            return PathKind.FILE
        return PathKind.DIRECTORY if target.is_dir() else PathKind.ABSENT

    def files_of(self, folder):
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def install(self, root, bundle, stop):
        receipt = super().install(root, bundle, stop)
        kept, files, dropped = self.kept.pop(root / "plugins" / bundle.name, ((), (), ()))
        return replace(receipt, kept=kept, kept_files=files, dropped=dropped)

    def swap(self, staging, place, stop):
        root, lines = place.parent.parent, self.lines_of(staging)
        with self.lock:
            if stop.is_set():
                raise errors.DeliveryFailed("cancelled")
            self.write_mark(root, place.name, [*lines, *self.mark(root, place.name)])
            aside = place.with_name(f".old-{uuid.uuid4().hex}")
            if place.is_symlink() or place.exists():
                place.rename(aside)
            staging.rename(place)
            self.kept[place] = self.set_aside(root, aside, place.name)
            self.write_mark(root, place.name, lines)

    def lines_of(self, tree):
        digest = digest_of(tree).removeprefix("sha256:")
        lines = [f"{sha256}  ./{path}" for path, sha256 in self.files_of(tree).items()]
        return [f"digest {digest}", *sorted(lines, key=lambda line: os.fsencode(line[66:]))]

    def mark(self, root, name):
        mark = root / OWN / "managed" / name
        return mark.read_text().splitlines()[1:] if mark.is_file() else []

    def write_mark(self, root, name, lines):
        mark = root / OWN / "managed" / name
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text("\n".join(["plugport 1", *lines, ""]))

    def set_aside(self, root, aside, name):
        if aside.is_symlink() or aside.is_file():
            aside.unlink()
        if not aside.exists():
            return (), (), ()
        delivered = self.mark(root, name)
        for path, sha256 in self.files_of(aside).items():
            if f"{sha256}  ./{path}" in delivered:
                (aside / path).unlink()
        self.delete_empty(aside)
        if not aside.exists():
            return (), (), ()
        place = root / OWN / "kept" / name / digest_of(aside).removeprefix("sha256:")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        aside.rename(place)
        files = tuple(f"plugins/{name}/{path}" for path in self.files_of(place))
        return (place.relative_to(root).as_posix(),), files, self.bound(root, place)

    def delete_empty(self, tree):
        for folder, _, _ in os.walk(tree, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def bound(self, root, newest):
        dropped, count = [], len(self.files_of(newest))
        trees = [tree for tree in (root / OWN / "kept").glob("*/*") if tree != newest]
        for tree in sorted(trees, key=lambda tree: tree.stat().st_mtime_ns, reverse=True):
            count += len(self.files_of(tree))
            if count > self.most_files:
                shutil.rmtree(tree)
                dropped.append(tree.relative_to(root).as_posix())
        return tuple(dropped)

    @hookimpl
    def uninstall(self, workspace, removal):
        self.require(workspace)
        root = self.root(workspace)
        if removal.restore is not None:
            return self.restore(root, removal)
        left, needed = self.edit(root, removal)
        accepted = {
            path: digests
            for path, digests in removal.files.items()
            if path not in needed and self.kind(root, path) is not PathKind.LINK
        }
        stays = [
            path for path in removal.files if path not in accepted and self.kind(root, path) is not PathKind.ABSENT
        ]
        aside, place = root / "plugins" / f".old-{uuid.uuid4().hex}", root / "plugins" / removal.name
        kept = ((), (), ())
        if place.exists() and not removal.keeps_plugin:
            place.rename(aside)
            kept = self.set_aside(root, aside, removal.name)
            (root / OWN / "managed" / removal.name).unlink(missing_ok=True)
        on_text = {"memory_files": (), "settings_file": ".none"} if removal.edits else {}
        left += self.remove(root, replace(removal, files=accepted, **on_text))
        return Receipt(None, (*stays, *left), *kept)

    def edit(self, root, removal):
        left, needed = [], set()
        for path, edit in removal.edits.items():
            kind = self.kind(root, path)
            if kind is PathKind.LINK:
                left += self.name_link(path)
            if kind is not PathKind.FILE:
                continue
            content = (root / path).read_bytes()
            edited = self.edited(edit, content, root)
            left += [f"{path}: {what}" for what in edited.left]
            needed |= set(edited.needed)
            if edited.content is None:
                (root / path).unlink()
            elif edited.content != content:
                (root / path).write_bytes(edited.content)
        return left, needed

    def edited(self, edit, content, root) -> Edited:
        return edit(content, str(root))

    def name_link(self, path):
        return [f"{path}: it is a link"]

    def restore(self, root, removal):
        kept, place = root / OWN / "kept" / removal.name / removal.restore, root / "plugins" / removal.name
        if not kept.is_dir():
            raise errors.PluginNotFound("it is not kept")
        for path in self.files_of(kept):
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (kept / path).rename(place / path)
        shutil.rmtree(kept)
        return Receipt(None)
