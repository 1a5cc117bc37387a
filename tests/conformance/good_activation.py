"""A backend of hook API 4 in plain Python: it activates what it delivers, and asks the agent."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import replace

from good_target import KeepingBackend

from plugport.hookspecs import Answer, PathKind, Receipt, hookimpl


class ActivatingBackend(KeepingBackend):
    """A `KeepingBackend` whose `deliver` takes an activation."""

    @hookimpl
    async def deliver(self, workspace, bundle, activation):
        receipt = await super().deliver(workspace, bundle)
        return self.activate(self.root(workspace), bundle.name, activation, receipt) if activation else receipt

    @hookimpl
    def uninstall(self, workspace, removal):
        undone = Receipt(None)
        if removal.changes:
            undone = self.activate(self.root(workspace), removal.name, removal.changes, undone)
        receipt = super().uninstall(workspace, removal)
        return replace(receipt, kept=(*undone.kept, *receipt.kept), refused=undone.refused)

    @hookimpl
    def ask(self, workspace, question):
        if shutil.which(question.command[0]) is None:
            return Answer(127, b"")
        done = subprocess.run(
            question.command,
            cwd=self.root(workspace),
            env=os.environ | dict(question.environment),
            capture_output=True,
            check=False,
        )
        return Answer(done.returncode, self.bounded(done.stdout, question.max_output), done.stderr)

    def bounded(self, output, limit):
        return output[:limit]

    def activate(self, root, name, changes, receipt):
        refused = self.refused(root, changes)
        if refused:
            return replace(receipt, refused=tuple(refused))
        kept = [kept for copy in changes.copies for kept in self.copy(root, name, copy)]
        for write in changes.writes:
            self.write(root / write.path, write)
        for link in changes.links:
            self.make_link(root / link.path, link)
        self.remove_folders(root, changes)
        return replace(receipt, kept=(*kept, *receipt.kept))

    def remove_folders(self, root, changes):
        for folder in changes.folders:
            if (root / folder).is_dir() and not os.listdir(root / folder):
                (root / folder).rmdir()

    def refused(self, root, changes):
        refused = [copy.path for copy in changes.copies if self.kind(root, copy.path) is PathKind.LINK]
        refused += [write.path for write in changes.writes if not self.is_expected(root, write)]
        for link in changes.links:
            place = root / link.path
            behind = self.kind(root, link.path) is PathKind.LINK and not place.is_symlink()
            there = os.readlink(place) if place.is_symlink() else None
            if behind or (os.path.lexists(place) and there not in {link.text, link.expected}):
                refused.append(link.path)
        return refused

    def is_expected(self, root, write):
        if self.kind(root, write.path) is PathKind.LINK:
            return False
        path = root / write.path
        if not path.exists():
            return write.expected is None or write.content is None
        content = path.read_bytes()
        return content == write.content or f"sha256:{hashlib.sha256(content).hexdigest()}" == write.expected

    def copy(self, root, name, copy):
        place, kept = root / copy.path, ()
        if place.exists():
            aside = place.with_name(".aside")
            place.rename(aside)
            kept, _, _ = self.set_aside(root, aside, name)
        if copy.present:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(root / "plugins" / name, place)
        return kept

    def write(self, path, write):
        if write.content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write.content)
        if write.executable:
            path.chmod(0o755)

    def make_link(self, place, link):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        if link.text is not None:
            place.symlink_to(link.text)

    def state(self, root, path, query):
        state = super().state(root, path, query)
        if (root / path).is_symlink():
            return replace(state, link=os.readlink(root / path))
        return state
