"""What an install replaces: an attempt after a crash still knows it, though the new version is recorded already."""

from __future__ import annotations

import dataclasses

from plugport.core.operations.model import InstallRequest, Operation
from plugport.core.pipeline.version_before import VersionBefore
from plugport.core.store.installed import InstalledRecord
from plugport.hookspecs.values import Source


def record(digest: str, **activation: object) -> InstalledRecord:
    return InstalledRecord(
        workspace="w1",
        name="demo",
        source="local://demo",
        origin=None,
        digest=digest,
        revision=None,
        version=None,
        manifest={},
        footprints=(),
        verified=True,
        supported=True,
        adapters=(),
        installed_at=0.0,
        activation=activation or None,  # type: ignore[arg-type]
        layout="codex",
    )


def operation(prepared: object = None) -> Operation:
    fields = dict.fromkeys((field.name for field in dataclasses.fields(Operation)), None)
    fields |= {"request": InstallRequest(Source.parse("demo")), "prepared": prepared}  # type: ignore[dict-item]
    return Operation(**fields)  # type: ignore[arg-type]


def test_it_is_what_is_recorded_with_the_digest_of_the_source_and_the_grants():
    before = VersionBefore.of(record("sha256:laid-out", source_digest="sha256:tree", grants=["hooks"]), operation())
    assert before == VersionBefore("demo", "local://demo", "sha256:tree", "codex", ("hooks",))
    request = before.request
    assert (request.digest, request.grants, request.ask, request.restart) == ("sha256:tree", ("hooks",), False, False)
    assert VersionBefore.of(None, operation()) is None


def test_a_later_attempt_takes_what_the_first_one_saw():
    before = VersionBefore.of(record("sha256:old"), operation())
    prepared = {"footprint": {}, "before": before.to_json()}
    assert VersionBefore.of(record("sha256:new"), operation(prepared)) == before
    assert VersionBefore.of(record("sha256:new"), operation({"before": None})) is None
    assert VersionBefore.of(record("sha256:new"), operation({"footprint": {}})).digest == "sha256:new"
