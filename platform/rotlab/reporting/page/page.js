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
