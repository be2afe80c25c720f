// Who grades whom: mean grades as a matrix, or how often grades agreed with verdicts.

import { ask } from "./api.js";
import { colour } from "./charts.js";
import { chooser, h, number, replace, svg, table } from "./dom.js";
import { go, place } from "./places.js";

export function gradersView(content, state) {
  const controls = h("div", { class: "controls" }), matrix = h("div");
  replace(content, h("p", { class: "note" }, "A row is a grader, a column an author. On the diagonal an agent, or a lineage, grades itself."), controls, matrix);

  async function draw() {
    const { arm = "selected", shown = "means" } = place();
    const generation = place().generation ?? Math.max(0, state.run.series.count - 1);
    const set = (name) => (value) => go({ [name]: value }, "replace");
    replace(controls,
      chooser("Arm", state.run.arms.map((one) => [one, one]), arm, set("arm")),
      h("label", {}, "Generation", h("input", { type: "number", min: 0, max: Math.max(0, state.run.series.count - 1), value: generation, onchange: (event) => set("generation")(event.target.value) })),
      chooser("Show", [["means", "mean grade"], ["agreement", "agreement with verdicts"]], shown, set("shown")));
    if (!state.run.series.count) return replace(matrix, h("p", {}, "No generation has been committed yet."));
    const told = await ask("graders", { run: state.run.name, arm, generation });
    replace(matrix, told.graders ? [drawn(told, shown), reliable(told.reliability)] : h("p", {}, "Nobody grades in this run."));
  }

  draw().catch((error) => replace(matrix, h("p", { class: "alarm" }, error.message)));
  return {};
}

function drawn(told, shown) {
  const values = told[shown], what = told.by === "agent" ? "agent" : "founder's line";
  const own = average(values, told.counts, (i, j) => i === j), others = average(values, told.counts, (i, j) => i !== j);
  return [
    h("p", {}, `On the diagonal ${number(own)}, elsewhere ${number(others)}: ${own === null ? `no ${what} graded itself` : `self-preference ${number(own - others)}`}.`,
      told.left_out ? ` ${told.left_out} of ${told.agents} agents, of smaller lines, are left out.` : ""),
    h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Who grades whom" }, h("table", { class: "matrix" },
      h("caption", { class: "note" }, `${shown === "means" ? "Mean grade" : "Share of grades that agree with the verdict"}, by ${what}`),
      h("thead", {}, h("tr", {}, h("td", {}, "grader"), told.names.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, told.names.map((name, i) => h("tr", {}, h("th", { scope: "row" }, name), values[i].map((value, j) => {
        const cell = h("td", { class: i === j ? "self" : null, title: `${told.counts[i][j]} grades` }, number(value, 2));
        if (value !== null) cell.style.background = `rgba(${getComputedStyle(document.documentElement).getPropertyValue("--cell")}, ${(0.35 * value).toFixed(3)})`;
        return cell;
      })))))),
  ];
}

// What share is right of the answers that peers graded so: on the diagonal grades mean what they say.
function reliable(bins) {
  if (!bins.length) return null;
  const all = bins.reduce((sum, bin) => sum + bin.grades, 0), side = 240, from = 34, to = side - 10;
  const x = (value) => from + value * (to - from), y = (value) => to - from + 10 - value * (to - from);
  const text = (at, words, anchor) => svg("text", { x: at[0], y: at[1], "text-anchor": anchor }, words);
  const points = bins.map((bin) => `${x(bin.mean).toFixed(1)},${y(bin.right).toFixed(1)}`).join(" ");
  const drawing = svg("svg", { viewBox: `0 0 ${side} ${side}`, width: side, role: "img", "aria-label": "Reliability: share right by mean grade, in the table beside it" },
    svg("path", { d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}`, stroke: colour("--muted"), "stroke-dasharray": "4 4", fill: "none" }),
    svg("path", { d: `M${x(0)} ${y(1)}V${y(0)}H${x(1)}`, stroke: colour("--grid"), fill: "none" }),
    svg("polyline", { points, stroke: colour("--blue"), fill: "none", "stroke-width": 1.5 }),
    bins.map((bin) => svg("circle", { cx: x(bin.mean), cy: y(bin.right), r: 3 + 7 * Math.sqrt(bin.grades / all), fill: colour("--blue") })),
    text([x(0), y(0) + 16], "0", "middle"), text([x(1), y(0) + 16], "1", "middle"), text([x(0.5), y(0) + 16], "mean grade", "middle"),
    text([x(0) - 6, y(0)], "0", "end"), text([x(0) - 6, y(1) + 4], "1", "end"));
  return [h("h2", {}, "Reliability"), h("p", {}, "Of the answers that peers graded so, the share that is right: on the diagonal a grade means what it says."),
    h("div", { class: "controls" }, drawing,
      table(["Mean grade", "Share right", "Grades"], bins.map((bin) => h("tr", {}, [number(bin.mean, 2), number(bin.right, 2), bin.grades].map((value) =>
        h("td", { class: "number" }, value)))), { label: "Reliability" }))];
}

function average(values, counts, wanted) {
  let sum = 0, number = 0;
  values.forEach((row, i) => row.forEach((value, j) => {
    if (value !== null && wanted(i, j)) { sum += value * counts[i][j]; number += counts[i][j]; }
  }));
  return number ? sum / number : null;
}
