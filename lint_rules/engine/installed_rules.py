"""Finds the installed rules by the hook `lint_rules()`, without importing any of them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ...hookspecs import RuleDescriptor
from ...hookspecs.providers import LINT_GROUP, Provider, ProviderManager, ProviderStatus, discover
from ...hookspecs.providers.manager import answer
from .contract import Rule

if TYPE_CHECKING:
    from .lint_rule import LintRule

ENGINE_CODES = ("PP000", "PP900")
_CODE = re.compile(r"[A-Z]{2,8}[0-9]{3,4}")
_TARGET = re.compile(r"[\w.]+:\w+")


@dataclass(frozen=True, slots=True)
class InstalledRule:
    """A rule that an installed distribution names. `origin` is `distribution version`, `target` is `module:Class`."""

    code: str
    version: str
    target: str
    origin: str

    def load(self) -> tuple[type[Rule | LintRule], ModuleType]:
        """Import the rule. Return its class, and its module with message, reason and examples. Raises what the import
        raises, and AttributeError if the module has no such class."""
        module_name, _, class_name = self.target.partition(":")
        module = importlib.import_module(module_name)
        return getattr(module, class_name), module

    def stated(self, name: str, *default: object) -> Any:
        """Return what the rule's class states under a name (`message`, `reason`, `VALID`, `INVALID`, `mutants`), or
        else its module. Raises as `load`, and AttributeError if neither has the name and no default is passed."""
        rule, module = self.load()
        if getattr(rule, name, None):
            return getattr(rule, name)
        return getattr(module, name, *default)


@dataclass(frozen=True, slots=True)
class InstalledRules:
    """The rules by code, and why others are lost, one sentence each with the distribution. A run with a lost rule
    ends with exit 3 after the other rules ran, since a gate must not lose a rule in silence."""

    rules: Mapping[str, InstalledRule]
    problems: tuple[str, ...]


def load_rules() -> InstalledRules:
    """Call the hook of every distribution in the group `plugport.lint`. A distribution that fails is a problem; it
    raises nothing."""
    rules: dict[str, InstalledRule] = {}
    problems: list[str] = []
    manager = ProviderManager(discover(LINT_GROUP))
    order = {provider.name: index for index, provider in enumerate(manager.implementers("lint_rules"))}
    for provider in sorted(manager.providers, key=lambda provider: order.get(provider.name, -1)):
        if provider.status is not ProviderStatus.LOADED:
            problems.append(f"the rules of {provider.label} are lost: {provider.reason}")
            continue
        try:
            known = [_checked(descriptor, provider) for descriptor in _asked(manager, provider)]
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - the engine's edge: whatever a distribution does is contained
            problems.append(f"the rules of {provider.label} are lost: {type(error).__name__}: {error}")
            continue
        for rule in known:
            taken = ENGINE_CODES if rule.code in ENGINE_CODES else rules.get(rule.code)
            if taken:
                owner = "the engine" if isinstance(taken, tuple) else taken.origin
                problems.append(f"{rule.code} of {provider.label} is lost: the code is taken by {owner}")
            else:
                rules[rule.code] = rule
    return InstalledRules(dict(sorted(rules.items())), tuple(problems))


def _asked(manager: ProviderManager, provider: Provider) -> list[RuleDescriptor]:
    descriptors = None
    if "lint_rules" in provider.hooks:
        descriptors = answer(manager.only(provider.plugin, "lint_rules"), {})
    if not isinstance(descriptors, list | tuple) or not all(isinstance(item, RuleDescriptor) for item in descriptors):
        raise TypeError("its hook lint_rules must return a list of RuleDescriptor")
    return list(descriptors)


def _checked(descriptor: RuleDescriptor, provider: Provider) -> InstalledRule:
    origin = f"{provider.distribution} {provider.version}"
    code, version, target = descriptor.code, descriptor.version, descriptor.target
    if not _CODE.fullmatch(code):
        raise ValueError(f"{code!r} is no code of a rule: use capital letters and three or four digits, as XY001")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"{target!r} of {code} must be module:Class")
    return InstalledRule(code, str(version), target, origin)
