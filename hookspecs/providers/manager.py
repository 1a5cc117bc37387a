"""The plugin manager: registers providers with pluggy, keeps their order, and calls one implementation at a time."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, count

import pluggy

from .. import specs
from .model import Implementation, Provider, ProviderStatus
from .validity import Shape, faults, implemented_twice, specifications


class ProviderManager(pluggy.PluginManager):
    """A `pluggy.PluginManager` with plugport's hooks, for providers that are described already.

    A LOADED provider is registered, the name of a BLOCKED one is blocked, a FAILED one is only listed. The order is
    pluggy's: `tryfirst` before no option, no option before `trylast`. Among equals, the first of `providers` is
    called first; among those with `trylast`, last.

    Calls go through `only`, so functions of `add_hookcall_monitoring` see each of them, on the thread of the call.
    For an `async def` they see the call that makes the coroutine, and not the time in which it runs.
    """

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        super().__init__(specs.PROJECT)
        self.add_hookspecs(specs)
        self._arguments = specifications()
        self._stand_ins: dict[int, _StandIn] = {}
        self._registering: tuple[object, Mapping[str, pluggy.HookimplOpts]] | None = None
        self._providers: dict[str, Provider] = {}
        for provider in providers:
            self._providers[_free_name(provider.name, self._providers)] = provider
        for name, provider in reversed(self._providers.items()):  # pluggy calls the last one first
            if provider.status is ProviderStatus.LOADED:
                self.register(provider.plugin, name)
            elif provider.status is ProviderStatus.BLOCKED:
                self.set_blocked(name)

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Return every provider as it is now, in the given order, the failed and the blocked ones included."""
        return tuple(self._providers.values())

    def implementers(self, hook: str) -> list[Provider]:
        """Return the providers that implement the hook, in the order in which they are called."""
        caller: pluggy.HookCaller = getattr(self.hook, hook)
        return [self._providers[hookimpl.plugin_name] for hookimpl in reversed(caller.get_hookimpls())]

    def only(self, plugin: object, hook: str) -> pluggy.HookCaller:
        """Return a caller of this provider's implementation alone, which passes the arguments that it takes.

        If the hook is `firstresult`, a call returns the answer; else a list with the answer, empty if that is None.
        """
        return self.subset_hook_caller(hook, self.get_plugins() - {self._stand_ins.get(id(plugin), plugin)})

    def fail(self, provider: Provider, reason: str) -> None:
        """Mark one of `providers` as FAILED. It stays registered, because its `shutdown` is still called."""
        name = next(name for name, known in self._providers.items() if known is provider)
        self._providers[name] = replace(provider, status=ProviderStatus.FAILED, reason=reason)

    def register(self, plugin: object, name: str | None = None) -> str | None:
        """Register a provider as pluggy does, without pluggy's deprecation warnings: see `deprecations`.

        Raises `pluggy.PluginValidationError` if plugport cannot call an implementation, and then changes nothing.
        """
        marked = self._marked(plugin)
        registered = plugin
        if _compares_by_value(plugin) or self.is_registered(plugin):
            registered = _StandIn(plugin, marked)
        self._registering = (registered, marked)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                registered_name = super().register(registered, name)
        finally:
            self._registering = None
        if isinstance(registered, _StandIn):
            self._stand_ins[id(plugin)] = registered
        for caller in self.get_hookcallers(registered) or ():
            for hookimpl in caller.get_hookimpls():
                if hookimpl.plugin is registered and caller.has_spec():
                    self._pass_by_name(caller.name, hookimpl)
        return registered_name

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Return the options of a marked function, as pluggy does.

        Raises `pluggy.PluginValidationError` if plugport cannot call the function.
        """
        if self._registering is not None and self._registering[0] is plugin:
            return self._registering[1].get(name)
        if name.startswith("__"):
            return None
        options = super().parse_hookimpl_opts(plugin, name)
        if options is not None:
            shape = _shape(getattr(plugin, name), options.get("specname") or name, options)
            for fault in faults(shape, self._arguments):
                hint = ": the provider must be an instance of the class" if fault.argument == "self" else ""
                raise pluggy.PluginValidationError(plugin, fault.text + hint)
        return options

    def implementations(self, name: str) -> dict[str, Implementation]:
        """Return a registered provider's implementations by hook, without those of hooks that are unknown here."""
        registered = self.get_plugin(name)
        return {
            caller.name: Implementation(
                hookimpl.function, hookimpl.kwargnames, inspect.iscoroutinefunction(hookimpl.function)
            )
            for caller in self.get_hookcallers(registered) or ()
            for hookimpl in caller.get_hookimpls()
            if hookimpl.plugin is registered and caller.has_spec()
        }

    def deprecations(self, hook: str, arguments: Collection[str]) -> Iterator[str]:
        """Yield what pluggy warns of (`warn_on_impl`, `warn_on_impl_args`) if a hook is implemented so."""
        spec = getattr(self.hook, hook).spec
        if spec.warn_on_impl:
            yield f"{hook} is deprecated: {spec.warn_on_impl}"
        for argument, warning in (spec.warn_on_impl_args or {}).items():
            if argument in arguments:
                yield f"the argument {argument} of {hook} is deprecated: {warning}"

    def _marked(self, plugin: object) -> dict[str, pluggy.HookimplOpts]:
        """Return the options of every marked attribute. Raises `pluggy.PluginValidationError`."""
        marked: dict[str, pluggy.HookimplOpts] = {}
        by_hook: dict[str, list[str]] = {}
        for attribute in dir(plugin):
            options = self.parse_hookimpl_opts(plugin, attribute)
            if options is not None:
                marked[attribute] = options
                by_hook.setdefault(options.get("specname") or attribute, []).append(attribute)
        for hook, attributes in by_hook.items():
            if len(attributes) > 1:
                raise pluggy.PluginValidationError(plugin, implemented_twice(hook, attributes).text)
        return marked

    def _pass_by_name(self, hook: str, hookimpl: pluggy.HookImpl) -> None:
        """Make pluggy pass every argument by name. It passes most by position and leaves out keyword-only ones."""
        parameters = _parameters(hookimpl.function) or ()
        names = tuple(parameter.name for parameter in parameters if parameter.name in self._arguments[hook])
        hookimpl.argnames, hookimpl.kwargnames = (), names  # type: ignore[misc]


def answer(caller: pluggy.HookCaller, arguments: Mapping[str, object]) -> object:
    """Return what the one implementation of `caller` (see `ProviderManager.only`) answers. Raises what it raises."""
    result = caller(**arguments)
    if caller.spec is not None and caller.spec.opts["firstresult"]:
        return result
    return result[0] if result else None


class _StandIn:
    """Registered in place of a provider that pluggy cannot tell from others, because it keeps providers in sets.

    Such a provider compares by value, as a dataclass does, or is registered under another name already.
    """

    def __init__(self, plugin: object, options: Mapping[str, pluggy.HookimplOpts]) -> None:
        self.plugport_provider = plugin
        vars(self).update({attribute: getattr(plugin, attribute) for attribute in options})


def _compares_by_value(plugin: object) -> bool:
    kind = type(plugin)
    return kind.__eq__ is not object.__eq__ or kind.__hash__ is not object.__hash__


def _free_name(name: str, taken: Iterable[str]) -> str:
    names = set(taken)
    numbered = (f"{name}#{number}" for number in count(2))
    return next(free for free in chain([name], numbered) if free not in names)


def _shape(function: object, hook: str, options: Mapping[str, object]) -> Shape:
    return Shape(
        str(hook),
        _parameters(function),
        inspect.iscoroutinefunction(function),
        inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function),
        options,
    )


def _parameters(function: object) -> list[inspect.Parameter] | None:
    """Return the parameters that a caller fills; None for a method that has no parameter for `self`."""
    try:
        return list(inspect.signature(function).parameters.values())  # type: ignore[arg-type]
    except ValueError:
        return None
