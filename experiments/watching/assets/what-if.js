// What if selection had been another? The recorded answers are selected again, as far as they reach.

import { ask } from "./api.js";
import { chooser, h, number, replace, table } from "./dom.js";

const SELECTION = "population.selection.";

export function whatIfView(content, state) {
  const { config } = state.run;
  const recorded = config.population.selection;
  const now = { temperature: recorded.temperature, operator: recorded.operator, threshold: config.protocol.threshold, aggregation: config.protocol.aggregation.name, without: new Set() };
  const result = h("div", { "aria-live": "polite" });
  const said = h("output", {}, number(now.temperature, 3));
  const slider = h("input", { type: "range", min: -3, max: 1, step: 0.02, value: Math.log10(Number.isFinite(now.temperature) ? now.temperature : 10),
    "aria-label": "Selection temperature", oninput: (event) => { now.temperature = 10 ** Number(event.target.value); said.textContent = number(now.temperature, 3); soon(); } });
  const size = Math.min(state.run.agents, 64);
  replace(content,
    h("p", { class: "note" }, h("strong", {}, "Re-selection among recorded answers. "),
      "Nothing is asked anew: it shows who would have lived, and reaches as far as those who would have lived are those who answered. What others would have said, only another run can tell."),
    h("div", { class: "controls" },
      h("label", {}, h("span", {}, "Selection temperature T: ", said), slider),
      chooser("Operator", state.run.operators.map((name) => [name, name]), now.operator, (value) => { now.operator = value; soon(); }),
      h("label", {}, "Accept from a score of", h("input", { type: "number", min: 0, max: 1, step: 0.05, value: now.threshold, onchange: (event) => { now.threshold = event.target.value; soon(); } })),
      chooser("Grades become a score by", state.run.aggregations.map((name) => [name, name]), now.aggregation, (value) => { now.aggregation = value; soon(); }),
      h("button", { onclick: () => { whatIfView(content, state); } }, "As recorded")),
    h("fieldset", {}, h("legend", {}, "On the jury (by slot)"), Array.from({ length: size }, (_, slot) =>
      h("label", {}, h("input", { type: "checkbox", checked: true, onchange: (event) => { now.without[event.target.checked ? "delete" : "add"](slot); soon(); } }), slot))),
    result);

  let waiting = null, asked = 0;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => draw().catch((error) => replace(result, h("p", { class: "alarm" }, error.message))), 60);
  }

  async function draw() {
    const mine = ++asked, set = [];
    if (now.temperature !== recorded.temperature) set.push(`${SELECTION}temperature=${now.temperature}`);
    if (now.operator !== recorded.operator) set.push(`${SELECTION}operator=${now.operator}`);
    if (now.threshold !== config.protocol.threshold) set.push(`protocol.threshold=${now.threshold}`);
    if (now.aggregation !== config.protocol.aggregation.name) set.push(`protocol.aggregation.name=${now.aggregation}`);
    if (!state.run.series.count) return replace(result, h("p", {}, "No generation has been committed yet."));
    const told = await ask("what-if", { run: state.run.name, set: set.join("\n"), without: [...now.without].join(",") });
    if (mine === asked) replace(result, shown(told));
  }
  soon();
  return {};
}

function shown(told) {
  const all = told.reached === told.total;
  const reach = told.more ? `${told.reached} generations were selected again, of ${told.total}, and the records reach further. `
    : `The records reach ${told.reached} of ${told.total} generations. `;
  return [
    h("p", {}, h("strong", {}, reach),
      all || told.more ? "Every birth is the same." : `After that ${told.strangers} of ${told.agents} agents are not those that answered.`),
    h("h2", {}, "Generation by generation, again and as recorded"),
    table(["Generation", "Largest rate", "recorded", "Rates worth so many parents", "recorded", "Lineages left", "recorded", "Accepted", "recorded"],
      told.generations.map((one) => h("tr", {}, h("th", { scope: "row" }, one.generation),
        [["largest", 3], ["effective", 3], ["lineages", 0], ["accepted", 0]].flatMap(([name, digits]) => [one.again, one.recorded].map((side, i) =>
          h("td", { class: i ? "number muted" : "number" }, number(side[name], digits)))))), { label: "Generations selected again" }),
    told.first.length ? [h("h2", {}, "The first generation, agent by agent"),
      table(["Agent", "Fitness", "recorded", "Replication rate", "recorded", "It and its descendants", "recorded"],
        told.first.map((agent) => h("tr", {}, h("th", { scope: "row" }, agent.agent),
          ["fitness", "rate", "living"].flatMap((name) => [agent.again, agent.recorded].map((side, i) =>
            h("td", { class: i ? "number muted" : "number" }, name === "living" ? side[name] : number(side[name])))))), { label: "First generation by agent" })] : null,
  ];
}
