"""Writes f-strings of Python 3.12 and t-strings of 3.14 as an f-string that 3.11 reads, of the same length.

Since PEP 701 the fields of an f-string may hold anything: the same quotes again, backslashes, comments, line breaks.
The older parser takes none of these. So inside a field a string changes its quotes, a backslash becomes `_`, a
comment blanks, and an f-string becomes the tuple of what its own fields hold.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"(?P<comment>#[^\r\n]*)|(?<![^\W\d])(?P<prefix>[a-zA-Z]{0,2})(?P<quote>\"{3}|'{3}|\"|')")
_FORMATTED = frozenset("fFtT")


def downlevel_fstrings(text: str) -> str:
    """Return the text with its f-strings and t-strings in the older form. Never raises: broken strings stay as they
    are."""
    scanner = _Scanner(text)
    scanner.code()
    return "".join(scanner.out)


class _Scanner:
    """Walks over the text once and changes `out`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out = list(text)

    def code(self) -> None:
        """Change all of the text."""
        position = 0
        while (token := _CODE.search(self.text, position)) is not None:
            if token["comment"] is not None:
                position = token.end()
            elif _FORMATTED & set(token["prefix"]):
                for index in range(token.start("prefix"), token.end("prefix")):
                    if self.text[index] in "tT":
                        self.out[index] = "f"
                raw = "r" in token["prefix"].lower()
                position = self._formatted(token.end(), token["quote"], raw, token["quote"][0])
                if len(token["quote"]) == 1 and "\n" in self.text[token.start() : position]:
                    self.out[token.start() : position] = self.text[token.start() : position]
                    position = self._as_tuple(token, token["quote"][0])  # only that may hold a line break
            else:
                position = self._plain_end(token.end(), token["quote"])

    def _plain_end(self, position: int, quote: str) -> int:
        while position < len(self.text):
            if self.text.startswith(quote, position):
                return position + len(quote)
            if len(quote) == 1 and self.text[position] in "\r\n":
                return position
            position += 2 if self.text[position] == "\\" else 1
        return position

    def _formatted(self, position: int, quote: str, raw: bool, outer: str) -> int:
        """Change an outermost f-string, from after its opening quote. Return where it ends."""
        while position < len(self.text):
            if self.text.startswith(quote, position):
                return position + len(quote)
            character = self.text[position]
            if len(quote) == 1 and character in "\r\n":
                return position
            if character == "\\" and not raw:
                position += 3 if self.text.startswith("\\N{", position) else 2
            elif character == "{" and not self.text.startswith("{{", position):
                position = self._field(position + 1, outer)
            else:
                position += 2 if self.text.startswith(("{{", "}}"), position) else 1
        return position

    def _field(self, position: int, outer: str, nested: bool = False) -> int:
        """Change a field, from after its opening brace. Return the position after its closing brace."""
        depth = 0
        while position < len(self.text):
            character = self.text[position]
            token = _CODE.match(self.text, position)
            if token is not None and token["comment"] is None:
                position = self._string_in_field(token, outer)
            elif token is not None:
                self._blank(position, token.end())
                position = token.end()
            elif character == "}" and depth == 0:
                return position + 1
            elif depth == 0 and (character == ":" or (character == "!" and not self.text.startswith("!=", position))):
                return self._specification(position, outer, nested)
            else:
                depth += (character in "([{") - (character in ")]}")
                if character == "\\":
                    self.out[position] = " "
                position += 1
        return position

    def _specification(self, position: int, outer: str, nested: bool) -> int:
        """Change a field's conversion and format; blank them inside a nested f-string. Return the position after the
        field's closing brace."""
        start = position
        while position < len(self.text):
            character = self.text[position]
            if character == "{":
                position = self._field(position + 1, outer)
            elif character == "}":
                if nested:
                    self._blank(start, position)
                return position + 1
            else:
                position += 1
        return position

    def _string_in_field(self, token: re.Match[str], outer: str) -> int:
        if _FORMATTED & set(token["prefix"]):
            return self._as_tuple(token, outer)
        end = self._plain_end(token.end(), token["quote"])
        other = "'" if outer == '"' else '"'
        width = len(token["quote"])
        for index in (*range(token.end() - width, token.end()), *range(end - width, end)):
            self.out[index] = other
        for index in range(token.end(), end - width):
            if self.text[index] in ("\\", '"', "'"):
                self.out[index] = "_"
        return end

    def _as_tuple(self, token: re.Match[str], outer: str) -> int:
        """Change an f-string inside a field into the tuple of its fields' values. Return where it ends."""
        quote, position = token["quote"], token.end()
        self._blank(token.start(), token.end())
        self.out[token.end() - 1] = "("
        first = True
        while position < len(self.text) and not self.text.startswith(quote, position):
            if self.text.startswith(("{{", "}}"), position) or self.text[position] == "\\":
                self._blank(position, position + 2)
                position += 2
            elif self.text[position] == "{":
                self.out[position] = " " if first else ","
                position = self._field(position + 1, outer, nested=True)
                if position <= len(self.text):
                    self.out[position - 1] = " "
                first = False
            else:
                self._blank(position, position + 1)
                position += 1
        end = min(position + len(quote), len(self.text))
        self._blank(position, end)
        if end > position:
            self.out[end - 1] = ")"
        return end

    def _blank(self, start: int, end: int) -> None:
        for index in range(start, min(end, len(self.out))):
            if self.out[index] not in "\r\n":
                self.out[index] = " "
