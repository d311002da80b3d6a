"""The values that settings take, checked each by itself and normalised."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from pydantic import BaseModel

from rotlab.planning.inits import ways
from rotlab.planning.space.defaults import Defaults, init_that_reads
from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import Refusal
from rotlab.planning.space.report import Report
from rotlab.planning.space.sections import CHOICES, refuse_what_no_init_reads
from rotlab.planning.space.settings import Made, make_section, plain
from rotlab.planning.space.source import Place

_TRIED = 10_000  # combinations, to find one that a value goes with

Row = Mapping[str, Any]  # setting -> value: what holds together


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it is written for a setting that it may vary, and where."""

    setting: str
    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Together:
    """Which values hold together, for rules that bind several settings.

    Args:
        crossed: of each factor, its rows; every combination of them is an arm. None: there is
            no grid.
        single: rows that stand by themselves.
    """

    crossed: Sequence[Sequence[Row]] | None
    single: Sequence[Row]

    def of_section(self, section: str) -> Iterator[Row]:
        """Yield what a section's settings are together: field -> value, of those that vary."""
        if self.crossed is not None:
            crossed = [_different(_part(section, row) for row in rows) for rows in self.crossed]
            for rows in product(*crossed):
                yield {name: value for row in rows for name, value in row.items()}
        yield from _different(_part(section, row) for row in self.single)


class Normal:
    """The forms that settings give to values as they are written."""

    def __init__(self) -> None:
        self._forms: dict[tuple[str, str], Any] = {}

    def add(self, setting: str, value: object, form: object) -> None:
        """Note the form of a value."""
        self._forms[setting, as_text(value)] = form

    def get(self, setting: str, value: object) -> Any:  # noqa: ANN401  # plain values of any sort
        """Return the form of a value; one that is out of order keeps the form that it has."""
        return self._forms.get((setting, as_text(value)), value)


def as_text(value: object) -> str:
    """Return a text that values share which are written alike, be they in order or not."""
    return json.dumps(value, sort_keys=True)


def check_values(
    report: Report,
    defaults: Defaults,
    written: Sequence[Written],
    together: Together,
    starts: list[str],
) -> Normal:
    """Return the form of every value that is written, after noting those that are out of order.

    The fixed values are checked as well, because some rules bind several settings.

    Args:
        report: notes what is wrong.
        defaults: what the file fixes.
        written: every value of every setting that varies.
        together: which of them hold together.
        starts: the inits of the file.
    """
    normal = Normal()
    for one in written:
        if one.setting in CHOICES and one.value not in CHOICES[one.setting]():
            valid = CHOICES[one.setting]()
            report.add(one.place, unknown(one.setting, one.value, valid))
    for section in defaults.known.sections:
        varied: dict[str, list[Written]] = {}
        for one in written:
            if one.setting.partition(".")[0] == section and one.setting not in CHOICES:
                varied.setdefault(one.setting.partition(".")[2], []).append(one)
        given = defaults.fixed.get(section, {})
        refuse_what_no_init_reads(report, section, given, starts)
        for start, fields in _ways(section, (*given, *varied), starts).items():
            fixed = {field: value for field, value in given.items() if field in fields}
            of_fields = [one for field in varied if field in fields for one in varied[field]]
            _Section(report, defaults, section, fixed, start).check(of_fields, together, normal)
    return normal


def _ways(section: str, fields: tuple[str, ...], starts: list[str]) -> dict[str, tuple[str, ...]]:
    """Inits that read a section differently -> what each reads, until all fields are read."""
    found = ways(section, fields, starts)
    read = {field for of_init in found.values() for field in of_init}
    for field in fields:
        if field not in read:  # it collapses, but its values are to be valid all the same
            reader = init_that_reads(section, field, starts)
            found[reader] = (*found.get(reader, ()), field)
    return found


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of settings as networks of one init read it."""

    report: Report
    defaults: Defaults
    name: str
    fixed: Mapping[str, Any]
    init: str

    def check(self, written: Sequence[Written], together: Together, normal: Normal) -> None:
        before = len(self.report.problems)
        places: dict[str | None, Place] = {field: (self.name, field) for field in self.fixed}
        self._note(self._make({}), places)
        alone = []
        known: dict[tuple[str, str], Made] = {}  # many arms name the same values
        for one in written:
            field = one.setting.partition(".")[2]
            text = as_text(one.value)
            if (field, text) not in known:
                known[field, text] = self._make({field: one.value})
            made = known[field, text]
            self._note(made, {field: one.place})
            alone.append((one, field, made))
        if len(self.report.problems) > before:
            return
        for one, field, made in alone:
            if isinstance(made, BaseModel):
                normal.add(one.setting, one.value, plain(getattr(made, field)))
        lacking = [
            (one.setting, field, one.value)
            for one, field, made in alone
            if not isinstance(made, BaseModel)
        ]
        self._check_together([one.place for one in written], lacking, together, normal)

    def _check_together(
        self,
        places: Sequence[Place],
        lacking: list[tuple[str, str, Any]],
        together: Together,
        normal: Normal,
    ) -> None:
        """Find a combination that is in order, and one for every value that lacks its form."""
        refused: tuple[Refusal, ...] = ()
        is_good = False
        tried = 0
        for row in islice(together.of_section(self.name), _TRIED):
            made = self._make(row)
            tried += 1
            if isinstance(made, tuple):
                refused = refused or made
                continue
            is_good = True
            for setting, field, value in [one for one in lacking if _holds(row, *one[1:])]:
                normal.add(setting, value, plain(getattr(made, field)))
            lacking = [one for one in lacking if not _holds(row, *one[1:])]
            if not lacking:
                return
        if not is_good and tried < _TRIED:  # else one may yet be; the plan tells
            at = _list_of(places[0]) if places else (self.name,)
            for refusal in refused:
                self.report.add(at, refusal.text)

    def _make(self, changes: Mapping[str, Any]) -> Made:
        model = self.defaults.known.sections[self.name]
        given = {**self.fixed, **changes}
        return make_section(model, self.name, self.defaults.base, given, self.init)

    def _note(self, made: Made, places: Mapping[str | None, Place]) -> None:
        """Note the refusals of single fields, of those fields that have a place."""
        for refusal in made if isinstance(made, tuple) else ():
            if refusal.field in places:
                self.report.add((*places[refusal.field], *refusal.place), refusal.text)


def _holds(row: Row, field: str, value: object) -> bool:
    return field in row and as_text(row[field]) == as_text(value)


def _list_of(place: Place) -> Place:
    """The place of the list that a value stands in; of a value that stands alone, its own."""
    return place[:-1] if isinstance(place[-1], int) else place


def _part(section: str, row: Row) -> Row:
    names = {name: name.partition(".") for name in row}
    return {names[name][2]: row[name] for name in row if names[name][0] == section}


def _different(rows: Iterable[Row]) -> list[Row]:
    return list({as_text(row): row for row in rows}.values())
