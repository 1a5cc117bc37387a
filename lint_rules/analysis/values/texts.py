"""Reads the texts, and the lists of words, that an expression can make, with holes for what is not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice, product
from typing import TYPE_CHECKING, TypeVar

import libcst as cst

from ..syntax import argument, bytes_value, dotted_name, elements, last_name, positional, string_value
from .bindings import Binding, Growth, Moment, Scope, constant_key, returned, visible
from .holes import MARK, MOST, UNKNOWN, Words, combined, filled, filled_pattern, filled_words, hole, joined, split
from .model import Class, Named, Own, Routine

if TYPE_CHECKING:
    from .evaluator import Evaluator

_T = TypeVar("_T")
DEEPEST = 10
FUEL = 300
"""Steps to the texts of one expression."""
_FIELD = re.compile(r"\{(\w*)[^{}]*\}")
_SAME_TEXT = frozenset(
    {"encode", "decode", "strip", "lstrip", "rstrip", "lower", "casefold", "expanduser", "resolve", "as_posix",
     "absolute", "human_repr", "with_query", "removeprefix", "removesuffix", "with_fragment", "update_query",
     "expandtabs"}
)  # fmt: skip
_WRAPS_TEXT = frozenset(
    {"str", "URL", "bytes", "quote", "quote_plus", "fspath", "which", "escape", "dedent", "cast", "Template", "Str",
     "HttpUrl", "AnyUrl", "Request", "SecretStr", "bytearray", "abspath", "expandvars", "find_executable", "fsdecode"}
)  # fmt: skip
_PROGRAM = re.compile("docker|podman|nerdctl")
"""An attribute that is called after a program (`settings.docker_binary`) holds it; if in the place of one."""
_ENVIRONMENT = re.compile(r"(docker|podman|nerdctl|container|oci)", re.IGNORECASE)
_PATHS = frozenset({"Path", "PurePath", "PosixPath", "PurePosixPath", "joinpath", "join", "UPath"})
_DEFAULTS = frozenset({"get", "getenv", "pop", "setdefault"})


def text_of(node: cst.CSTNode, evaluator: Evaluator, scope: Scope) -> str | None:
    """Return the one text of an expression; None if there are several or a part is not known."""
    texts = [text for text in evaluator.texts.texts(node, scope) if UNKNOWN not in text and MARK not in text]
    return texts[0] if len(texts) == 1 else None


def words_of(node: cst.CSTNode, evaluator: Evaluator, scope: Scope, depth: int = 0) -> Words:
    """Return the words that an argument adds to a command: those of a list, else its text."""
    reader = evaluator.texts
    if lists := reader.words(node, scope, depth):
        return lists[0]
    texts = reader.texts(node, scope, depth)
    return (texts[0] if texts else UNKNOWN,)


class Texts:
    """The texts and the word lists of one module."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._fuel = FUEL

    def texts(self, node: cst.CSTNode, scope: Scope, depth: int = 0, moment: Moment | None = None) -> list[str]:
        """Return the texts that an expression can be; none if it is no text. `moment`: when it is read."""
        return self._texts(node, scope, depth, moment) if self._starts(depth) else []

    def words(self, node: cst.CSTNode, scope: Scope, depth: int = 0, moment: Moment | None = None) -> list[Words]:
        """Return the lists of words that an expression can be; none if it is no list."""
        return self._words(node, scope, depth, moment) if self._starts(depth) else []

    def _starts(self, depth: int) -> bool:
        """Return whether to go on: there were not too many steps in one direction, nor in all."""
        if depth == 0 and self._evaluator.is_idle:
            self._fuel = FUEL
        self._fuel -= 1
        return depth <= DEEPEST and self._fuel > 0

    def _texts(self, node: cst.CSTNode, scope: Scope, depth: int, moment: Moment | None) -> list[str]:
        deeper = depth + 1
        if (text := string_value(node)) is not None:
            return [text]
        if (data := bytes_value(node)) is not None:
            return [data.decode("utf-8", "replace")]
        match node:
            case cst.FormattedString(parts=parts):
                return self._joined([self._part(part, scope, deeper) for part in parts], "")
            case cst.ConcatenatedString(left=left, right=right):
                return self._joined([self.texts(left, scope, deeper), self.texts(right, scope, deeper)], "")
            case cst.BinaryOperation():
                return self._operation(node, scope, deeper)
            case cst.Call():
                return self._call(node, scope, deeper)
            case cst.Await(expression=inner) | cst.NamedExpr(value=inner):
                return self.texts(inner, scope, deeper, moment)
            case cst.IfExp(body=left, orelse=right) | cst.BooleanOperation(left=left, right=right):
                return [*self.texts(left, scope, deeper), *self.texts(right, scope, deeper)][:MOST]
            case cst.Name() | cst.Attribute():
                return self._held(node, scope, deeper, moment)
            case cst.Subscript(value=value):
                return self._item(node, value, scope, deeper)
        return []

    def or_hole(self, node: cst.CSTNode, scope: Scope, depth: int = 0) -> list[str]:
        """Return the texts of an expression, or that it is not known."""
        return self.texts(node, scope, depth) or [UNKNOWN]

    def _part(self, part: cst.CSTNode, scope: Scope, depth: int) -> list[str]:
        if isinstance(part, cst.FormattedStringText):
            return [part.value.replace("{{", "{").replace("}}", "}")]
        return self.or_hole(part.expression, scope, depth) if isinstance(part, cst.FormattedStringExpression) else []

    def _joined(self, parts: list[list[str]], separator: str) -> list[str]:
        return [separator.join(choice) for choice in islice(product(*parts), MOST)]

    def _operation(self, node: cst.BinaryOperation, scope: Scope, depth: int) -> list[str]:
        left = self.texts(node.left, scope, depth)
        if isinstance(node.operator, cst.Modulo):
            passed = elements(node.right) or [node.right]
            values = [self.or_hole(value, scope, depth)[0] for value in passed]
            return [filled_pattern(text, values) for text in left]
        if isinstance(node.operator, cst.Add | cst.Divide):
            right = self.texts(node.right, scope, depth)
            if not left and not right:
                return []
            sides = [left or [UNKNOWN], right or [UNKNOWN]]
            if isinstance(node.operator, cst.Divide):
                sides = [[text.rstrip("/") for text in sides[0]], [text.lstrip("/") for text in sides[1]]]
                return self._joined(sides, "/")
            return self._joined(sides, "")
        return []

    def _call(self, call: cst.Call, scope: Scope, depth: int) -> list[str]:
        name, values = last_name(call.func), positional(call)
        receiver = call.func.value if isinstance(call.func, cst.Attribute) else None
        if name in {"format", "format_map"} and receiver is not None:
            return [self._formatted(text, call, scope, depth) for text in self.texts(receiver, scope, depth)]
        if name in {"urljoin", "urlunsplit"} and len(values) > 1:
            sides = [self.or_hole(value, scope, depth) for value in values[:2]]
            return [f"{base.rstrip('/')}/{path.lstrip('/')}" for base, path in islice(product(*sides), MOST)]
        if name in {"with_path", "substitute"} and values:
            return self.texts(values[0], scope, depth)
        if name in {"build", "URL", "Request"} and (path := argument(call, None, "path", "url")) is not None:
            return self.texts(path, scope, depth)
        if name == "join" and receiver is not None and (texts := self.texts(receiver, scope, depth)) and values:
            return [joined(words, texts[0]) for words in self.words(values[0], scope, depth)]
        if name in {"list2cmdline", "shlex_join"} or (name == "join" and len(values) == 1):
            return [" ".join(words) for words in self.words(values[0], scope, depth)] if values else []
        if name in _PATHS and values:
            start = [receiver] if name == "joinpath" and receiver is not None else []
            return self._joined([self.or_hole(value, scope, depth) for value in (*start, *values)], "/")
        if name in _SAME_TEXT and receiver is not None:
            return self.texts(receiver, scope, depth)
        if name == "replace" and receiver is not None and len(values) == 2:
            return self._replaced(receiver, values, scope, depth)
        if name in _WRAPS_TEXT and values:
            return self.texts(values[-1] if name in {"cast", "Request"} else values[0], scope, depth)
        if name in _DEFAULTS and values:
            default = argument(call, 1, "default")
            known = self.texts(default, scope, depth) if default is not None else []
            return known or (self._of_environment(values[0]) if _is_environment(call.func) else [])
        return self._of_routine(call, scope, depth)

    def _replaced(
        self, receiver: cst.BaseExpression, values: list[cst.BaseExpression], scope: Scope, depth: int
    ) -> list[str]:
        old, new = string_value(values[0]), self.or_hole(values[1], scope, depth)[0]
        texts = self.texts(receiver, scope, depth)
        return [text.replace(old, new) for text in texts] if old else texts

    def _formatted(self, pattern: str, call: cst.Call, scope: Scope, depth: int) -> str:
        values = [self.or_hole(value, scope, depth)[0] for value in positional(call)]
        named = {item.keyword.value: self.or_hole(item.value, scope, depth)[0] for item in call.args if item.keyword}
        position = iter(values)

        def fill(match: re.Match[str]) -> str:
            field = match.group(1)
            if not field:
                return next(position, UNKNOWN)
            if field.isdigit():
                return values[int(field)] if int(field) < len(values) else UNKNOWN
            return named.get(field, UNKNOWN)

        return _FIELD.sub(fill, pattern)

    def _of_routine(self, call: cst.Call, scope: Scope, depth: int) -> list[str]:
        """Return the texts that a function of the module returns, with those of the call in the holes."""
        target = self._evaluator.value(call.func, scope)
        if not isinstance(target, Routine) or target.function is None:
            return []
        known = dict(self._evaluator.calls.known_of(target.scope, call, scope, depth))
        texts = [text for node, _ in returned(target.function) for text in self.texts(node, target.scope, depth)]
        return [filled(text, known) for text in texts][:MOST]

    def _item(self, node: cst.Subscript, value: cst.BaseExpression, scope: Scope, depth: int) -> list[str]:
        """Return the texts under a constant key of a dictionary, or of any item of a list."""
        key = constant_key(node)
        for display, origin in self._displays(value, scope):
            if isinstance(display, cst.Dict):
                for item in display.elements:
                    if isinstance(item, cst.DictElement) and (key is None or string_value(item.key) == key):
                        return self.texts(item.value, origin, depth)
        if dotted_name(value).endswith("environ"):
            return self._of_environment(node.slice[0].slice)
        words = self.words(value, scope, depth)
        match node.slice:
            case [cst.SubscriptElement(slice=cst.Index(value=cst.Integer(value=index)))]:
                return [choice[int(index)] for choice in words if int(index) < len(choice)]
        return []

    def _of_environment(self, node: cst.CSTNode) -> list[str]:
        """Return the program that a variable of the environment names: `DOCKER_BIN`, `CONTAINER_ENGINE`."""
        variable = string_value(node.value if isinstance(node, cst.Index) else node) or ""
        match = _ENVIRONMENT.search(variable)
        if match is None or variable.endswith(("HOST", "NAME", "ID", "PORT", "IMAGE", "TAG")):
            return []
        program = match.group().lower()
        return [UNKNOWN + (program if program in {"podman", "nerdctl"} else "docker")]

    def made_by(self, node: cst.CSTNode, scope: Scope, depth: int = 0) -> tuple[cst.Call, Scope] | None:
        """Return the call that made a value, with its scope."""
        if isinstance(node, cst.Call):
            return node, scope
        for binding in self._bindings(node, scope, None)[0] if depth < DEEPEST else ():
            if (made := self.made_by(binding.value, binding.scope, depth + 1)) is not None:
                return made
        return None

    def _displays(self, node: cst.BaseExpression, scope: Scope) -> Iterable[tuple[cst.BaseExpression, Scope]]:
        if isinstance(node, cst.Dict):
            yield node, scope
        for binding in self._bindings(node, scope, None)[0]:
            if not binding.steps:
                yield binding.value, binding.scope

    def _bindings(
        self, node: cst.CSTNode, scope: Scope, moment: Moment | None
    ) -> tuple[list[Binding], list[Growth], cst.Param | None]:
        """Return what a name or an attribute of an own object is bound to, what it grows by, and the parameter."""
        holder, name = self._place(node, scope)
        if holder is None:
            return [], [], None
        if holder is not scope:
            moment = None
        elif moment is None:
            moment = self._evaluator.bindings.moments.get(node)
        bindings = visible(holder.bound.get(name, []), moment)
        grown = [growth for growth in holder.grown.get(name, []) if _is_before(growth, moment)]
        return bindings, grown, holder.parameters.get(name)

    def _place(self, node: cst.CSTNode, scope: Scope) -> tuple[Scope | None, str]:
        bindings = self._evaluator.bindings
        if isinstance(node, cst.Name):
            return bindings.holder(node.value, scope), node.value
        if isinstance(node, cst.Attribute):
            owner = self._evaluator.value(node.value, scope)
            if isinstance(owner, Own | Class) and (holder := self._evaluator.classes.get(owner.name)) is not None:
                name = node.attr.value
                return holder, f"self.{name}" if f"self.{name}" in holder.bound else name
        return None, ""

    def _held(self, node: cst.CSTNode, scope: Scope, depth: int, moment: Moment | None) -> list[str]:
        bindings, grown, parameter = self._bindings(node, scope, moment)
        known = self._of_other_module(node, scope)
        for binding in bindings:
            texts = self._bound(binding, depth, self.texts)
            more = [growth for growth in grown if growth.how == "+=" and _is_after(growth, binding)]
            for growth in more if texts else ():
                texts = self._joined([texts, self.or_hole(growth.values[0], growth.scope, depth)], "")
            known += texts
        if parameter is not None and not bindings:
            if parameter.default is not None and scope.parent is not None:
                known += self.texts(parameter.default, scope.parent, depth)
            known += self._of_constructor(node, scope, depth)
            known.append(hole(parameter.name.value))
        if not known and isinstance(node, cst.Attribute) and (program := _PROGRAM.search(node.attr.value.lower())):
            known.append(UNKNOWN + program.group())
        return known[:MOST]

    def _of_other_module(self, node: cst.CSTNode, scope: Scope) -> list[str]:
        """Return the text that another module of the project keeps under a name."""
        value = self._evaluator.value(node, scope)
        text = self._evaluator.facts.texts.get(value.name) if isinstance(value, Named) and not value.steps else None
        return [text] if isinstance(text, str) else []

    def _words_of_other_module(self, node: cst.CSTNode, scope: Scope) -> list[Words]:
        value = self._evaluator.value(node, scope)
        words = self._evaluator.facts.texts.get(value.name) if isinstance(value, Named) and not value.steps else None
        return [tuple(map(str, words))] if isinstance(words, list | tuple) else []

    def _of_constructor(self, node: cst.CSTNode, scope: Scope, depth: int) -> list[str]:
        """Return the texts that the module passes for a parameter of a constructor."""
        if not isinstance(node, cst.Name) or not scope.name.endswith(".__init__"):
            return []
        passed = self._evaluator.parameters.passed(scope, node.value)
        return [text for value, origin in passed for text in self.texts(value, origin, depth)]

    def _bound(self, binding: Binding, depth: int, read: Callable[[cst.CSTNode, Scope, int], list[_T]]) -> list[_T]:
        """Read what a name is bound to: a value, or each item of a display."""
        if not binding.steps:
            return read(binding.value, binding.scope, depth)
        if binding.steps == ("item",):
            parts = elements(binding.value) or []
            return [item for part in parts for item in read(part, binding.scope, depth)]
        return []

    def _words(self, node: cst.CSTNode, scope: Scope, depth: int, moment: Moment | None) -> list[Words]:
        deeper = depth + 1
        if isinstance(node, cst.List | cst.Tuple):
            return combined([self._element(part, scope, deeper) for part in elements(node) or []])
        match node:
            case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
                first = self.words(left, scope, deeper, moment)
                return combined([first, self.words(right, scope, deeper, moment) or [(UNKNOWN,)]]) if first else []
            case cst.IfExp(body=left, orelse=right) | cst.BooleanOperation(left=left, right=right):
                return [*self.words(left, scope, deeper), *self.words(right, scope, deeper)][:MOST]
            case cst.Call():
                return self._words_of_call(node, scope, deeper)
            case cst.Name() | cst.Attribute():
                return self._held_words(node, scope, deeper, moment)
            case cst.Await(expression=inner) | cst.NamedExpr(value=inner):
                return self.words(inner, scope, deeper, moment)
        return []

    def _element(self, part: cst.CSTNode, scope: Scope, depth: int) -> list[Words]:
        if isinstance(part, cst.StarredElement):
            return self.words(part.value, scope, depth) or [(UNKNOWN,)]
        return [(text,) for text in self.or_hole(part, scope, depth)]

    def _words_of_call(self, call: cst.Call, scope: Scope, depth: int) -> list[Words]:
        name, values = last_name(call.func), positional(call)
        receiver = call.func.value if isinstance(call.func, cst.Attribute) else None
        if name == "split":
            texts = self.texts(values[0], scope, depth) if values else []
            if not texts and receiver is not None:
                texts = self.texts(receiver, scope, depth)
            return [split(text) for text in texts]
        if name in {"list", "tuple", "deepcopy"} and values:
            return self.words(values[0], scope, depth)
        if name == "copy":
            inner = values[0] if values else receiver
            return self.words(inner, scope, depth) if inner is not None else []
        maker = argument(call, None, "default_factory", "factory")
        if isinstance(maker, cst.Lambda):
            return self.words(maker.body, self._evaluator.bindings.scope_at[maker], depth)
        target = self._evaluator.value(call.func, scope)
        if not isinstance(target, Routine) or target.function is None:
            return []
        known = dict(self._evaluator.calls.known_of(target.scope, call, scope, depth))
        lists = [words for node, _ in returned(target.function) for words in self.words(node, target.scope, depth)]
        return [filled_words(words, known) for words in lists][:MOST]

    def _held_words(self, node: cst.CSTNode, scope: Scope, depth: int, moment: Moment | None) -> list[Words]:
        bindings, grown, parameter = self._bindings(node, scope, moment)
        known = [] if bindings else self._words_of_other_module(node, scope)
        for binding in bindings:
            choices = self._bound(binding, depth, self.words)
            for growth in grown if choices else ():
                if _is_after(growth, binding):
                    choices = self._grown(choices, growth, depth)
            known += choices
        if parameter is not None and not bindings:
            if parameter.default is not None and scope.parent is not None:
                known += self.words(parameter.default, scope.parent, depth)
            lists: list[Words] = [(hole(parameter.name.value, is_many=parameter.star == "*"),)]
            for growth in grown:
                lists = self._grown(lists, growth, depth)
            known += lists
        return known[:MOST]

    def _grown(self, lists: list[Words], growth: Growth, depth: int) -> list[Words]:
        node = growth.values[-1]
        if growth.how in {"+=", "extend"}:
            return combined([lists, self.words(node, growth.scope, depth) or [(UNKNOWN,)]])
        if growth.how in {"append", "insert"}:
            added: list[Words] = [(text,) for text in self.or_hole(node, growth.scope, depth)]
            return combined([added, lists] if growth.how == "insert" else [lists, added])
        return lists


def _is_environment(function: cst.BaseExpression) -> bool:
    name = dotted_name(function)
    return name.endswith(("environ.get", "getenv", "environ.setdefault", "environ.pop", "env.get"))


def _is_before(growth: Growth, moment: Moment | None) -> bool:
    return moment is None or growth.moment is None or growth.moment.number < moment.number


def _is_after(growth: Growth, binding: Binding) -> bool:
    """Return whether what grows was bound before."""
    if growth.moment is None or binding.moment is None or growth.scope is not binding.scope:
        return True
    return binding.moment.number < growth.moment.number
