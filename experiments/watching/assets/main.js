// The page: one run at a time, its views, and what is new of it.

import { ask, listen } from "./api.js";
import { h, replace } from "./dom.js";
import { go, link, onplace, place } from "./places.js";
import { answersView } from "./answers.js";
import { gradersView } from "./graders.js";
import { lineageView } from "./lineage.js";
import { overviewView } from "./overview.js";
import { runsView } from "./runs.js";
import { whatIfView } from "./what-if.js";

const VIEWS = {
  overview: ["Overview", overviewView],
  lineage: ["Lineage", lineageView],
  answers: ["Answers", answersView],
  graders: ["Who grades whom", gradersView],
  "what-if": ["What if", whatIfView],
  runs: ["Runs", runsView],
};

const state = { runs: [], run: null, view: null, source: null };
const content = document.getElementById("content");

// A view is { update(state, event) }: it is made once, and told what is new.
function show() {
  const { tab = "overview" } = place();
  const [, make] = VIEWS[tab] ?? VIEWS.overview;
  drawTabs(tab);
  state.view?.close?.();
  replace(content);
  try {
    state.view = state.run || tab === "runs" ? make(content, state) : null;
  } catch (error) {
    complain(error);
  }
}

function drawTabs(tab) {
  replace(document.getElementById("tabs"),
    Object.entries(VIEWS)
      .filter(([name]) => name !== "runs" || state.runs.length > 1)
      .map(([name, [text]]) =>
        h("a", { href: link({ tab: name }), "aria-current": name === tab ? "page" : null,
          onclick: (event) => { event.preventDefault(); go({ tab: name }); } }, text)));
}

function drawHeading() {
  const run = state.run;
  document.getElementById("run-of").textContent = run ? `mgptn · ${run.name}` : "mgptn";
  document.getElementById("heading").textContent = run
    ? run.finding.heading : "No run is being shown";
  document.title = run ? `${run.name}: ${run.finding.heading}` : "mgptn";
}

export function complain(error) {
  replace(content, h("p", { class: "alarm", role: "alert" }, error.message));
}

async function open() {
  const { run: wanted } = place();
  const overview = await ask("runs");
  state.runs = overview.runs;
  state.overview = overview;
  state.leftOut = overview.left_out;
  const name = wanted ?? newest(state.runs);
  state.run = name === undefined ? null : await ask("run", { run: name });
  state.name = name;
  drawHeading();
  show();
  hear(overview.boot, state.run ? state.run.last : overview.last);
}

function newest(runs) {
  const going = runs.filter((run) => !run.ended).sort((a, b) => (b.changed ?? 0) - (a.changed ?? 0));
  return (going[0] ?? runs[0])?.name;
}

function hear(boot, last) {
  state.source?.close();
  state.source = listen(boot, last, heard, (connected) => {
    document.getElementById("connection").textContent = connected ? "" : "· the page's server is away; waiting for it";
  });
}

async function heard(event) {
  if (event.kind === "anew") return void open().catch(complain);
  if (event.kind === "runs") {
    state.overview = await ask("runs");
    state.runs = state.overview.runs;
    state.view?.update?.(event);
    return;
  }
  if (!state.run || event.run !== state.run.name) return;
  if (event.kind === "round") {
    const rows = state.run.series.rows;
    if (rows.length && rows[rows.length - 1].generation >= event.row.generation) return;
    rows.push(event.row);
    state.run.series.count = event.row.generation + 1;
    if (rows.length > 1500) return void open().catch(complain);
    later();
  } else if (event.kind === "ended") {
    state.run.ended = true;
    state.run.finding = event.finding;
    drawHeading();
    state.view?.update?.(event);
  } else if (event.kind === "fault") {
    state.run.fault = event.fault;
    state.view?.update?.(event);
  }
}

// Rounds that come fast are drawn together; the finding is asked for once they have come.
let waiting = null;
function later() {
  waiting ??= setTimeout(async () => {
    waiting = null;
    try {
      state.run.finding = await ask("finding", { run: state.run.name });
    } catch { /* What is there stays. */ }
    drawHeading();
    state.view?.update?.({ kind: "round" });
  }, 400);
}

onplace(() => {
  const { run } = place();
  if (run && run !== state.name) open().catch(complain);
  else show();
});
open().catch(complain);
