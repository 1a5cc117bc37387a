"""Follows a call of something that is not the project's: of a library, of Python itself, or not known yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from ...tables.errors import COMMAND_METHODS, STATUS_METHODS
from ...tables.python_calls import (
    COUNTS,
    KEEPS_KEYS,
    LOGS,
    MAKES_TEXT,
    MUTATES,
    PASSES,
    PRINTS_ERROR,
    QUERIES,
    READS,
    RENDERS,
    ROW_WRITES,
    SILENT,
    STREAMS,
)
from ..syntax import argument, getattr_as_attribute, last_name, positional
from .arguments import Arguments
from .assignments import key_of
from .attributes import attribute_of, method_of
from .calls import Calls, keyed
from .context import Environment
from .databases import Statement, statement_in, stored_key
from .module import is_error_class
from .values import (
    ANY,
    CLIENT,
    ELEMENT,
    ERROR,
    INSTANCE,
    MAYBE,
    NOTHING,
    OUTPUT,
    PARAMETER,
    PROCESS,
    STATUS,
    STORE,
    Origin,
    Taint,
    as_text,
    at,
    below,
    bounded,
    elements_of,
    joined,
    listed,
    of_kind,
    split_name,
)

_APPLICATIONS = frozenset({"FastAPI", "Starlette", "Application", "Flask", "Quart", "Litestar", "Sanic"})


@dataclass
class Foreign(Calls):
    """A `Calls` that knows what common calls do with their arguments. `streams` are the buffers that standard error,
    standard output and the log are written into."""

    streams: dict[str, list[cst.BaseExpression]] = field(default_factory=dict)

    def unknown(self, call: cst.Call, qualified: str | None, arguments: Arguments, names: Environment) -> Taint:
        """Call something that is not the project's."""
        last = last_name(call.func)
        if last == "print" or last in PRINTS_ERROR:
            return self._print(call, last, arguments, names)
        if (kept := self._in_database(call, last, arguments)) is not None:
            return kept
        self._open_stream(call, last)
        if last in _APPLICATIONS:
            return frozenset({Origin(STORE, ".app", self.context.places.number(call))})
        result = self._later(call, qualified, arguments)
        if isinstance(call.func, cst.Attribute):
            own = self._method(call, call.func, last, arguments, names)
            if own is not None and not self._is_import(arguments.received):
                return result | own
            return result | (own or NOTHING) | self._function(call, last, qualified, arguments, names)
        return result | self._function(call, last, qualified, arguments, names)

    def _function(
        self, call: cst.Call, last: str, qualified: str | None, arguments: Arguments, names: Environment
    ) -> Taint:
        carried = bounded(arguments.carried)
        if isinstance(call.func, cst.Name):
            if last == "getattr" and len(call.args) >= 2:
                attribute = getattr_as_attribute(call)
                return as_text(arguments.positional(0)) if attribute is None else self.evaluate(attribute, names)
            if last in {"setattr", "setitem"} and len(call.args) == 3:
                self.put(call.args[0].value, (key_of(call.args[1].value),), arguments.positional(2), names)
                return NOTHING
            if last in SILENT:
                return NOTHING
            if last in MAKES_TEXT:
                return as_text(carried)
        if last in RENDERS:
            return as_text(carried)
        if is_error_class(qualified, self.context.facts.bases):
            return NOTHING
        rows = self._rows(carried)
        if (kept := _passed_on(last, arguments)) is not None:
            return kept | rows
        is_class = last[:1].isupper() and any(letter.islower() for letter in last)
        return (keyed(arguments) - of_kind(carried, INSTANCE) if is_class else NOTHING) | rows

    def _method(
        self, call: cst.Call, function: cst.Attribute, last: str, arguments: Arguments, names: Environment
    ) -> Taint | None:
        """Call a method of an object that is not of the project's class; None if the object says nothing."""
        received = arguments.received
        if last in LOGS and not of_kind(received, CLIENT, PROCESS, MAYBE, ERROR):
            return self._log(call, last, arguments, names)
        if (processes := self._of_process(received, last)) is not None:
            return processes
        if last in MUTATES and arguments.carried:
            self._mutate(call, function.value, last, arguments, names)
            if last != "setdefault":
                return NOTHING
        if last in RENDERS and (received or arguments.carried):
            return as_text(received | arguments.carried)
        if not received:
            return None
        if last in COUNTS:  # unless the object is of the project's class
            held = of_kind(received, PARAMETER)
            return frozenset(origin.part(f"{last}()") for origin in held if not origin.path)
        return self._of_object(call, function, last, arguments, names)

    def _of_object(
        self, call: cst.Call, function: cst.Attribute, last: str, arguments: Arguments, names: Environment
    ) -> Taint | None:
        """Return what a method gives of what an object keeps; None if it is not known."""
        received = arguments.received
        if last in ROW_WRITES:
            for origin in self._rows(received):
                self.keep(
                    origin.name.partition("#")[0], keyed(arguments) | arguments_under(call, arguments, "defaults")
                )
        keys = positional(call)
        key = key_of(keys[0]) if keys else ANY
        if last == "pop" and key not in {ANY, "0"}:
            result = below(received, key) | arguments.positional(1)
            self.remove(function.value, (key,), names)
            return result
        default = arguments.positional(1) if last in READS else NOTHING
        if last in {"model_copy", "copy", "_replace"}:
            default = arguments_under(call, arguments, "update") | keyed(arguments)
        result = method_of(received, last, key, self.context.facts) | self._rows(received, last) | default
        if not result and not of_kind(received, STORE):
            return None
        return result | self._rows(arguments.carried)

    def _of_process(self, received: Taint, method: str) -> Taint | None:
        """Return what a method of a process or of a connection gives; None if the object is neither."""
        clients = of_kind(received, CLIENT)
        if clients:
            is_command = method in COMMAND_METHODS
            return frozenset(Origin(PROCESS, "", origin.place) for origin in clients) if is_command else clients
        processes = frozenset(origin for origin in of_kind(received, PROCESS, OUTPUT) if not origin.path)
        if not processes or method == "communicate":
            return processes or None
        if method in STATUS_METHODS:
            return frozenset(Origin(STATUS, "", origin.place) for origin in processes)
        return attribute_of(processes, method, self.context.facts)

    def _rows(self, carried: Taint, method: str = "") -> Taint:
        """Return the classes among values of which a query may give objects: `session.get(Job, …)` gives a `Job`."""
        rows: set[Origin] = set()
        for origin in of_kind(carried, STORE):
            root, *parts = origin.name.split("#")
            is_query = all(part.endswith("()") or part in QUERIES for part in parts)
            is_class = root.rpartition(".")[2][:1].isupper() and is_query
            if is_class and not origin.path:
                known = root in self.context.facts.bases
                if self.context.facts.is_row(root) or (not known and self.context.gathered is not None):
                    rows.add(origin.part(f"{method}()") if method and not known else origin)
        return frozenset(rows)

    def _mutate(
        self, call: cst.Call, holder: cst.BaseExpression, method: str, arguments: Arguments, names: Environment
    ) -> None:
        """Put the arguments of `append`, `update` and the like into the object."""
        carried, received = arguments.carried, arguments.received
        keys = positional(call)
        if method in {"update", "publish"}:
            self.put_into(received, holder, (), keyed(arguments), names)
        elif method in {"setdefault", "__setitem__"}:
            self.put_into(received, holder, (key_of(keys[0]) if keys else ANY,), arguments.positional(1), names)
        elif method in {"extend", "extendleft", "writelines"}:
            self.put_into(received, holder, (ELEMENT,), elements_of(carried), names)
        elif method == "insert":
            self.put_into(received, holder, (ELEMENT,), arguments.positional(1), names)
        elif method == "write":
            self.put_into(received, holder, (), as_text(carried), names)
        else:
            self.put_into(received, holder, (ELEMENT,), carried, names)

    def _print(self, call: cst.Call, name: str, arguments: Arguments, names: Environment) -> Taint:
        """Put what is printed into the `file` that it is printed to."""
        target = argument(call, None, "file")
        texts = [as_text(item.carried) for item in arguments.items if item.keyword != "file"]
        if name in PRINTS_ERROR:
            texts.append(frozenset({Origin(ERROR, f"{name}()", self.context.places.number(call))}))
        targets = self.streams.get("stderr" if name in PRINTS_ERROR else "stdout", []) if target is None else [target]
        for buffer in targets:
            self.put(buffer, (), joined([*texts, as_text(arguments.received)]), names)
        return NOTHING

    def _is_import(self, received: Taint) -> bool:
        """Return whether an object is an imported name of which nothing is known: perhaps a module of a library."""
        facts = self.context.facts
        return bool(received) and all(
            origin.kind == STORE
            and "#" not in origin.name
            and origin.name not in facts.heap
            and not origin.path
            and origin.name not in facts.bases
            and not origin.name.startswith((".", self.context.module.name))
            for origin in received
        )

    def _log(self, call: cst.Call, level: str, arguments: Arguments, names: Environment) -> Taint:
        """Put what is logged into the buffers that a handler writes into."""
        if level == "exception" or arguments.carried:
            raw = frozenset({Origin(ERROR, "a log", self.context.places.number(call))})
            for buffer in self.streams.get("log", ()):
                self.put(buffer, (), raw, names)
        return NOTHING

    def _open_stream(self, call: cst.Call, last: str) -> None:
        """Note the buffer that `redirect_stderr(buffer)` or `StreamHandler(buffer)` writes into."""
        stream = STREAMS.get(last)
        if stream is not None and (values := positional(call)):
            self.streams.setdefault(stream, []).append(values[0])

    def _in_database(self, call: cst.Call, last: str, arguments: Arguments) -> Taint | None:
        """Write to, or read from, a table or a key-value store; None if the call does neither."""
        place = self.context.places.number(call)
        for item in arguments.items:
            if (statement := statement_in(item.value)) is not None:
                values = [other for other in arguments.items if other is not item]
                carried = joined(other.carried for other in values)
                for column, key in statement.written:
                    part = below(carried, key)
                    self.keep(f"table:{statement.table}", at(part, column))
                return rows_of(statement, place)
        kept = stored_key(call, last)
        if kept is None:
            return None
        store, path, value = kept
        if value is not None:
            self.keep(store, at(arguments.of(value), *path))
            return NOTHING
        name = "#".join((store, *path))
        return frozenset({Origin(STORE, name, place)})

    def _later(self, call: cst.Call, qualified: str | None, arguments: Arguments) -> Taint:
        """Return the result of what another module may define, for the summary; note what is passed to it."""
        module = self.context.module
        if self.context.gathered is None:
            return NOTHING
        place = self.context.places.number(call)
        if (
            qualified is not None
            and module.is_known(call.func)
            and not module.is_own(call.func)
            and not module.is_foreign(qualified)
        ):
            self.hand_on(f"{qualified}()", arguments)
            return frozenset({Origin(STORE, f"{qualified}()", place)})
        if not isinstance(call.func, cst.Attribute):
            return NOTHING
        method = call.func.attr.value
        result: set[Origin] = set()
        if self.class_name is not None:
            for origin in of_kind(arguments.received, PARAMETER):
                parameter, _, parts = split_name(origin.name)
                if parameter == "self" and not origin.path:
                    self.hand_on("#".join((f"{module.name}.{self.class_name}", *parts, f"{method}()")), arguments)
        for origin in of_kind(arguments.received, STORE):
            if not origin.path and not self.context.heap.classes_of(origin.name):
                has_key = method in READS and bool(call.args)
                symbol = origin.part(f"{method}:()" if has_key else f"{method}()")
                self.hand_on(symbol.name, arguments)
                result.add(symbol)
        return frozenset(result)


def _passed_on(function: str, arguments: Arguments) -> Taint | None:
    """Return what the result of a function of Python's own has of its arguments; None for one that is not known."""
    carried = bounded(arguments.carried)
    if function in {"next", "max", "min"}:
        return elements_of(carried)
    if function in {"list", "tuple", "sorted", "reversed", "iter", "set", "frozenset"}:
        return listed(carried)
    if function in {"replace", "evolve"} and any(item.keyword for item in arguments.items):
        return arguments.positional(0) | keyed(arguments.without_first(1))
    if function in {"dict", "SimpleNamespace"}:
        return keyed(arguments)
    if function in KEEPS_KEYS:
        return carried
    if function == "enumerate":
        has_keys = any(origin.path for origin in carried)
        return at(elements_of(carried), ELEMENT, "1") if has_keys else at(carried, "1")
    if function in PASSES:
        return as_text(carried) | of_kind(carried, STORE)
    return None


def rows_of(statement: Statement, place: int) -> Taint:
    """Return what the result of a query carries: one row or many, by the names of its columns or by their numbers."""
    table = f"table:{statement.table}"
    rows = set()
    for index, column in enumerate(statement.read):
        if column == ANY:
            return frozenset({Origin(STORE, table, place)})
        for key in (column, str(index)):
            rows |= {Origin(STORE, f"{table}#{column}", place, (), path) for path in ((key,), (ELEMENT, key))}
    return frozenset(rows)


def arguments_under(call: cst.Call, arguments: Arguments, keyword: str) -> Taint:
    """Return what the argument with that keyword carries."""
    value = argument(call, None, keyword)
    return NOTHING if value is None else arguments.of(value)
