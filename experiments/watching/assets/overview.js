// How a run goes: its figures so far, what can be said of it, and its measures over generations.

import { Chart, latest } from "./charts.js";
import { duration, h, number, replace, table } from "./dom.js";

const ARM_COLOURS = { selected: "--blue", "neutral-drift": "--orange", "random-selector": "--grey", unselected: "--pink",
  "shuffled-grades": "--grey", clones: "--orange", oracle: "--green" };
const PHASES = ["answer", "grade", "verify", "select", "learn"];
const GAP = 0.15;

export function overviewView(content, state) {
  const alarm = h("div", { "aria-live": "polite" });
  const strip = h("dl", { class: "strip" });
  const found = h("summary"), summary = h("ul");
  const finding = h("details", { class: "summary" }, found, summary);
  const charts = [];
  const figures = h("div", { class: "grid" });
  const numbers = h("details", {}, h("summary", {}, "The newest generation in numbers"), h("div"));
  replace(content, alarm, strip, finding, figures, numbers);

  const add = (title, caption, options, lines, wanted = () => true) => {
    const chart = new Chart(title, caption, options);
    charts.push({ chart, lines, wanted });
    figures.append(chart.element);
  };
  const arms = state.run.arms;
  add("Gold error", "Share of answers that the verifier calls wrong; a band is a 95 % interval over problems.", { scale: unit },
    (rows) => arms.map((arm) => ({
      name: arm, colour: ARM_COLOURS[arm], dash: arm === "selected" ? undefined : [5, 4],
      values: column(rows, arm, "gold_error"),
      low: column(rows, arm, "gold_error_low"), high: column(rows, arm, "gold_error_high"),
    })));
  add("Fitness against gold", "What selection saw, and the share of right answers. A gap that widens is fitness without truth.", { scale: unit },
    (rows) => [
      { name: "mean fitness", colour: "--orange", values: column(rows, "selected", "fitness_mean") },
      { name: "right answers", colour: "--blue", values: column(rows, "selected", "gold_error").map(less) },
    ]);
  add("What grading is worth", "Youden's J of the selector, correlation of two graders' errors, and how often two wrong answers are the same.", {},
    (rows) => [
      { name: "J", colour: "--blue", values: column(rows, "selected", "youden_j") },
      { name: "ρ", colour: "--orange", values: column(rows, "selected", "grader_correlation") },
      { name: "collision", colour: "--pink", values: column(rows, "selected", "collision") },
    ]);
  add("Likelihood ratio", "Λ, by how much acceptance multiplies the odds that an answer is right: above 1 selection has a signal.", { digits: 2 },
    (rows) => arms.map((arm) => ({ name: arm, colour: ARM_COLOURS[arm], dash: arm === "selected" ? undefined : [5, 4],
      values: column(rows, arm, "likelihood_ratio") })).filter((line) => latest(line.values) !== null));
  add("Lineages and contexts", "Founders with living descendants, and effective population size.", { digits: 1 },
    (rows) => [
      { name: "lineages", colour: "--blue", values: column(rows, "selected", "lineages") },
      { name: "effective size", colour: "--orange", values: column(rows, "selected", "effective_size") },
    ]);
  add("Seconds by phase", "Of a generation, all arms together.", { digits: 2 },
    (rows) => PHASES.map((phase) => ({
      name: phase, values: rows.map((row) => total(row, (arm) => arm.seconds[phase])),
    })).filter((line) => latest(line.values)));
  if (state.run.config.task?.growth) {
    add("Growth of the task", "The size that is asked.", { digits: 0 },
      (rows) => arms.map((arm) => ({ name: arm, colour: ARM_COLOURS[arm], values: column(rows, arm, "task_size") })));
  }

  const update = () => {
    const { run } = state, rows = run.series.rows;
    const generations = rows.map((row) => row.generation);
    replace(strip, facts(run, rows).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    const [first, ...others] = run.finding.sentences;
    replace(found, first);
    replace(summary, others.map((line) => h("li", {}, line)));
    finding.hidden = !first;
    replace(alarm, alarms(run, rows).map((line) => h("p", { class: "alarm" }, line)));
    for (const { chart, lines } of charts) chart.draw(generations, lines(rows));
    replace(numbers.lastChild, newest(rows[rows.length - 1], arms));
  };
  update();
  return { update, close: () => charts.forEach(({ chart }) => chart.close()) };
}

const unit = (u, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 1, 0.05)];
const less = (value) => (value === null ? null : 1 - value);
const column = (rows, arm, name) => rows.map((row) => row.arms[arm]?.[name] ?? null);
const total = (row, of) => Object.values(row.arms).reduce((sum, arm) => sum + (of(arm) ?? 0), 0);

function facts(run, rows) {
  const last = rows[rows.length - 1];
  const seconds = rows.map((row) => total(row, (arm) => arm.seconds.total));
  const each = seconds.length ? seconds.reduce((a, b) => a + b, 0) / seconds.length : null;
  const answers = last ? total(last, (arm) => arm.answers) : 0;
  const left = run.planned - run.series.count;
  const restarts = rows.reduce((sum, row) => sum + total(row, (arm) => arm.counters.host_restarts), 0);
  const joules = rows.reduce((sum, row) => sum + total(row, (arm) => arm.counters.energy_millijoules), 0) / 1000;
  const energy = rows.length ? (joules / rows.length) * run.series.count : 0;
  return [
    ["Generation", last ? `${last.generation + 1} of ${run.planned}` : `none of ${run.planned}`],
    ["State", run.fault ? "cannot be read" : run.ended ? "ended" : left ? "going on, or stopped" : "ending"],
    ["Gold error", last ? number(last.arms.selected?.gold_error) : "–"],
    ["Answers a second", last ? number(answers / Math.max(1e-9, seconds[seconds.length - 1]), 0) : "–"],
    ["Time in generations", duration(each === null ? null : each * run.series.count)],
    ["Time left", run.ended || each === null ? "–" : duration(each * left)],
    ["Energy", !energy ? "not counted" : energy < 3600 ? `${number(energy, 0)} J` : `${number(energy / 3.6e6, 3)} kWh`],
    ["Agents", `${run.agents}, graded by ${run.graders}`],
    ["Hosts", `${run.hosts}, ${run.device}${restarts ? `; ${restarts} restarts` : ""}`],
  ];
}

function alarms(run, rows) {
  const found = [];
  if (run.fault) found.push(`The journal cannot be read any further: ${run.fault}`);
  const last = rows[rows.length - 1]?.arms.selected, first = rows[0]?.arms.selected;
  if (last && first && rows.length > 1) {
    const gap = (arm) => arm.fitness_mean - (1 - arm.gold_error);
    if (gap(last) - gap(first) > GAP) {
      found.push(`Fitness runs away from truth: the gap between mean fitness and right answers grew from ${number(gap(first))} to ${number(gap(last))}.`);
    }
  }
  for (const row of rows.slice(-3)) found.push(...row.faults);
  return found;
}

const SHOWN = [["gold_error", "Gold error"], ["majority_error", "Majority's error"], ["best_of_n_error", "Best of n's error"],
  ["fitness_mean", "Mean fitness"], ["acceptance_rate", "Accepted"], ["accepted_error", "Wrong among accepted"], ["tpr", "TPR"], ["fpr", "FPR"],
  ["youden_j", "J"], ["likelihood_ratio", "Λ"], ["grader_auc", "A grader's AUC"], ["grader_correlation", "ρ"], ["effective_graders", "Graders' worth"],
  ["collision", "Collision"], ["agreed_share", "Agreed on"], ["lineages", "Lineages"], ["effective_size", "Effective size"],
  ["truncated_answers", "Cut off"], ["unreadable_grades", "Unread grades"], ["tokens", "Tokens"]];

function newest(row, arms) {
  if (!row) return h("p", {}, "No generation has been committed yet.");
  return table(["", ...arms], SHOWN.map(([name, text]) =>
    h("tr", {}, h("th", { scope: "row" }, text),
      arms.map((arm) => h("td", { class: "number" }, figure(row.arms[arm]?.[name]))))), { label: "Newest generation by arm" });
}

const figure = (value) => (Number.isInteger(value) ? String(value) : number(value));
