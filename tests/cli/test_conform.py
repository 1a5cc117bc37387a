"""`plugport conform`: what it runs, says, keeps and shows."""

from __future__ import annotations

import json

import pytest
from support.third_party import command, lay

from plugport.hookspecs import HOOK_API_VERSION

SOURCE = """
import contextlib, tempfile
from pathlib import Path
from plugport.hookspecs import Resolved, Source, errors, hookimpl

schemes = ("tiny",)
settings = {}

@hookimpl
def startup(context):
    settings.update(context.settings)

@hookimpl
def resolve_source(source, destination):
    if source.spec != "p":
        raise errors.PluginNotFound("not here")
    (destination / "plugin.yaml").write_text(settings["text"])
    return Resolved("p")

@contextlib.contextmanager
def target():
    from plugport.hookspecs.conformance import SourceUnderTest
    files, absent = {"plugin.yaml": b"name: p\\n"}, Source("tiny", "q")
    yield SourceUnderTest(None, Source("tiny", "p"), files, name="p", absent=absent)

entered = []

@contextlib.contextmanager
def shy():
    entered.append(1)
    if len(entered) > 1:
        import pytest
        pytest.skip("not today")
    with target() as under_test:
        yield under_test

def no_context():
    return 1

@contextlib.contextmanager
def nothing_known():
    yield 1

@contextlib.contextmanager
def that_raises():
    raise RuntimeError("the registry is down")
"""


def test_a_provider_is_tried_with_its_settings_and_the_report_is_kept_and_shown(tmp_path):
    lay(tmp_path, "tiny", SOURCE)
    completed = command(
        tmp_path, "conform", "tiny", "--target", "tiny:target", "--json", PLUGPORT_TINY_TEXT="name: p\n"
    )
    report = json.loads(completed.stdout)
    assert (report["provider"], report["distribution"], report["version"]) == ("tiny", "tiny", "1.5")
    assert (report["kit_version"], report["hook_api_version"]) == (4, HOOK_API_VERSION)
    outcomes = {result["promise"]: result for result in report["promises"]}
    assert outcomes["what_is_fetched_is_the_plugin_byte_for_byte"]["outcome"] == "passed"
    assert outcomes["more_than_the_service_takes_is_refused"]["outcome"] == "failed"
    assert "bytes were allowed" in outcomes["more_than_the_service_takes_is_refused"]["reason"]
    assert outcomes["a_malformed_spec_is_refused"]["reason"] == "undeclared: a malformed spec"
    assert (report["failed"], completed.returncode) == (1, 1)
    assert report["passed"] + report["failed"] + report["skipped"] == len(report["promises"])
    shown = command(tmp_path, "providers", "tiny", "--json")
    (provider,) = json.loads(shown.stdout)
    assert provider["conformance"] == {key: value for key, value in report.items() if key != "promises"}
    summary = f"{report['passed']}/{report['passed'] + 1} kit 4"
    assert command(tmp_path, "providers").stdout.split("tiny://")[1].splitlines()[0].endswith(summary)
    for_people = command(tmp_path, "conform", "tiny", "--target", "tiny:target", PLUGPORT_TINY_TEXT="name: p\n")
    assert "BROKEN  more_than_the_service_takes_is_refused\n" in for_people.stdout
    assert for_people.stdout.splitlines()[-1].startswith("tiny (tiny 1.5): ")


def test_a_report_of_another_version_is_shown_as_such(tmp_path):
    command(tmp_path, "conform", "external")
    kept = tmp_path / "data/conformance/external.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"version": "0.0.9"}))
    assert "kit 4, of 0.0.9" in command(tmp_path, "providers").stdout
    kept.write_text("{")
    assert command(tmp_path, "providers").returncode == 0


@pytest.mark.parametrize("provider", ["host", "external", "local"])
def test_a_built_in_provider_keeps_what_it_declares(tmp_path, provider):
    completed = command(tmp_path, "conform", provider)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert " 0 broken" in completed.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "there is no such provider: see `plugport providers`"),
        (["github"], '[project.entry-points."plugport.conformance"]'),
        (["tiny", "--target", "tiny:absent"], "it raised AttributeError"),
        (["tiny", "--target", "not_there:target"], "it raised ModuleNotFoundError"),
        (["tiny", "--target", "tiny:no_context"], "it raised TypeError"),
        (["tiny", "--target", "tiny:nothing_known"], "it gave int; the kit knows BackendUnderTest, SourceUnderTest"),
        (["tiny", "--target", "tiny:that_raises"], "it raised RuntimeError: the registry is down"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_a_reason(tmp_path, arguments, message):
    lay(tmp_path, "tiny", SOURCE)
    completed = command(tmp_path, "conform", *arguments)
    assert completed.returncode == 2
    assert message in completed.stderr
    assert "Traceback" not in completed.stderr


def test_one_that_failed_cannot_be_tried(tmp_path):
    lay(tmp_path, "broken", "raise ValueError('at import')\n")
    completed = command(tmp_path, "conform", "broken", "--target", "x:y")
    assert completed.returncode == 2
    assert "ValueError: at import" in completed.stderr


def test_a_skip_that_is_not_for_being_undeclared_is_a_broken_promise(tmp_path):
    lay(tmp_path, "tiny", SOURCE)
    completed = command(tmp_path, "conform", "tiny", "--target", "tiny:shy", "--json", PLUGPORT_TINY_TEXT="name: p\n")
    report = json.loads(completed.stdout)
    assert report["passed"] == report["skipped"] == 0
    assert {result["reason"] for result in report["promises"]} == {"skipped, and not for being undeclared: not today"}
