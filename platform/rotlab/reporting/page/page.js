"use strict";

// Tables: a head sorts its column, a box keeps the rows that hold its words.

function shown(cell) {
  return cell.textContent.trim();
}

function compare(first, second) {
  if (first === second) return 0;
  if (first === "-" || first === "") return 1; // what is not known comes last, either way
  if (second === "-" || second === "") return -1;
  const numbers = [first, second].map((text) => parseFloat(text.replace(/^[[(+]/, "").replace(/,/g, "")));
  if (!numbers.some(Number.isNaN)) return numbers[0] - numbers[1];
  return first.localeCompare(second, undefined, { numeric: true });
}

function sortBy(table, head) {
  const place = head.cellIndex;
  const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", way);
  const body = table.tBodies[0];
  const known = (row) => !["-", ""].includes(shown(row.cells[place]));
  const rows = [...body.rows].sort((a, b) => {
    const order = compare(shown(a.cells[place]), shown(b.cells[place]));
    return way === "descending" && known(a) && known(b) ? -order : order;
  });
  body.append(...rows);
}

function filter(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...document.getElementById(input.dataset.table).tBodies[0].rows];
  let kept = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    kept += row.hidden ? 0 : 1;
  }
  input.parentNode.querySelector("output").textContent = `${kept} of ${rows.length}`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () => sortBy(table, head));
  }
}
for (const input of document.querySelectorAll("input[data-table]")) {
  input.addEventListener("input", () => filter(input));
}

// Figures: drawn in the page's colours, again when those change.

const COLOURS = 8;
const LINES = ["solid", "dash", "dot"]; // beyond eight colours, lines differ in their strokes

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw(script) {
  const plot = JSON.parse(script.textContent);
  const [ink, line] = [colour("--ink"), colour("--line")];
  for (const trace of plot.data) {
    const place = trace.meta.colour;
    const own = colour(`--c${place % COLOURS}`);
    trace.marker = { ...trace.marker, color: own };
    if (trace.line) trace.line = { ...trace.line, color: own, dash: LINES[Math.floor(place / COLOURS) % LINES.length] };
    if (trace.error_x) trace.error_x = { ...trace.error_x, color: own };
  }
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, fixedrange: false };
  const layout = {
    ...plot.layout,
    autosize: true,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: "system-ui, sans-serif", size: 13 },
    xaxis: { ...axis, ...plot.layout.xaxis },
    yaxis: { ...axis, ...plot.layout.yaxis },
  };
  for (const shape of layout.shapes || []) shape.line.color = ink;
  Plotly.react(script.dataset.plot, plot.data, layout, { displayModeBar: false, responsive: true });
}

function drawAll() {
  document.querySelectorAll("script[data-plot]").forEach(draw);
}

drawAll();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
window.matchMedia("print").addEventListener("change", drawAll);

// A page that is written anew while it is open: it says how old it is, and loads itself again as it was left.

const following = document.getElementById("following");
const LATE = 4; // looks without a new page, after which nobody may be writing it any more

function memory(value) {
  const name = `rotlab ${location.pathname}`;
  try {
    if (value === undefined) return JSON.parse(sessionStorage.getItem(name));
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // nothing is remembered where the browser remembers nothing
  }
  return null;
}

function sorted(table) {
  const head = [...table.tHead.rows[0].cells].find((one) => one.hasAttribute("aria-sort"));
  return head && [table.id, head.cellIndex, head.getAttribute("aria-sort")];
}

function asLeft() {
  return {
    again: document.getElementById("again").checked,
    top: window.scrollY,
    open: [...document.querySelectorAll("details")].map((one) => one.open),
    filters: [...document.querySelectorAll("input[data-table]")].map((one) => [one.id, one.value]),
    sorts: [...document.querySelectorAll("table.sortable")].map(sorted).filter(Boolean),
  };
}

function restore(left) {
  document.getElementById("again").checked = left.again;
  const details = [...document.querySelectorAll("details")];
  if (details.length === left.open.length) details.forEach((one, place) => (one.open = left.open[place]));
  for (const [id, value] of left.filters) {
    const box = document.getElementById(id);
    if (!box || !value) continue;
    box.value = value;
    filter(box);
  }
  for (const [id, place, way] of left.sorts) {
    const table = document.getElementById(id);
    const head = table && table.tHead.rows[0].cells[place];
    if (!head) continue;
    sortBy(table, head);
    if (way === "descending") sortBy(table, head);
  }
  window.scrollTo(0, left.top);
}

function tellAge() {
  const every = Number(following.dataset.every);
  const seconds = Math.max(0, (Date.now() - Date.parse(following.dataset.made)) / 1000);
  const old = seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  const late = seconds > LATE * every + 60 ? ": nothing has changed since, or nobody writes it any more" : "";
  document.getElementById("age").textContent = `${old} old${late}`;
}

if (following) {
  const left = memory();
  if (left) restore(left);
  tellAge();
  window.setInterval(tellAge, 1000);
  window.setInterval(() => {
    const busy = document.activeElement.matches("input[type=search]") || !window.getSelection().isCollapsed;
    if (!document.getElementById("again").checked || document.hidden || busy) return;
    memory(asLeft());
    location.reload();
  }, 1000 * Number(following.dataset.every));
  window.addEventListener("pagehide", () => memory(asLeft()));
}
