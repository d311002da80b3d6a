"""Which stage kinds make a cell's result, and which settings they read between them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rotlab.planning.inits import PRETEXT, SUPERVISED, fits, imposed, inits, is_pretext, reads
from rotlab.planning.kinds import sections_of
from rotlab.planning.stage import Input, Role, StageKind

SECOND_SEED = 1_000_000  # added to a replicate's seed for the second of two equal members


@dataclass(frozen=True, slots=True)
class Member:
    """One chain of stages of a cell.

    Args:
        name: as the joining stage knows it.
        modality: of its networks.
        seed_offset: added to the replicate's seed, so that two chains of one modality differ and
            share nothing with another replicate.
    """

    name: str
    modality: str
    seed_offset: int = 0


_RGB, _DIF = Member("rgb", "rgb"), Member("dif", "dif")
MODALITIES: Mapping[str, tuple[Member, ...]] = {
    "rgb": (_RGB,),
    "dif": (_DIF,),
    "fusion": (_RGB, _DIF),
    "rgb+rgb": (_RGB, Member("rgb-2", "rgb", SECOND_SEED)),
    "dif+dif": (_DIF, Member("dif-2", "dif", SECOND_SEED)),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A stage kind in a chain, and the init that its part of the chain is made for."""

    kind: StageKind
    init: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The chain of stage kinds behind one sort of cell.

    Args:
        init: what the network starts from.
        members: the chains that are made, one or several.
        scorer: kind of the last stage of each chain.
        joiner: kind of the stage that joins the chains; None for a single one.
        links: the kinds of all stages, last first.
        choices: those of init and modality that make a difference.
    """

    init: str
    members: tuple[Member, ...]
    scorer: StageKind
    joiner: StageKind | None
    links: tuple[Link, ...]
    choices: frozenset[str]

    def reads(self, axis: str) -> bool:
        """Say whether an axis ("clip.frames", "init") makes a difference to such cells."""
        section, _, field = axis.partition(".")
        return axis in self.choices or any(
            section in sections_of(link.kind) and reads(link.init, section, field)
            for link in self.links
        )

    def work(self) -> tuple[object, ...]:
        """Return what tells such cells from those of another init: equal work, equal values."""
        return tuple(
            (
                link.kind.name,
                tuple(source.name + source.kind for source in _taken(link, self.members[0])),
                "weights" in roles_of(link.kind, link.init),
                tuple(
                    (section, *sorted(imposed(link.init, section).items()))
                    for section in sections_of(link.kind)
                ),
            )
            for link in self.links
        )


class ImpossibleError(ValueError):
    """There can be no such cell.

    Args:
        choice: that makes it so, "init" or "modality".
        why: in words.
    """

    def __init__(self, choice: str, why: str) -> None:
        super().__init__(why)
        self.choice = choice


def shape_of(measure: str, init: str, modality: str, kinds: Mapping[str, StageKind]) -> Shape:
    """Return what a cell is made of: the measured kind, what it needs, what scores and joins it.

    Raises:
        ImpossibleError: there can be no such cell; it says why.
    """
    if why := why_no_init(measure, init, kinds):
        raise ImpossibleError("init", why)
    if why := why_no_modality(measure, modality, kinds):
        raise ImpossibleError("modality", why)
    scorer = _scorer(measure, kinds)
    choices = _choices(scorer, kinds)
    members = MODALITIES[modality] if "modality" in choices else (_RGB,)
    links = list(_links(scorer, init, kinds))
    joiner = kinds[scorer.joined_by] if len(members) > 1 and scorer.joined_by else None
    if joiner:
        links.append(Link(joiner, init))
    return Shape(init, members, scorer, joiner, tuple(links), frozenset(choices))


def why_no_init(measure: str, init: str, kinds: Mapping[str, StageKind]) -> str | None:
    """Return why a measure cannot be made of networks with this init, None where it can."""
    for link in _links(_scorer(measure, kinds), init, kinds):
        allowed = link.kind.inits
        if allowed is not None and not fits(link.init, allowed):
            can = ", ".join(one for one in inits() if fits(one, allowed))
            return f"{measure!r} has no networks whose init is {init}; it can be {can}"
    return None


def why_no_modality(measure: str, modality: str, kinds: Mapping[str, StageKind]) -> str | None:
    """Return why a measure cannot be made for a modality, None where it can."""
    scorer = _scorer(measure, kinds)
    if len(MODALITIES[modality]) == 1 or scorer.joined_by is not None:
        return None
    if "modality" not in _choices(scorer, kinds):
        return None
    return f"{scorer.name!r} cannot be fused: no stage kind joins its results"


def applies(source: Input, init: str, modality: str) -> bool:
    """Say whether a kind takes this input in a cell with these choices."""
    if source.only_if is None:
        return True
    choice, value = source.only_if
    if choice == "init" and value == PRETEXT:
        return is_pretext(init)
    return {"init": init, "modality": modality}[choice] == value


def roles_of(kind: StageKind, init: str) -> tuple[Role, ...]:
    """Return the roles of the data that a kind is given where networks have this init."""
    return tuple(role for role in kind.roles if role != "weights" or init == SUPERVISED)


def _scorer(measure: str, kinds: Mapping[str, StageKind]) -> StageKind:
    measured = kinds[measure]
    return kinds[measured.scored_by] if measured.scored_by else measured


def _taken(link: Link, member: Member) -> Iterator[Input]:
    return (one for one in link.kind.inputs if applies(one, link.init, member.modality))


def _choices(last: StageKind, kinds: Mapping[str, StageKind]) -> set[str]:
    """Which of init and modality could make a difference to a result, whatever the other one is."""
    behind = {link.kind.name for init in inits() for link in _links(last, init, kinds)}
    found = {
        source.only_if[0] for name in behind for source in kinds[name].inputs if source.only_if
    }
    found |= {"modality" for name in behind if "modality" in kinds[name].config.model_fields}
    found |= {"init" for name in behind if kinds[name].inits is not None}
    return found | {"init" for name in behind if "weights" in kinds[name].roles}


def _links(last: StageKind, init: str, kinds: Mapping[str, StageKind]) -> Iterator[Link]:
    """The kinds behind a result, last first; an input that depends on the modality counts."""
    found = [Link(last, init)]
    for link in found:
        yield link
        for source in link.kind.inputs:
            taken = any(
                applies(source, link.init, member.modality)
                for members in MODALITIES.values()
                for member in members
            )
            above = Link(kinds[source.kind], source.init or link.init)
            if taken and above not in found:
                found.append(above)
