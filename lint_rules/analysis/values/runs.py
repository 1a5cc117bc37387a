"""What the calls of a module run and request, and which functions run or request what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import libcst as cst

from ....hookspecs import JSON
from ...tables.doubles import RESPONSE_ARGUMENTS
from ...tables.runners import (
    COMMAND_ARGUMENTS,
    ENGINES,
    LOOKUPS,
    NO_RUNNERS,
    NO_SENDERS,
    PASSES,
    REQUEST_ARGUMENTS,
    RUNNERS,
    RUNS_COMMANDS,
    SENDERS,
    SENDS_NOTHING,
)
from ..syntax import argument, last_name, passed_values, positional
from .bindings import Function, Scope
from .calls import known_words, parameter_list
from .evaluator import Evaluator
from .holes import HOLE, UNKNOWN, Words, filled, filled_words, holes
from .model import Bound, Class, Command, Double, Instance, Named, Own, Routine, Value, decode

DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Run:
    """A command: its words, or a text for a shell. `is_sure`: a library's function for commands runs it."""

    words: Words
    is_text: bool = False
    is_sure: bool = field(default=False, compare=False)

    def holes(self) -> set[str]:
        """The parameters that the command waits for."""
        return {name for word in self.words for name in holes(word)}

    def filled(self, known: Mapping[str, Sequence[str]]) -> Run:
        """Return the command with what a call passes; what it does not pass is unknown."""
        words = (filled(self.words[0], known),) if self.is_text else filled_words(self.words, known)
        return Run(words, self.is_text, self.is_sure)


@dataclass(frozen=True, slots=True)
class Reading:
    """An attribute that is read by its name: of which kind of value, and the name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Effects:
    """What a call runs, which routes it requests, and which attributes it reads by name."""

    runs: tuple[Run, ...] = ()
    routes: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()

    def filled(self, known: Mapping[str, Sequence[str]]) -> Effects:
        """Return them with what a call passes for the parameters."""
        return Effects(
            tuple(run.filled(known) for run in self.runs),
            tuple(filled(route, known) for route in self.routes),
            tuple(Reading(reading.kind, filled(reading.name, known)) for reading in self.readings),
        )

    def __add__(self, other: Effects) -> Effects:
        return Effects(self.runs + other.runs, self.routes + other.routes, self.readings + other.readings)

    def __bool__(self) -> bool:
        return bool(self.runs or self.routes or self.readings)

    def waiting_for(self, names: set[str], is_settled: Callable[[Run | Reading | str], bool]) -> Effects:
        """Return those that wait for one of these parameters, and are not settled without."""
        return Effects(
            tuple(run for run in self.runs if run.holes() & names and not is_settled(run)),
            tuple(route for route in self.routes if holes(route) & names and not is_settled(route)),
            tuple(item for item in self.readings if holes(item.name) & names and not is_settled(item)),
        )


class Runs:
    """What the calls of one module run and request."""

    def __init__(
        self,
        evaluator: Evaluator,
        decorators: set[cst.BaseExpression],
        is_settled: Callable[[Run | Reading | str], bool],
    ) -> None:
        """`is_settled` says of what a function does if that is a use already, whatever a call passes."""
        self._evaluator = evaluator
        self._is_settled = is_settled
        self._texts = evaluator.texts
        self._decorators = decorators
        self._calls: dict[Scope, list[cst.Call]] = {}
        for call, scope in evaluator.bindings.calls:
            self._calls.setdefault(scope, []).append(call)
        self._of_scope: dict[Scope, Effects] = {}

    def of_call(self, call: cst.Call, scope: Scope, depth: int = 0) -> Effects:
        """Return what a call runs and requests."""
        if call in self._decorators or depth > DEEPEST:
            return Effects()
        target = self._evaluator.value(call.func, scope)
        if isinstance(target, Double):
            return Effects()
        if isinstance(target, Command):
            if last_name(call.func) == "bake":
                return Effects()
            command = self._evaluator.calls.command(target, positional(call), scope)
            return Effects((Run(command.words),))
        if (inner := self._passed_on(call, target)) is not None:
            return self.of_call(inner, scope, depth + 1)
        if isinstance(target, Bound):
            passed = sorted((*target.call.args, *call.args), key=lambda item: item.keyword is not None)
            outer = cst.Call(target.call.func, passed)
            return self.of_call(outer, target.scope, depth + 1) + self._direct(call, target.target, scope)
        if (known := self._of_own(call, target, scope, depth)) is not None:
            return known
        return self._reading(call, scope) + self._direct(call, target, scope)

    def _passed_on(self, call: cst.Call, target: Value | None) -> cst.Call | None:
        """Return the call that a thread, an executor or a partial makes of its arguments."""
        name = last_name(call.func)
        if isinstance(target, Routine | Class) or name not in PASSES:
            return None
        if name in {"Thread", "Process"}:
            function, passed = argument(call, None, "target"), argument(call, None, "args")
            items = passed.elements if isinstance(passed, cst.Tuple | cst.List) else ()
            return cst.Call(function, [cst.Arg(item.value) for item in items]) if function is not None else None
        rest = call.args[PASSES[name] :]
        if not rest or rest[0].star or rest[0].keyword is not None:
            return None
        return cst.Call(rest[0].value, rest[1:])

    def _of_own(self, call: cst.Call, target: Value | None, scope: Scope, depth: int) -> Effects | None:
        """Return what a function of the project does with what the call passes; None if it is none."""
        evaluator = self._evaluator
        if isinstance(target, Class):
            target = evaluator.member(target.name, "__init__")
        if isinstance(target, Own):
            target = evaluator.member(target.name, "__call__")
        if isinstance(target, Routine):
            effects = self.of_routine(target, depth)
            passed = dict(evaluator.calls.known_of(target.scope, call, scope)) if effects else {}
            return effects.filled(_unknown(parameter_list(target.scope)) | dict(target.known) | passed)
        runner = evaluator.facts.runners.get(self._dotted(call, target, scope))
        if not isinstance(runner, Mapping):
            return None
        names = [str(name) for name in _list(runner.get("parameters"))]
        return decoded(runner).filled(_unknown(names) | dict(known_words(names, call, evaluator, scope)))

    def _dotted(self, call: cst.Call, target: Value | None, scope: Scope) -> str:
        if isinstance(target, Named) and not target.steps:
            return self._canonical(target.name)
        if isinstance(call.func, cst.Attribute):
            receiver = self._evaluator.value(call.func.value, scope)
            if isinstance(receiver, Own | Class):
                return self._home_of(receiver.name, call.func.attr.value)
        return ""

    def _canonical(self, dotted: str) -> str:
        """Return the name under which a module of the project defines what `dotted` hands on."""
        for _ in range(8):
            match decode(self._evaluator.facts.names.get(dotted)):
                case Named(name, ()) if name != dotted:
                    dotted = name
                case _:
                    break
        return dotted

    def _home_of(self, owner: str, method: str, depth: int = 0) -> str:
        """Return the dotted name of a method where a class of the project, or a base of it, defines it."""
        name = f"{owner}.{method}"
        if name in self._evaluator.facts.runners or depth > 8:
            return name
        homes = (
            self._home_of(b.name, method, depth + 1) for b in self._evaluator.bases(owner) if isinstance(b, Class)
        )
        return next((home for home in homes if home in self._evaluator.facts.runners), "")

    def of_routine(self, routine: Routine, depth: int = 0) -> Effects:
        """Return what a function runs and requests of what it is given: what waits for its parameters, or for those
        of the functions around it."""
        if routine.scope not in self._of_scope:
            self._of_scope[routine.scope] = Effects()  # a function that calls itself adds nothing
            names: set[str] = set()
            scope: Scope | None = routine.scope
            while scope is not None and scope.parent is not None:
                names |= set(scope.parameters)
                scope = scope.parent
            effects = Effects()
            for call in self._calls.get(routine.scope, ()):
                effects += self.of_call(call, routine.scope, depth + 1).waiting_for(names, self._is_settled)
            self._of_scope[routine.scope] = effects
        return self._of_scope[routine.scope]

    def _reading(self, call: cst.Call, scope: Scope) -> Effects:
        """Return the attribute that `getattr(value, name)` reads."""
        values = positional(call)
        if not isinstance(call.func, cst.Name) or call.func.value != "getattr" or len(values) < 2:
            return Effects()
        value = self._evaluator.value(values[0], scope)
        if not isinstance(value, Instance):
            return Effects()
        texts = self._texts.texts(values[1], scope)
        return Effects(readings=tuple(Reading(value.kind, text) for text in texts))

    def _direct(self, call: cst.Call, target: Value | None, scope: Scope) -> Effects:
        name = _called(call, target)
        if isinstance(call.func, cst.Attribute) and isinstance(self._evaluator.value(call.func.value, scope), Double):
            return Effects()
        runs = tuple(self._commands(call, name, target, scope)) if not NO_RUNNERS.search(name) else ()
        if isinstance(target, Named) and RUNS_COMMANDS.match(target.name):
            runs = tuple(replace(run, is_sure=True) for run in runs)
        routes = tuple(self._routes(call, name, scope)) if self._sends(call, name, target) else ()
        return Effects(runs, routes)

    def _commands(self, call: cst.Call, name: str, target: Value | None, scope: Scope) -> Iterator[Run]:
        moment = self._evaluator.bindings.moments.get(call)
        is_runner = RUNNERS.search(name) is not None
        candidates = positional(call)
        candidates += [
            item.value for item in call.args if item.keyword is not None and item.keyword.value in COMMAND_ARGUMENTS
        ]
        for index, node in enumerate(candidates):
            lists = self._texts.words(node, scope, moment=moment)
            if any(len(words) > 1 for words in lists):
                yield from (Run(words) for words in lists)
                return
            if lists and is_runner and index == 0:
                yield from (Run(words) for words in lists)
        if not is_runner or not candidates:
            if call.args and call.args[0].star:
                yield from (Run(words) for words in self._texts.words(call.args[0].value, scope, moment=moment))
            return
        texts = self._texts.texts(candidates[0], scope, moment=moment)
        if len(candidates) > 1 and not any(" " in text for text in texts):
            yield from self._separate(call, name, scope)
        yield from (Run((text,), is_text=True) for text in texts)

    def _separate(self, call: cst.Call, name: str, scope: Scope) -> Iterator[Run]:
        """Yield the command whose words are the arguments of the call."""
        words: list[str] = []
        for item in call.args:
            if item.keyword is not None:
                break
            if item.star:
                words += (self._texts.words(item.value, scope) or [(UNKNOWN,)])[0]
            else:
                words.append(self._texts.or_hole(item.value, scope)[0])
        if name.startswith(("spawn", "posix_spawn", "exec")) and words[1:]:
            yield Run(tuple(words[1:]))
            yield Run(tuple(words[2:]))
        yield Run(tuple(words))

    def _sends(self, call: cst.Call, name: str, target: Value | None) -> bool:
        """Return whether a call may send a request."""
        if name in SENDERS:
            pass
        elif NO_SENDERS.search(name) or name[:1].isupper() or isinstance(target, Routine | Class):
            return False
        if isinstance(target, Named) and SENDS_NOTHING.match(target.name):
            return False
        return not any(item.keyword is not None and item.keyword.value in RESPONSE_ARGUMENTS for item in call.args)

    def _routes(self, call: cst.Call, name: str, scope: Scope) -> Iterator[str]:
        base = self._base_url(call, scope)
        is_lookup = name not in SENDERS or self._is_lookup(call, scope)
        for node in passed_values(call):
            for text in self._texts.texts(node, scope):
                if not (is_lookup and HOLE.fullmatch(text)):
                    yield text
                if base and not text.startswith("http"):
                    yield f"{base.rstrip('/')}/{text.lstrip('/')}"

    def _is_lookup(self, call: cst.Call, scope: Scope) -> bool:
        """Return whether `x.get(key)` may be the lookup in a dictionary that it looks like."""
        if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in LOOKUPS:
            return False
        if any(item.keyword is not None and item.keyword.value in REQUEST_ARGUMENTS for item in call.args):
            return False
        return not isinstance(self._evaluator.value(call.func.value, scope), Named)

    def _base_url(self, call: cst.Call, scope: Scope) -> str:
        """Return the base of all URLs of the client whose method is called."""
        if isinstance(call.func, cst.Attribute):
            made = self._texts.made_by(call.func.value, scope)
            if made is not None and (base := argument(made[0], None, "base_url")) is not None:
                texts = self._texts.texts(base, made[1])
                return texts[0] if texts else ""
        return ""


def _called(call: cst.Call, target: Value | None) -> str:
    """Return the name of what is called, wherever it was renamed."""
    if isinstance(target, Named):
        steps = [step for step in target.steps if step.startswith(".")]
        return steps[-1][1:] if steps else target.name.rpartition(".")[2]
    return last_name(call.func)


def _unknown(names: Sequence[str]) -> dict[str, Words]:
    """Return that nothing is passed."""
    return {name.lstrip("*"): () if name.startswith("*") else (UNKNOWN,) for name in names}


def _list(data: JSON) -> Sequence[JSON]:
    return data if isinstance(data, Sequence) and not isinstance(data, str) else ()


def summary_of(function: Function, effects: Effects) -> JSON:
    """Return what other modules need to know of a function that runs or requests what it is given; None if it does
    neither."""
    runs = [run for run in effects.runs if run.is_sure or ENGINES.search(str(run.words)) is not None]
    if not (runs or effects.routes or effects.readings):
        return None
    return {
        "parameters": list(parameter_list(function.scope)),
        "runs": [[run.is_text, *run.words] for run in runs],
        "routes": list(effects.routes),
        "readings": [[reading.kind, reading.name] for reading in effects.readings],
    }


def decoded(summary: Mapping[str, JSON]) -> Effects:
    """Return the effects that `summary_of` was given."""
    runs = [_list(run) for run in _list(summary.get("runs"))]
    readings = [_list(reading) for reading in _list(summary.get("readings"))]
    return Effects(
        tuple(Run(tuple(str(word) for word in run[1:]), bool(run[0])) for run in runs),
        tuple(str(route) for route in _list(summary.get("routes"))),
        tuple(Reading(str(reading[0]), str(reading[1])) for reading in readings),
    )
