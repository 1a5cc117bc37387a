"""Providers are found, described and registered, or refused with what their authors must change."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import warnings

import pluggy
import pytest
from support.third_party import install_third_party, lay

from plugport.core.dispatcher import Dispatcher
from plugport.hookspecs import HOOK_API_VERSION, Event, Source, hookimpl
from plugport.hookspecs.providers import (
    ProviderInvalid,
    ProviderManager,
    ProviderStatus,
    discover,
    inspect_provider,
)


def _made(**members):
    return type("Made", (), members)()


@pytest.mark.parametrize(
    ("provider", "word"),
    [
        (_made(), "no hook"),
        (_made(is_runing=hookimpl(lambda self, workspace: None)), "unknown hook is_runing"),
        (_made(observe=hookimpl(lambda self, evnt: None)), "unknown argument evnt"),
        (_made(observe=hookimpl(lambda self, *events: None)), "name the arguments"),
        (_made(observe=hookimpl(lambda self: (yield), wrapper=True)), "wrapper"),
        (_made(source_revision=hookimpl(lambda self, source: None)), "source_revision, but declares no `schemes`"),
        (_made(backend=5, observe=hookimpl(lambda self, event: None)), "`backend` must be a name"),
        (_made(resolve_source=hookimpl(lambda self, source, destination: None)), "no `schemes`"),
        (_made(schemes="x", resolve_source=hookimpl(lambda self, source, destination: None)), "tuple of names"),
        (_made(schemes=("x",), observe=hookimpl(lambda self, event: None)), "not implement resolve_source"),
        (_made(backend="x", is_running=hookimpl(lambda self, workspace: None)), "is_running and deliver"),
        (_made(deliver=hookimpl(lambda self, workspace, bundle: None)), "declares no `backend`"),
        (
            _made(hook_api_version=HOOK_API_VERSION + 1, observe=hookimpl(lambda self, event: None)),
            "hook API version",
        ),
    ],
)
def test_an_object_that_cannot_be_a_provider_is_told_why(provider, word):
    with pytest.raises(ProviderInvalid) as caught:
        inspect_provider(provider, "made")
    assert word in str(caught.value)


def test_an_implementation_may_take_fewer_arguments_and_new_ones_with_defaults():
    provider = _made(deliver=hookimpl(lambda self, bundle, later=None: None), backend="x", is_running=None)
    provider.__class__.is_running = hookimpl(lambda self: None)
    hooks = inspect_provider(provider, "made").hooks
    assert (hooks["deliver"].arguments, hooks["is_running"].arguments) == (("bundle",), ())


def _discovered(**options):
    return {provider.name: provider for provider in discover(**options)}


def test_what_is_blocked_is_not_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(install_third_party(tmp_path)))
    sys.modules.pop("guest", None)
    blocked = _discovered(blocked=["guest"])["guest"]
    assert (blocked.status, blocked.distribution) == (ProviderStatus.BLOCKED, "guest")
    assert "guest" not in sys.modules
    allowed = _discovered(allowed=["guest"])
    assert allowed["guest"].status is ProviderStatus.LOADED
    assert allowed["local"].status is ProviderStatus.BLOCKED


def test_a_provider_that_raises_at_import_is_listed_with_its_reason(tmp_path, monkeypatch):
    site = install_third_party(tmp_path)
    (site / "guest.py").write_text("raise SystemExit('at import')\n")
    monkeypatch.syspath_prepend(str(site))
    sys.modules.pop("guest", None)
    providers = _discovered()
    assert providers["guest"].status is ProviderStatus.FAILED
    assert "SystemExit: at import" in providers["guest"].reason
    assert providers["local"].status is ProviderStatus.LOADED


def test_a_second_distribution_of_a_name_fails_and_a_second_path_to_the_same_one_does_not_count(
    tmp_path, monkeypatch
):
    module = "from plugport.hookspecs import hookimpl\n@hookimpl\ndef observe(event): ...\n"
    for distribution in ("team-a", "team-b"):
        lay(tmp_path, distribution, module, name="webhook")
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "link"))
    assert [(provider.label, provider.reason) for provider in discover() if provider.name == "webhook"] == [
        ("webhook (team-a 1.5)", None),
        (
            "webhook (team-b 1.5)",
            "the name 'webhook' is taken by team-a team_a: rename the entry point or remove one",
        ),
    ]


def test_the_extra_that_brings_a_missing_module_is_named(tmp_path, monkeypatch):
    lay(tmp_path, "needy", "import not_here.at_all\n")
    with (tmp_path / "needy-1.5.dist-info/METADATA").open("a") as metadata:
        metadata.write('Provides-Extra: more\nRequires-Dist: Not_Here>=2; extra == "more"\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert (
        _discovered(allowed=["needy"])["needy"].reason == "importing needy needs not_here: pip install 'needy[more]'"
    )


def test_a_refusal_names_the_provider_and_its_distribution():
    with pytest.raises(ProviderInvalid) as caught:
        inspect_provider(_made(observe=hookimpl(lambda self, evnt: None)), "made", "acme", "7")
    assert str(caught.value) == "made (acme 7): observe takes the unknown argument evnt; it has: event"
    assert caught.value.reason == "observe takes the unknown argument evnt; it has: event"
    assert isinstance(caught.value.__cause__, pluggy.PluginValidationError)


def test_what_pluggy_alone_refuses_names_the_distribution_too():
    def observe(self, color): ...

    observe.__signature__ = importlib.import_module("inspect").signature(lambda self, event: None)  # type: ignore[attr-defined]
    with pytest.raises(ProviderInvalid, match=r"^made \(acme 7\): .*[\s\S]*can not be found in the hookspec"):
        inspect_provider(_made(observe=hookimpl(observe)), "made", "acme", "7")


def test_an_unknown_hook_that_is_optional_is_accepted_and_ignored():
    class FromTheFuture:
        @hookimpl(optionalhook=True)
        def rewind(self, whatever):
            raise AssertionError("nobody calls it")

    assert dict(inspect_provider(FromTheFuture(), "future").hooks) == {}
    both = type("Both", (FromTheFuture,), {"observe": hookimpl(lambda self, event: None)})
    provider = inspect_provider(both(), "both")
    assert list(provider.hooks) == ["observe"]
    assert [known.name for known in ProviderManager([provider]).implementers("observe")] == ["both"]


def test_a_class_is_told_that_an_instance_is_needed():
    class Observer:
        @hookimpl
        def observe(self, event): ...

    with pytest.raises(ProviderInvalid, match="must be an instance of the class"):
        inspect_provider(Observer, "class")


def test_a_property_that_raises_is_not_read():
    class Shy:
        @property
        def token(self):
            raise RuntimeError("not yet")

        def __getattr__(self, name):
            if name in {"schemes", "backend", "hook_api_version"}:
                raise AttributeError(name)
            raise RuntimeError(name)

        @hookimpl
        def observe(self, event): ...

    assert list(inspect_provider(Shy(), "shy").hooks) == ["observe"]


def test_an_attribute_that_raises_fails_the_provider_alone(tmp_path, monkeypatch):
    lay(
        tmp_path,
        "moody",
        "from plugport.hookspecs import hookimpl\nclass Moody:\n    @property\n    def schemes(self):\n"
        "        raise SystemExit('not today')\n    @hookimpl\n    def observe(self, event): ...\n"
        "import sys\nsys.modules[__name__] = Moody()\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    providers = _discovered()
    assert providers["moody"].status is ProviderStatus.FAILED
    assert "SystemExit: not today" in providers["moody"].reason
    assert providers["local"].status is ProviderStatus.LOADED


async def test_arguments_are_passed_by_name_whatever_their_kind():
    class Observer:
        @hookimpl
        def observe(self, *, event):
            return event.kind

        @hookimpl
        def source_revision(self, later=None, source=None):
            return (later, source.spec)

        schemes = ("x",)

        @hookimpl
        def resolve_source(self, destination, source): ...

    observer = Observer()
    manager = ProviderManager([inspect_provider(observer, "observer")])
    assert manager.only(observer, "observe")(event=Event("k", "w")) == ["k"]
    assert manager.only(observer, "source_revision")(source=Source("x", "s")) == (None, "s")


async def test_providers_that_are_equal_or_the_same_are_told_apart():
    @dataclasses.dataclass
    class Observer:
        heard: list

        @hookimpl
        def observe(self, event):
            self.heard.append(event.kind)

    first, second = Observer([]), Observer([])
    assert first == second
    names = {"a": first, "b": second, "c": first}
    dispatcher = Dispatcher([inspect_provider(plugin, name) for name, plugin in names.items()])
    await dispatcher.observe(Event("k", "w"))
    assert (first.heard, second.heard) == (["k", "k"], ["k"])


def test_two_providers_of_one_name_are_both_registered():
    class Observer:
        @hookimpl
        def observe(self, event): ...

    manager = ProviderManager([inspect_provider(Observer(), "same"), inspect_provider(Observer(), "same")])
    assert [provider.name for provider in manager.implementers("observe")] == ["same", "same"]


def test_the_name_of_a_blocked_provider_is_blocked_with_pluggy(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(install_third_party(tmp_path)))
    sys.modules.pop("guest", None)
    manager = ProviderManager(discover(blocked=["guest"]))
    assert manager.is_blocked("guest")
    assert not manager.is_blocked("local")
    assert manager.register(_made(), "guest") is None


def test_the_former_module_warns_and_offers_what_it_had():
    sys.modules.pop("plugport.hookspecs.loading", None)
    with pytest.warns(DeprecationWarning, match=r"is now plugport\.hookspecs\.providers"):
        loading = importlib.import_module("plugport.hookspecs.loading")
    assert loading.examine is inspect_provider
    for name in ("GROUP", "LINT_GROUP", "SLOW_IMPORT_SECONDS", "BACKEND_HOOKS", "ProviderStatus", "Implementation"):
        assert hasattr(loading, name), name
    for name in ("Provider", "ProviderInvalid", "discover", "own_settings", "specifications", "conflicts"):
        assert hasattr(loading, name), name


def test_loading_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(provider.status is not ProviderStatus.FAILED for provider in discover())
