"""`--lsp`: a language server on standard input and output, which shows findings in an editor and offers fixes.

A document is linted as it stands in the editor, with the other open documents in place of the files on the disk. The
findings of the other files come from the cache, which a run of the command in a process of its own fills first.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from ..engine.configuration import load
from ..engine.contract import Finding, Fix
from ..engine.errors import UsageError
from ..engine.installed_rules import load_rules
from ..engine.lint import Report, Request, lint
from ..reporters.protocol import FIX_ALL, Translator, overlap

PAUSE = 0.3
"""Seconds without a change after which a document is linted."""


@dataclass(frozen=True, slots=True)
class _Linted:
    """The findings in one version of a document."""

    version: int | None
    translator: Translator
    findings: tuple[Finding, ...]


class GateServer(LanguageServer):
    """The server. One run at a time; of several changes the last counts."""

    def __init__(self, request: Request) -> None:
        super().__init__("plugport-lint", version("plugport"), types.TextDocumentSyncKind.Incremental)
        self._request = request
        self._installed = load_rules()
        self._linted: dict[str, _Linted] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._one_run = asyncio.Lock()
        self._warm: set[Path] = set()
        self._said: set[str] = set()

    def changed(self, uri: str, pause: float = PAUSE) -> None:
        """Lint a document soon."""
        if (task := self._waiting.pop(uri, None)) is not None:
            task.cancel()
        self._waiting[uri] = asyncio.get_running_loop().create_task(self._lint_soon(uri, pause))

    def saved(self, uri: str) -> None:
        """Fill the cache anew, and lint every open document, since what was saved may concern it."""
        self._warm.clear()
        for other in [uri, *(open_uri for open_uri in self.workspace.text_documents if open_uri != uri)]:
            self.changed(other, 0)

    def closed(self, uri: str) -> None:
        """Forget a document, and show nothing for it any more."""
        if (task := self._waiting.pop(uri, None)) is not None:
            task.cancel()
        self._linted.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def actions(self, uri: str, place: types.Range, only: list[str] | None) -> list[types.CodeAction]:
        """Return the fixes for the findings at a place, and all safe ones together. None for an outdated version."""
        linted = self._linted.get(uri)
        if linted is None or linted.version != self.workspace.get_text_document(uri).version:
            return []
        translator = linted.translator
        actions = [
            translator.quick_fix(finding, finding.fix)
            for finding in linted.findings
            if finding.fix is not None and overlap(translator.range(finding.span), place)
        ]
        safe: list[Fix] = [item.fix for item in linted.findings if item.fix is not None and item.fix.is_safe]
        actions += [translator.fix_all(safe)] if safe else []
        kinds = tuple(only) if only else ("",)
        return [action for action in actions if _kind(action).startswith(kinds)]

    async def _lint_soon(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        path = to_fs_path(uri)
        if path is None or not path.endswith(".py"):
            return
        async with self._one_run:
            document = self.workspace.get_text_document(uri)
            number, text = document.version, document.source
            request = self._request_for(Path(path), text)
            try:
                await self._fill_cache(request)
                report = await asyncio.to_thread(lint, request, self._installed)
            except UsageError as error:
                self._say(str(error))
                return
            if self.workspace.get_text_document(uri).version == number:
                self._show(uri, number, text, report)

    def _request_for(self, path: Path, text: str) -> Request:
        overlay = {
            other: document.source.encode()
            for uri, document in self.workspace.text_documents.items()
            if (other := to_fs_path(uri)) is not None and other.endswith(".py")
        }
        return replace(self._request, stdin=(path, text.encode()), overlay=overlay, working_directory=path.parent)

    async def _fill_cache(self, request: Request) -> None:
        """Lint the project once by the command, which uses all cores and writes the cache. It may find what it likes;
        what goes wrong in it goes wrong in the run that follows, too."""
        root = load(request.config, request.working_directory).root
        if root in self._warm or not request.cache:
            return
        config = ["--config", str(request.config)] if request.config is not None else []
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "plugport.lint_rules", "lint", "--format", "json", *config),
            cwd=root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ,
        )
        try:
            await process.wait()
        except asyncio.CancelledError:
            process.kill()
            raise
        self._warm.add(root)

    def _show(self, uri: str, number: int | None, text: str, report: Report) -> None:
        translator = Translator(uri, text, report.configuration.root, self.workspace.position_codec)
        self._linted[uri] = _Linted(number, translator, report.findings)
        diagnostics = [translator.diagnostic(finding) for finding in report.findings]
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics, number))
        for failure in report.failures:
            self._say(failure.message)

    def _say(self, message: str) -> None:
        """Show a message once."""
        if message not in self._said:
            self._said.add(message)
            shown = types.ShowMessageParams(types.MessageType.Error, f"plugport lint: {message}")
            self.window_show_message(shown)


def _kind(action: types.CodeAction) -> str:
    return action.kind.value if isinstance(action.kind, types.CodeActionKind) else str(action.kind)


def make_server(request: Request) -> GateServer:
    """Return the server with its features; `request` has the options `config`, `select` and `cache`."""
    server = GateServer(request)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.saved(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    kinds = [types.CodeActionKind.QuickFix, FIX_ALL]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        only = [kind.value if isinstance(kind, types.CodeActionKind) else kind for kind in params.context.only or ()]
        return server.actions(params.text_document.uri, params.range, only)

    return server
