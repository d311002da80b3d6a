"""The page in headless Chromium, where there is one: what its scripts do."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rotlab.reporting.page.page import Study, page
from tests.rotlab.reporting.pages import Frame, looked_at, make_study

_PROBE = """
<script>
const table = document.getElementById("c1-arms");
const column = () => [...table.tBodies[0].rows].filter((row) => !row.hidden)
  .map((row) => row.cells[3].textContent);
const mean = [...table.tHead.rows[0].cells][3];
const said = { head: mean.textContent };
mean.querySelector("button").click();
said.ascending = column(); said.sort = mean.getAttribute("aria-sort");
mean.querySelector("button").click();
said.descending = column();
const box = document.getElementById("c1-arms-filter");
box.value = "dif rotation"; box.dispatchEvent(new Event("input"));
said.kept = column().length; said.told = box.parentNode.querySelector("output").textContent;
said.plots = document.querySelectorAll(".plot svg").length > 0;
said.fetched = performance.getEntriesByType("resource").map((one) => one.name);
said.problems = problems;
const out = document.createElement("pre");
out.id = "said"; out.textContent = JSON.stringify(said);
document.body.append(out);
</script>
"""


_EARS = """<script>
const problems = (window.problems = []);
window.addEventListener("error", (event) => problems.push(event.message));
window.addEventListener("securitypolicyviolation", (event) => problems.push(event.blockedURI));
for (const name of ["error", "warn"]) console[name] = (...words) => problems.push(words.join(" "));
</script>"""


_RELOADED = """
<script>
const count = Number(sessionStorage.getItem("loads") || 0) + 1;
sessionStorage.setItem("loads", count);
if (count === 1) {
  document.querySelector("#c1-arms th button").click();
  document.querySelectorAll("details")[0].open = true;
} else {
  document.getElementById("again").checked = false;
  const out = document.createElement("pre");
  out.id = "said";
  out.textContent = JSON.stringify({
    loads: count, problems, open: document.querySelectorAll("details")[0].open,
    sort: document.querySelector("#c1-arms th").getAttribute("aria-sort"),
    age: document.getElementById("age").textContent,
  });
  document.body.append(out);
}
</script>
"""


@pytest.fixture
def study(frame: Frame) -> Study:
    return make_study(frame)


@pytest.mark.slow
def test_in_a_browser_a_page_that_follows_loads_itself_again_as_it_was_left(
    study: Study, tmp_path: Path
) -> None:
    said = _said_in_a_browser(page(study, every_s=2), _RELOADED, tmp_path)
    assert said["problems"] == []
    assert said["loads"] == 2
    assert (said["open"], said["sort"]) == (True, "ascending")
    assert said["age"].endswith("old")


@pytest.mark.slow
def test_in_a_browser_tables_sort_and_filter_and_nothing_is_fetched(
    study: Study, tmp_path: Path
) -> None:
    said = _said_in_a_browser(page(study), _PROBE, tmp_path)
    assert said["head"] == "mean %"
    assert said["problems"] == []
    assert said["fetched"] == []
    assert said["plots"]
    numbers = [float(one) for one in said["ascending"]]
    assert numbers == sorted(numbers)
    assert said["sort"] == "ascending"
    assert said["descending"] == said["ascending"][::-1]
    assert (said["kept"], said["told"]) == (1, "1 of 10")


_PICTURES = """
<script>
const images = [...document.querySelectorAll("table.maps img")];
Promise.all(images.map((one) => one.decode())).then(() => {
  const out = document.createElement("pre");
  out.id = "said";
  out.textContent = JSON.stringify({
    problems,
    sizes: images.map((one) => [one.naturalWidth, one.naturalHeight]),
    shown: images.map((one) => one.clientWidth > 0),
    wider: document.documentElement.scrollWidth > window.innerWidth,
    fetched: performance.getEntriesByType("resource").map((one) => one.name)
      .filter((name) => !name.startsWith("data:")),
  });
  document.body.append(out);
});
</script>
"""


@pytest.mark.slow
def test_in_a_browser_pictures_are_shown_and_the_page_is_no_wider_than_the_screen(
    study: Study, tmp_path: Path
) -> None:
    said = _said_in_a_browser(page(looked_at(study)), _PICTURES, tmp_path)
    assert said["problems"] == []
    assert said["fetched"] == []
    assert said["sizes"] == [[8, 8]] * 8
    assert all(said["shown"])
    assert not said["wider"]


def _said_in_a_browser(whole: str, probe: str, tmp_path: Path) -> dict[str, Any]:
    """What a script in the page leaves in an element "said", as JSON."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    text = whole.replace("<head>", f"<head>{_EARS}", 1).replace("</body>", f"{probe}</body>")
    path = tmp_path / "page.html"
    path.write_text(text)
    command = [
        *(program, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
        *(f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=20000", path.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)  # noqa: S603
    found = re.search(r'<pre id="said">(.*?)</pre>', done.stdout)
    assert found is not None, done.stderr[-2000:]
    said: dict[str, Any] = json.loads(
        found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    )
    return said
