"""A filter of cells as a tree, parsed from text such as `rotations == 4 and modality == 'fusion'`.

    or, and, not, ( )      as in Python
    == != < <= > >=        between names, numbers, texts in quotes, true, false, none
    in [2, 4], not in ...  one of some values
    is missing, is not missing

Names are words, dotted ones too; any other stands in backticks. Nothing is ever executed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from rotnet.errors import UserError

Comparator = Literal["==", "!=", "<", "<=", ">", ">="]

_TOKENS = re.compile(
    r"""\s*(?:(?P<text>'[^']*'|"[^"]*")
    |(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<quoted>`[^`]+`)
    |(?P<word>[^\W\d]\w*(?:\.\w+)*)
    |(?P<sign>==|!=|<=|>=|<|>|[()\[\],]))""",
    re.VERBOSE,
)
_COMPARATORS = ("==", "!=", "<", "<=", ">", ">=")
_KEYWORDS = ("and", "or", "not", "in", "is", "missing")
_CONSTANTS = {"true": True, "false": False, "none": None}
_CLOSING = {"(": ")", "[": "]"}
_DEEPEST = 50


class FilterError(UserError):
    """A filter cannot be read, or does not go with the cells that it is to filter."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column, as it was written."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A value."""

    value: float | int | str | bool | None
    position: int


@dataclass(frozen=True, slots=True)
class Compare:
    """Whether two values stand to each other so."""

    left: Name | Constant
    comparator: Comparator
    right: Name | Constant


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value is one of some."""

    left: Name | Constant
    among: tuple[Constant, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether there is no value."""

    name: Name
    negated: bool


@dataclass(frozen=True, slots=True)
class Negation:
    """Whether something is not so."""

    of: "Expression"


@dataclass(frozen=True, slots=True)
class Junction:
    """Whether all, or any, are so."""

    word: Literal["and", "or"]
    parts: tuple["Expression", ...]


Expression = Compare | OneOf | Missing | Negation | Junction


def parse(text: str) -> Expression:
    """Return the tree of a filter.

    Raises:
        FilterError: if it cannot be read: with the position, counted from 1, and what stands there.
    """
    parser = _Parser(text)
    tree = parser.junction("or")
    parser.end()
    return tree


def refusal(text: str, position: int, why: str) -> FilterError:
    """Return the error of a filter at a position, counted from 0."""
    return FilterError(f"filter {text!r}, position {position + 1}: {why}")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


class _Parser:
    """Reads tokens from the left, one ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def junction(self, word: Literal["and", "or"]) -> Expression:
        part: Callable[[], Expression] = (
            (lambda: self.junction("and")) if word == "or" else self._negation
        )
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def end(self) -> None:
        if self._token.kind != "end":
            raise self._refused("expected and, or, or the end")

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _negation(self) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refused(f"nested more than {_DEEPEST} deep")
        try:
            if self._take("not"):
                return Negation(self._negation())
            if self._take("("):
                inner = self.junction("or")
                self._expect(")")
                return inner
            return self._test()
        finally:
            self._depth -= 1

    def _test(self) -> Expression:
        left = self._operand()
        if self._token.text in _COMPARATORS and self._token.kind == "sign":
            comparator = cast("Comparator", self._step().text)
            return Compare(left, comparator, self._operand())
        if self._take("is"):
            negated = self._take("not")
            if not self._take("missing"):
                raise self._refused("expected missing")
            if isinstance(left, Constant):
                raise refusal(self._text, left.position, "a column can be missing, a value cannot")
            return Missing(left, negated)
        negated = self._take("not")
        if self._take("in"):
            return OneOf(left, self._list(), negated)
        raise self._refused(f"expected {' '.join(_COMPARATORS)}, in, not in or is missing")

    def _list(self) -> tuple[Constant, ...]:
        opening = self._token.text
        if opening not in _CLOSING:
            raise self._refused("expected a list, as in [2, 4]")
        self._step()
        values = [self._constant()]
        while self._take(","):
            values.append(self._constant())
        self._expect(_CLOSING[opening])
        return tuple(values)

    def _constant(self) -> Constant:
        found = self._operand()
        if isinstance(found, Name):
            raise refusal(self._text, found.position, f"text is written in quotes: '{found.name}'")
        return found

    def _operand(self) -> Name | Constant:
        token = self._token
        word = token.text.lower()
        if token.kind == "quoted":
            self._step()
            return Name(token.text[1:-1], token.position)
        if token.kind == "text":
            self._step()
            return Constant(token.text[1:-1], token.position)
        if token.kind == "number":
            self._step()
            plain = token.text.lstrip("-").isdigit()
            return Constant(int(token.text) if plain else float(token.text), token.position)
        if token.kind == "word" and word in _CONSTANTS:
            self._step()
            return Constant(_CONSTANTS[word], token.position)
        if token.kind == "word" and word not in _KEYWORDS:
            self._step()
            return Name(token.text, token.position)
        raise self._refused("expected a column or a value")

    def _take(self, wanted: str) -> bool:
        token = self._token
        found = token.kind in ("word", "sign") and token.text.lower() == wanted
        if found:
            self._next += 1
        return found

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._refused(f"expected {wanted}")

    def _step(self) -> _Token:
        token = self._token
        self._next += 1
        return token

    def _refused(self, why: str) -> FilterError:
        found = f"found {self._token.text}" if self._token.text else "it ends there"
        return refusal(self._text, self._token.position, f"{why}; {found}")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKENS.match(text, position)
        if match is None or match.lastgroup is None:
            start = len(text) - len(text[position:].lstrip())
            raise refusal(text, start, _odd(text[start]))
        kind = match.lastgroup
        found.append(_Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return [*found, _Token("end", "", end)]


def _odd(sign: str) -> str:
    match sign:
        case "=":
            return "= alone is not known; write == for equal"
        case "'" | '"' | "`":
            return f"no {sign} closes this one"
        case "&" | "|" | "~" | "!":
            return f"{sign} is not known; write and, or, not"
        case _:
            return (
                f"{sign} is not known; a column with such a name stands in backticks, `like-this`"
            )
