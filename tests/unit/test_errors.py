"""Every class of the tree of errors, held to what a client may rely on."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import Any

import pytest

from plugport.core.api import problems
from plugport.hookspecs import errors

SECRET = "hunter2 in /srv/private"
ARGUMENTS = {
    errors.ActivationImpossible: (".codex/config.toml", errors.ActivationFault.UNPARSABLE, 3),
    errors.InvalidRequest: (errors.FieldProblem("body.source", "must be a string"),),
    errors.MethodNotAllowed: (["GET", "POST"],),
    errors.InvalidSource: (errors.SourceFault.BAD_REF, SECRET),
    errors.NameMismatch: ("greeter", "greeting"),
    errors.NameTaken: ("github://acme/skills", "github://other/skills"),
    errors.NotManaged: ("plugins/cache",),
    errors.PlaceBlocked: ("plugins/.plugport/kept",),
    errors.UnknownScheme: (["local", "github"],),
    errors.RequestTooLarge: (65536,),
    errors.BundleTooLarge: (10_000, "files"),
    errors.RateLimited: (30,),
    errors.RangeNotSatisfiable: (10,),
    errors.DigestMismatch: ("digest", "sha256:aa", "sha256:bb"),
    errors.ManifestInvalid: ("version", "must be a string"),
    errors.UnsafeBundle: ("a/b", errors.BundleFault.BOMB),
    errors.PushNotSupported: (errors.PullHint("GET", "/workspaces/w", "plugport pull"),),
}
"""The arguments of the constructors that do not take a `reason` first."""


def subclasses(kind: type[errors.PlugportError]) -> set[type[errors.PlugportError]]:
    direct = {each for each in kind.__subclasses__() if each.__module__.startswith("plugport.hookspecs.errors.")}
    return direct.union(*map(subclasses, direct))


TREE = sorted(subclasses(errors.PlugportError), key=lambda kind: kind.__name__)


def make(kind: type[errors.PlugportError]) -> errors.PlugportError:
    arguments: Any = ARGUMENTS.get(kind, (SECRET,))
    return kind(*arguments)


def test_the_tree_is_what_is_exported_and_no_slug_is_used_twice():
    assert {kind.__name__ for kind in TREE} <= set(errors.__all__)
    assert len({kind.slug for kind in TREE}) == len(TREE) >= 34


@pytest.mark.parametrize("kind", TREE)
def test_a_class_declares_what_a_client_may_rely_on(kind):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert 400 <= kind.status <= 599
    assert kind.title == kind.title.strip() != ""
    assert re.match(r"Raised (when|by|in place) ", kind.__doc__)


@pytest.mark.parametrize("kind", TREE)
def test_an_error_renders_from_its_fields_alone(kind):
    error = make(kind)
    document = problems.document(error, "request-1", "/path")
    assert str(document["type"]).endswith(f":{kind.slug}")
    assert (document["status"], document["title"]) == (kind.status, kind.title)
    assert re.fullmatch(r"\S.*\S", error.detail)
    assert not re.search(r"\{(?!id\})|\}(?<!\{id\})", error.detail), "a field was left in the template"
    assert set(error.members) <= set(kind.member_names())
    assert SECRET not in json.dumps(document)


@pytest.mark.parametrize("kind", TREE)
def test_an_error_survives_a_copy_and_a_pickle(kind):
    error = make(kind)
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is kind
        assert (twin.detail, twin.members, str(twin)) == (error.detail, error.members, str(error))


@pytest.mark.parametrize("kind", [kind for kind in TREE if kind not in ARGUMENTS])
def test_the_reason_is_for_the_log_and_may_be_left_out(kind):
    assert str(kind(SECRET)) == kind(SECRET).reason == SECRET
    assert kind().reason == ""
    assert kind().detail == kind(SECRET).detail


def test_the_constructors_that_providers_call_go_on_working():
    assert errors.BundleTooLarge(5).members == {"limit": 5, "unit": "bytes"}
    assert errors.BundleTooLarge(limit=5, unit="files").members == {"limit": 5, "unit": "files"}
    assert errors.BundleTooLarge(5, SECRET).unit == "bytes"
    assert errors.PluginNotFound("r", scheme="s3").detail == "failed to fetch plugin from s3"
    assert errors.PluginNotFound().detail == "No plugin of this name is installed in the workspace."
    assert errors.SourceUnavailable("r").detail == "failed to fetch plugin from its source"
    assert errors.SourceTimeout("r", scheme="s3").detail == "failed to fetch plugin from s3"
    assert errors.PushNotSupported().members == {}
    assert errors.RateLimited(0).retry_after == 1
    assert errors.UnknownScheme([]).detail == "No source has this scheme. Available: none."
    assert errors.InvalidRequest().detail == "The request is not valid."
    assert errors.InvalidSource(errors.SourceFault.BAD_HOST).members == {"fault": "bad-spec"}


def test_a_path_is_escaped_and_cut_and_a_fault_is_one_of_the_closed_list():
    error = errors.UnsafeBundle("a\n\x1b" + "x" * 600, errors.BundleFault.NAME)
    assert error.path.startswith("a\\n\\x1b")
    assert len(error.path) == 512
    assert error.members["fault"] == "name"
    with pytest.raises(ValueError, match="is not a valid"):
        errors.InvalidSource(SECRET)  # type: ignore[arg-type]
