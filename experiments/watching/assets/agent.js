// An agent: what it inherits, what it has otherwise than its parent, and how it did.

import { ask } from "./api.js";
import { h, number, replace, table } from "./dom.js";
import { go } from "./places.js";

const MOST = 32;

export async function agentPanel(panel, state, { agent, generation, arm }) {
  const told = await ask("agent", { run: state.run.name, arm, generation, agent });
  const { genome } = told;
  const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  replace(panel,
    h("h2", {}, `Agent ${told.agent} in generation ${told.generation}`),
    h("p", { class: "muted" }, told.parent === null ? `A founder.` : `Child of agent ${told.parent}, born of generation ${told.born}; of founder ${told.founder}.`,
      told.survives ? " It goes on." : " It ends here.", ` ${told.offspring} children.`),
    h("dl", { class: "strip" },
      fact("Right", `${told.right} of ${told.answers}`), fact("Accepted", told.accepted),
      fact("Fitness", number(told.fitness)), fact("Replication rate", number(told.rate))),
    h("h2", {}, told.generation === told.born + 1 && told.parent !== null ? "Otherwise than its parent" : "Since the generation before"),
    told.beside ? beside(told) : null,
    told.changes.length || told.mutations.length
      ? h("ul", {}, told.changes.map((line) => h("li", {}, line)), told.mutations.map((name) => h("li", {}, `mutation: ${name}`)),
        told.other_parent === null ? null : h("li", {}, `part of its context is agent ${told.other_parent}'s`))
      : h("p", {}, told.generation ? "Nothing." : "It is of the first generation."),
    examples("Examples that its parent has not", told.gained), examples("Examples of its parent that it has not", told.lost),
    told.graded_by.length ? [h("h2", {}, "Who graded it"), h("p", {}, told.graded_by.slice(0, MOST).map((one, i) => [i ? ", " : "",
      h("button", { class: "link", onclick: () => go({ agent: one.grader, generation, arm }) }, `agent ${one.grader}`), `: ${number(one.mean, 2)} (${one.grades})`]),
      told.graded_by.length > MOST ? `, and ${told.graded_by.length - MOST} more` : "", ". The mean grade, and of how many.")] : null,
    h("h2", {}, "Genome"),
    h("ul", {}, h("li", {}, `model ${genome.model}, sampling temperature ${number(genome.sampling_temperature)}`),
      genome.persona === null ? null : h("li", {}, "persona: ", h("span", { class: "text" }, genome.persona)),
      genome.role === "ordinary" ? null : h("li", {}, `role: ${genome.role}`),
      genome.weights === null ? null : h("li", {}, `weights: ${genome.weights}`),
      h("li", { class: "muted" }, `digest ${genome.digest}`)),
    h("details", {}, h("summary", {}, `Context: ${genome.examples} examples`),
      genome.context.map((example) => h("p", { class: "said text" }, `${example.query}${example.answer}`, example.level === null ? "" : ` (level ${example.level})`))),
    h("p", {}, h("button", { onclick: () => go({ tab: "answers", agent: told.agent, generation: told.generation, arm, answer: null }) }, "Its answers"), " ",
      told.parent === null || !told.generation ? null : h("button", {
        onclick: () => go({ agent: told.generation === told.born + 1 ? told.parent : told.agent, generation: told.generation - 1 }),
      }, told.generation === told.born + 1 ? "Its parent" : "A generation before")));
}

// A genome beside the one that it comes of; rows that differ stand out.
function beside(told) {
  const own = told.genome, theirs = told.beside;
  const rows = [["model", "model"], ["sampling temperature", "sampling_temperature"], ["examples", "examples"], ["persona", "persona"],
    ["weights", "weights"], ["role", "role"], ["digest", "digest"]];
  const said = (value) => (value === null ? "–" : typeof value === "number" && !Number.isInteger(value) ? number(value) : String(value));
  const mine = told.parent_told === told.agent;
  return table(["", mine ? "a generation before" : told.parent_told === told.parent ? `parent, agent ${told.parent}` : `ancestor, agent ${told.parent_told}`, `agent ${told.agent}`],
    rows.filter(([, key]) => own[key] !== null || theirs[key] !== null).map(([name, key]) =>
      h("tr", { class: own[key] === theirs[key] ? null : "changed" }, h("th", { scope: "row" }, name),
        [theirs, own].map((side) => h("td", { class: "text" }, said(side[key]))))), { label: "Beside its parent" });
}

function examples(title, some) {
  if (!some?.length) return null;
  return h("details", {}, h("summary", {}, `${title}: ${some.length}`),
    some.map((one) => h("p", { class: "said text" }, `${one.query}${one.answer}`, one.level === null ? "" : ` (level ${one.level})`)));
}
