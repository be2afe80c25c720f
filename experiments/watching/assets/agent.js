// An agent: what it inherits, what it has otherwise than its parent, and how it did.

import { ask } from "./api.js";
import { h, number, replace } from "./dom.js";
import { go } from "./places.js";

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
    told.changes.length || told.mutations.length
      ? h("ul", {}, told.changes.map((line) => h("li", {}, line)), told.mutations.map((name) => h("li", {}, `mutation: ${name}`)),
        told.other_parent === null ? null : h("li", {}, `part of its context is agent ${told.other_parent}'s`))
      : h("p", {}, told.generation ? "Nothing." : "It is of the first generation."),
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
