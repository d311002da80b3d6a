"""The page itself: sections in their order, styles and scripts within, nothing fetched.

Plots are drawn by plotly.js as its Python package brings it, whole: 4.8 MB of the page. Lighter
builds of it come from other registries only and would have to be kept here by hand. Pictures of
attention are 1 MB at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from rotlab.execution.search.importance import Importance
from rotlab.planning.plan.findings import Finding
from rotlab.planning.plan.fronts import Front
from rotlab.planning.plan.pedigree import Pedigree
from rotlab.reporting.arms import DONE
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.outside import Outside
from rotlab.reporting.page.attention import attention_html, looks_of
from rotlab.reporting.page.confusions import confusions_html, pretexts_of, results_of, summed
from rotlab.reporting.page.facts import Source, cost_columns, failed, last_line, provenance
from rotlab.reporting.page.learning import curves_html, stage_names
from rotlab.reporting.page.markup import listed, paragraph, section, table, text
from rotlab.reporting.page.populations import populations_html
from rotlab.reporting.page.results_html import answer, comparison_html, ranks_html
from rotlab.reporting.page.rotations import rotations_html
from rotlab.reporting.page.searches import found_html, fronts_html, searches_html
from rotlab.reporting.report import notes, title
from rotlab.reporting.sentences import show_value
from rotlab.reporting.tables import Column
from rotlab.tracking.confusions import Confusion
from rotlab.tracking.query import STAGES
from rotlab.tracking.stage_runs import Curve, StageRun
from rotnet.pictures.strip import Strip

MOST_CELLS = 2000
MOST_FAILURES = 100  # with their errors
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Study:
    """All that a page is made from.

    Args:
        frame: as `rotlab.tracking.query.results` returns it.
        comparisons: made from it.
        stages: that have a run.
        curves: stage key -> metric -> values by step.
        outside: other people's numbers.
        source: where all this comes from.
        confusions: stage key -> what it took for what.
        found: what each search has found, and by how many tries.
        searches: what settings mattered in those that have ended.
        attention: stage key -> where its network looks; None: that is not to be shown.
        populations: lineages of those that were trained.
        fronts: what searches that have several objectives had to choose between.
    """

    frame: pd.DataFrame
    comparisons: Sequence[Comparison]
    stages: Sequence[StageRun]
    curves: Mapping[str, Mapping[str, Curve]]
    outside: Sequence[Outside]
    source: Source
    confusions: Mapping[str, Confusion] = field(default_factory=dict)
    searches: Sequence[Importance] = ()
    attention: Mapping[str, Strip] | None = None
    populations: Sequence[Pedigree] = ()
    fronts: Sequence[Front] = ()
    found: Sequence[Finding] = ()


def page(study: Study, every_s: float | None = None) -> str:
    """Return the whole page.

    Args:
        study: what it shows.
        every_s: seconds after which it loads itself again, as it was left; None: it never does.
    """
    question = study.frame.attrs["question"] or f"What does {study.source.study} show?"
    found = _sections(study)
    links = "".join(
        f'<li><a href="#{text(name)}">{text(head)}</a></li>' for name, head, body in found if body
    )
    body = "\n".join(section(name, head, held) for name, head, held in found)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{text(study.source.study)}: {text(question)}</title>
<style>
{_asset("page.css")}
</style>
</head>
<body>
<header>
<p class="note">Study {text(study.source.study)}</p>
{_following(study.source, every_s)}<h1>{text(question)}</h1>
<div class="answer" role="note" aria-label="Answer">{answer(study.comparisons)}</div>
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{body}
</main>
<script>{get_plotlyjs()}</script>
<script>
{_asset("page.js")}
</script>
</body>
</html>
"""


def _following(source: Source, every_s: float | None) -> str:
    """What a page that is written anew says of its age, and the box that has it stay as it is."""
    if every_s is None:
        return ""
    return (
        f'<p class="note" id="following" data-made="{source.made.isoformat()}" '
        f'data-every="{every_s:g}"><span id="age">as of {source.made:%H:%M:%S} UTC</span> '
        '<label><input type="checkbox" id="again" checked> load again by itself</label></p>\n'
    )


def _sections(study: Study) -> list[tuple[str, str, str]]:
    """Identity, heading and body of each section, in order."""
    names = stage_names(study.stages, study.frame)
    compared = [
        (f"results-{number}", title(one), comparison_html(number, one, study.outside))
        for number, one in enumerate(study.comparisons, start=1)
    ]
    return [
        *compared,
        ("ranks", "Over data sets", ranks_html(study.comparisons)),
        ("confusions", "What is taken for what", _confusions(study)),
        ("rotations", "Rotations told apart", _rotations(study, names)),
        ("attention", "Where networks look", _attention(study, names)),
        ("found", "What searches found", found_html(study.found)),
        ("searches", "Which settings mattered", searches_html(study.searches)),
        ("populations", "What populations came to", populations_html(study.populations)),
        ("fronts", "What searches had to choose between", fronts_html(study.fronts)),
        ("learning", "Learning curves", curves_html(study.stages, study.curves, names)),
        ("cost", "Cost and sharing", _cost(study)),
        ("failures", "Failures and what is missing", _failures(study)),
        ("cells", "All cells", _cells(study.frame)),
        ("reading", "How to read this", listed(notes(list(study.comparisons)))),
        ("provenance", "Where it comes from", _provenance(study)),
    ]


def _confusions(study: Study) -> str:
    sums = summed(results_of(study.frame), study.confusions)
    return confusions_html("confusion", sums, "videos")


def _rotations(study: Study, names: Mapping[str, str]) -> str:
    sums = summed(pretexts_of(study.stages, names), study.confusions)
    told = rotations_html(study.stages, names)
    return told + confusions_html("rotation", sums, "views of held-out videos")


def _attention(study: Study, names: Mapping[str, str]) -> str:
    if study.attention is None:
        return ""
    return attention_html(looks_of(study.frame, study.stages, names), study.attention)


def _cost(study: Study) -> str:
    if not study.stages:
        return ""
    said = (
        'Hours are those of last attempts. "Cell by cell" counts a stage for every cell that needs '
        'it; "saved" is the hours that would take over those it took.'
    )
    columns = cost_columns(study.stages, study.frame)
    return table("cost-kinds", "Stages by kind", columns) + paragraph(said, "note")


def _failures(study: Study) -> str:
    parts, ended = [], failed(study.stages)
    for one in ended[:MOST_FAILURES]:
        head = f"{one.kind} {one.key[:12]}, {one.state.lower()}: {last_line(one.error)}"
        parts.append(
            f"<details><summary>{text(head)}</summary><pre>{text(one.error)}</pre></details>"
        )
    if len(ended) > MOST_FAILURES:
        said = f"{MOST_FAILURES} of {len(ended)} are shown; rotlab.history has all."
        parts.append(paragraph(said, "note"))
    lost = study.frame[~study.frame["state"].isin(DONE)]
    if len(lost):
        caption = f"{len(lost)} of {len(study.frame)} cells have no result"
        parts.append(table("missing", caption, _cell_columns(lost.head(MOST_CELLS), [])))
    return "".join(parts) or paragraph(f"None: all {len(study.frame)} cells have a result.")


def _cells(frame: pd.DataFrame) -> str:
    metrics = [name for name in frame.attrs["metrics"] if not name.startswith("chance")]
    shown = frame.head(MOST_CELLS)
    caption = f"{len(shown)} of {len(frame)} cells"
    if len(frame) > len(shown):
        caption += "; rotlab results --format csv has all"
    return f"<details><summary>{text(caption)}</summary>" + (
        table("all-cells", caption, _cell_columns(shown, metrics)) + "</details>"
    )


def _cell_columns(frame: pd.DataFrame, metrics: Sequence[str]) -> list[Column]:
    axes: list[str] = frame.attrs["axes"]
    plain = [name for name in frame.columns if name not in (*axes, *frame.attrs["metrics"], STAGES)]
    columns = [
        Column(axis, tuple("-" if value is None else show_value(value) for value in frame[axis]))
        for axis in axes
    ]
    columns += [
        Column(str(name), tuple("-" if pd.isna(value) else str(value) for value in frame[name]))
        for name in plain
    ]
    columns += [
        Column(
            name,
            tuple("-" if pd.isna(value) else f"{value:.4g}" for value in frame[name]),
            number=True,
        )
        for name in metrics
    ]
    return columns


def _provenance(study: Study) -> str:
    facts = provenance(study.source, study.frame, study.stages)
    return "<dl>" + "".join(f"<dt>{text(a)}</dt><dd>{text(b)}</dd>" for a, b in facts) + "</dl>"


def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
