// All runs of the folders, how far each is, and several side by side.

import { ask } from "./api.js";
import { Chart } from "./charts.js";
import { duration, h, replace, table } from "./dom.js";
import { go } from "./places.js";

const MOST_SHOWN = 300, MOST_BESIDE = 6;

export function runsView(content, state) {
  const list = h("div"), progress = h("p"), beside = new Map();
  const chart = new Chart("Gold error of the runs themselves, side by side", "Choose up to six below.");
  const search = h("input", { type: "search", oninput: () => update() });
  replace(content, progress, chart.element, h("div", { class: "controls" }, h("label", {}, "Name holds", search)), list);
  chart.element.hidden = true;

  async function choose(name, chosen) {
    if (!chosen) beside.delete(name);
    else if (beside.size < MOST_BESIDE) beside.set(name, (await ask("run", { run: name })).series.rows);
    draw();
    update();
  }

  function draw() {
    chart.element.hidden = !beside.size;
    const longest = Math.max(0, ...[...beside.values()].map((rows) => rows.at(-1)?.generation ?? 0));
    const generations = Array.from({ length: longest + 1 }, (_, i) => i);
    chart.draw(generations, [...beside].map(([name, rows]) => {
      const by = new Map(rows.map((row) => [row.generation, row.arms.selected?.gold_error ?? null]));
      return { name, values: generations.map((generation) => by.get(generation) ?? null) };
    }));
  }

  function update() {
    const ended = state.runs.filter((run) => run.ended).length;
    const { planned, to_begin: toBegin, seconds_left: left } = state.overview;
    const done = state.runs.reduce((sum, run) => sum + run.done, 0);
    replace(progress, `${ended} of ${state.runs.length + toBegin} runs have ended; ${done} of ${planned} generations are committed.`,
      toBegin ? ` ${toBegin} are still to begin.` : "", left === null ? "" : ` Time left: ${duration(left)}, at the pace so far.`,
      state.leftOut ? ` ${state.leftOut} more runs are not listed.` : "");
    const sought = search.value.toLowerCase();
    const found = state.runs.filter((run) => run.name.toLowerCase().includes(sought));
    replace(list, table(["Run", "Generations", "", "State", "Beside"], found.slice(0, MOST_SHOWN).map((run) => h("tr", {},
      h("td", {}, h("button", { class: "link", onclick: () => go({ run: run.name, tab: "overview", generation: null, agent: null, answer: null }) }, run.name)),
      h("td", { class: "number" }, `${run.done} of ${run.planned || "?"}`),
      h("td", {}, h("progress", { max: run.planned || 1, value: run.done, "aria-label": `Progress of ${run.name}` })),
      h("td", {}, run.ended ? "ended" : run.done ? "going on, or stopped" : "not begun"),
      h("td", {}, h("input", { type: "checkbox", checked: beside.has(run.name), "aria-label": `Show ${run.name} beside others`, onchange: (event) => choose(run.name, event.target.checked) })))),
    { label: "Runs" }), found.length > MOST_SHOWN ? h("p", {}, `${found.length - MOST_SHOWN} more: say part of their names.`) : null);
  }

  update();
  return { update, close: () => chart.close() };
}
