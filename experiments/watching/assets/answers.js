// Answers of a generation, by what is asked for, and the conversation behind each.

import { ask } from "./api.js";
import { chooser, h, number, replace, right, table } from "./dom.js";
import { go, place } from "./places.js";

const PAGE = 50;
const YES_NO = (yes, no) => [["", "all"], ["yes", yes], ["no", no]];

export function answersView(content, state) {
  const controls = h("div", { class: "controls" });
  const list = h("div"), panel = h("aside", { class: "panel", "aria-live": "polite", "aria-label": "Conversation" });
  replace(content, controls, h("div", { class: "split" }, list, panel));

  const wanted = () => {
    const { arm = "selected", right: verdict, unknown, accepted, cut_off, unread, disputed, agent, problem, text, order = "index", first = 0 } = place();
    const generation = place().generation ?? Math.max(0, state.run.series.count - 1);
    return { run: state.run.name, arm, generation, right: verdict, unknown, accepted, cut_off, unread, disputed, agent, problem, text, order, first };
  };

  function drawControls() {
    const now = wanted();
    const set = (name) => (value) => go({ [name]: value, first: null, answer: null }, "replace");
    const field = (label, name, properties) => h("label", {}, label,
      h("input", { ...properties, value: place()[name] ?? properties.value ?? "", onchange: (event) => set(name)(event.target.value) }));
    replace(controls,
      chooser("Arm", state.run.arms.map((arm) => [arm, arm]), now.arm, set("arm")),
      field("Generation", "generation", { type: "number", min: 0, max: Math.max(0, state.run.series.count - 1), value: now.generation }),
      chooser("Verdict", [...YES_NO("right", "wrong"), ["unknown", "not known"]], now.unknown ? "unknown" : now.right ?? "",
        (value) => go({ right: value === "unknown" ? null : value, unknown: value === "unknown" ? "yes" : null, first: null, answer: null }, "replace")),
      chooser("Accepted", YES_NO("accepted", "not"), now.accepted ?? "", set("accepted")),
      chooser("Cut off", YES_NO("cut off", "whole"), now.cut_off ?? "", set("cut_off")),
      chooser("Grades", YES_NO("some unread", "all read"), now.unread ?? "", set("unread")),
      chooser("Peers", YES_NO("disagree", "agree"), now.disputed ?? "", set("disputed")),
      sizes(state.run.series.rows, now, (generation) => go({ generation, first: null, answer: null }, "replace")),
      field("Agent", "agent", { type: "number", min: 0 }), field("Problem", "problem", { type: "number", min: 0 }),
      field("Holds", "text", { type: "search" }),
      chooser("Order", [["index", "as they stand"], ["disputed", "most disputed first"], ["score", "highest score first"], ["grade", "highest grade first"]], now.order, set("order")));
  }

  async function drawList() {
    if (!state.run.series.count) return replace(list, h("p", {}, "No generation has been committed yet."));
    const now = wanted(), found = await ask("answers", now);
    const chosen = place().answer;
    const first = Number(now.first), last = Math.min(found.total, first + PAGE);
    const turn = (text, to, off) => h("button", { disabled: off, onclick: () => go({ first: to || null }, "replace") }, text);
    replace(list,
      h("p", { "aria-live": "polite" }, found.total ? `${first + 1} to ${last} of ${found.total} answers` : "No answer is like that.",
        found.total < found.all ? ` (${found.all} in all)` : ""),
      h("p", {}, turn("Earlier", Math.max(0, first - PAGE), first === 0), " ", turn("Later", first + PAGE, last >= found.total)),
      table(["Question", "Answer", "Verdict", "Score", "Mean grade", "Agent"], found.rows.map((row) =>
        h("tr", { class: String(row.index) === chosen ? "open" : null },
          h("td", { class: "text" }, row.query),
          h("td", { class: "text" }, h("button", { class: "link text", onclick: () => go({ answer: row.index }, "replace") }, row.answer || "(nothing)")),
          h("td", {}, right(row.right), row.accepted ? ", accepted" : "", row.finished ? "" : ", cut off"),
          h("td", { class: "number" }, number(row.score)), h("td", { class: "number" }, number(row.grade)),
          h("td", { class: "number" }, row.agent))), { label: "Answers" }));
  }

  async function drawPanel() {
    const { answer } = place();
    if (answer === undefined) return replace(panel, h("p", { class: "muted" }, "Choose an answer to see who said what."));
    const { run, arm, generation } = wanted();
    const told = await ask("conversation", { run, arm, generation, answer });
    const prompt = () => ask("prompt", { run, arm, generation, answer });
    replace(panel, conversation(told, arm, generation, prompt));
    if (panel.getBoundingClientRect().top < 0) panel.scrollIntoView({ block: "start" });
  }

  const draw = () => {
    drawControls();
    drawList().catch((error) => replace(list, h("p", { class: "alarm" }, error.message)));
    drawPanel().catch((error) => replace(panel, h("p", { class: "alarm" }, error.message)));
  };
  draw();
  // What is shown does not move under who reads it: a new generation only lengthens the choice.
  return { update: () => { const input = controls.querySelector('[type="number"]'); if (input) input.max = state.run.series.count - 1; } };
}

// Where the task grows, a generation of each size that an arm has reached.
function sizes(rows, { arm, generation }, choose) {
  const first = new Map();
  for (const row of rows) {
    const size = row.arms[arm]?.task_size;
    if (size !== null && size !== undefined && !first.has(size)) first.set(size, row.generation);
  }
  if (first.size < 2) return null;
  const now = rows.findLast((row) => row.generation <= generation)?.arms[arm]?.task_size;
  return chooser("Size", [...first].map(([size, from]) => [from, `${size}, from generation ${from}`]), first.get(now), choose);
}

// What its author was told is asked for when it is opened: it may be long.
function folded(prompt) {
  const inside = h("div");
  const drawn = () => prompt().then(
    (told) => replace(inside, told.text === undefined ? h("p", { class: "muted" }, told.why) : h("p", { class: "said text" }, told.text)),
    (error) => replace(inside, h("p", { class: "alarm" }, error.message)));
  return h("details", { ontoggle: (event) => event.target.open && !inside.hasChildNodes() && drawn() },
    h("summary", {}, "The prompt, as its author's model saw it"), inside);
}

function conversation(told, arm, generation, prompt) {
  const open = (agent) => h("button", { class: "link", onclick: () => go({ tab: "lineage", agent, generation, arm: "selected" }) }, `agent ${agent}`);
  const who = (agent) => (arm === "selected" ? open(agent) : `agent ${agent}`);
  return [
    h("h2", {}, `Problem ${told.problem}, answer ${told.index}`),
    h("p", { class: "said text" }, told.query),
    folded(prompt),
    told.turns.map((turn) => h("div", { class: "said" }, h("strong", {}, turn.kind), " ",
      turn.right === null ? null : right(turn.right), turn.value === null ? "" : `, graded ${number(turn.value, 2)}`, h("p", { class: "text" }, turn.text || "(nothing)"))),
    h("div", { class: "said" }, h("strong", {}, "answer"), " by ", who(told.agent), ": ", right(told.right), told.accepted ? ", accepted" : ", not accepted",
      told.finished ? "" : ", cut off", h("p", { class: "text" }, told.answer || "(nothing)"),
      told.part === null ? null : h("p", {}, "Of which counts: ", h("span", { class: "text" }, told.part))),
    told.human === null || told.picks.length ? null : h("p", {}, told.human ? "A human picked it." : "A human refused it."),
    told.picks.map((pick) => h("p", {}, `${pick.who} ${pick.none ? "picked none of them" : pick.it ? "picked it" : "picked another"}, within ${number(pick.seconds, 1)} s.`)),
    h("p", { class: "muted" }, `score ${number(told.score)}, ${told.tokens} tokens, log-probability ${number(told.log_probability, 2)}`),
    told.grades.length ? h("h2", {}, "Grades, worst level first") : h("p", {}, "Nobody graded it."),
    told.grades.map((grade) => h("div", { class: "said" }, who(grade.grader), grade.own ? " (its author)" : "", ": ",
      grade.value === null ? "could not be read" : number(grade.value, 2),
      grade.order_effect === null ? "" : `, order effect ${number(grade.order_effect, 2)}`,
      grade.mass === null ? "" : `; the options had a probability of ${number(grade.mass, 2)}`, bars(grade.levels))),
  ];
}

function bars(levels) {
  if (!levels) return null;
  const said = levels.map((p) => number(p, 2)).join(", ");
  return h("div", { class: "bars", role: "img", "aria-label": `Levels: ${said}`, title: said }, levels.map((p) => {
    const bar = h("span");
    bar.style.height = `${Math.max(1, Math.round(100 * p))}%`;
    return bar;
  }));
}
