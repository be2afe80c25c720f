// Who descends from whom: shares of the founders over time, and the tree; an agent opens beside it.

import { ask } from "./api.js";
import { agentPanel } from "./agent.js";
import { colour } from "./charts.js";
import { h, replace, svg } from "./dom.js";
import { go, place } from "./places.js";

const FOUNDERS = ["#0b6fb0", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7a6bbd"];
const WIDTH = 900, ROW_LEAST = 7, MULLER_HEIGHT = 190, LEFT = 34, BOTTOM = 24;

export function lineageView(content, state) {
  const muller = h("figure"), tree = h("figure"), panel = h("aside", { class: "panel", "aria-live": "polite", "aria-label": "Agent" });
  replace(content, h("p", { class: "note" },
    "A colour is a founder: a neutral label that children inherit. Only the run itself is shown, not its controls."),
    muller, h("div", { class: "split" }, tree, panel));
  let drawn = -1, asking = false;

  async function update() {
    const rows = state.run.series.rows;
    drawMuller(muller, rows);
    if (asking || drawn === state.run.series.count) return;
    asking = true;
    try {
      const found = await ask("tree", { run: state.run.name });
      drawn = state.run.series.count;
      drawTree(tree, found, orderOf(rows), open);
    } catch (error) {
      replace(tree, h("p", { class: "alarm" }, error.message));
    } finally {
      asking = false;
    }
  }

  function open(agent, generation) {
    go({ agent, generation, arm: "selected" }, "replace");
    show();
  }

  function show() {
    const { agent, generation } = place();
    if (agent === undefined || generation === undefined) return;
    tree.querySelector(".chosen")?.classList.remove("chosen");
    tree.querySelector(`[data-agent="${CSS.escape(agent)}"]`)?.classList.add("chosen");
    agentPanel(panel, state, { agent, generation, arm: "selected" }).catch((error) =>
      replace(panel, h("p", { class: "alarm" }, error.message)));
  }

  update().then(show);
  return { update };
}

function founderColour(founder, order) {
  if (founder < 0) return colour("--grid");
  const at = order.indexOf(founder);
  return at < 0 ? colour("--grey") : FOUNDERS[at % FOUNDERS.length];
}

function orderOf(rows) {
  const sums = new Map();
  for (const row of rows) for (const [founder, count] of row.founders) if (founder >= 0) sums.set(founder, (sums.get(founder) ?? 0) + count);
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, FOUNDERS.length).map(([founder]) => founder);
}

function drawMuller(place, rows) {
  if (!rows.length) return replace(place, h("p", {}, "No generation has been committed yet."));
  const order = orderOf(rows), bands = [...order, "others"];
  const size = rows[0].founders.reduce((sum, [, count]) => sum + count, 0) || 1;
  const x = (i) => LEFT + (rows.length < 2 ? i : i / (rows.length - 1)) * (WIDTH - LEFT - 8);
  const y = (share) => (1 - share) * (MULLER_HEIGHT - BOTTOM - 6) + 6;
  const drawnRows = rows.length < 2 ? [rows[0], rows[0]] : rows;
  const below = drawnRows.map(() => 0);
  const areas = bands.map((band) => {
    const edges = drawnRows.map((row, i) => {
      const count = row.founders.reduce((sum, [founder, n]) =>
        sum + ((band === "others" ? !order.includes(founder) : founder === band) ? n : 0), 0);
      const low = below[i];
      below[i] += count / size;
      return [low, below[i]];
    });
    const up = edges.map(([, high], i) => `${x(i).toFixed(1)},${y(high).toFixed(1)}`);
    const down = edges.map(([low], i) => `${x(i).toFixed(1)},${y(low).toFixed(1)}`).reverse();
    return svg("polygon", { points: [...up, ...down].join(" "), fill: band === "others" ? colour("--grey") : founderColour(band, order) });
  });
  const first = rows[0].generation, last = rows[rows.length - 1].generation;
  replace(place, h("h2", {}, "Shares of the founders' lines"),
    h("figcaption", {}, "Of the agents that start each next generation; the largest lines have a colour each."),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${MULLER_HEIGHT}`, role: "img", "aria-label": `Muller plot: ${sentence(rows, order)}` },
      areas,
      svg("text", { x: LEFT, y: MULLER_HEIGHT - 6 }, `generation ${first}`),
      svg("text", { x: WIDTH - 8, y: MULLER_HEIGHT - 6, "text-anchor": "end" }, String(last)),
      svg("text", { x: LEFT - 6, y: 14, "text-anchor": "end" }, "1"), svg("text", { x: LEFT - 6, y: MULLER_HEIGHT - BOTTOM, "text-anchor": "end" }, "0")),
    h("ul", { class: "legend" }, bands.map((band) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.background = band === "others" ? colour("--grey") : founderColour(band, order);
      return h("li", {}, swatch, band === "others" ? "all others" : `founder ${band}`);
    })));
}

function sentence(rows, order) {
  const last = rows[rows.length - 1].founders;
  const size = last.reduce((sum, [, count]) => sum + count, 0) || 1;
  return order.slice(0, 3).map((founder) => {
    const count = last.find(([one]) => one === founder)?.[1] ?? 0;
    return `founder ${founder} has ${Math.round((100 * count) / size)} % of the last generation`;
  }).join(", ");
}

// Each agent is a stroke from its birth to its death, on a row of its own below its ancestors' lines.
function drawTree(where, found, order, open) {
  if (!found) return replace(where, h("p", {}, "There is no lineage yet."));
  const { lives, generations } = found;
  const children = new Map(lives.map(([id]) => [id, []]));
  const by = new Map(lives.map((life) => [life[0], life]));
  const roots = [];
  for (const life of lives) (life[1] < 0 ? roots : children.get(life[1])).push(life[0]);
  const rows = new Map();
  let row = 0;
  const stack = [...roots].reverse();
  while (stack.length) {
    const id = stack.pop();
    rows.set(id, row++);
    const own = children.get(id);
    own.sort((a, b) => by.get(a)[2] - by.get(b)[2] || a - b);
    stack.push(...own.slice().reverse());
  }
  const step = Math.max(ROW_LEAST, Math.min(18, 900 / Math.max(1, row)));
  const height = row * step + BOTTOM + 10;
  const x = (time) => LEFT + (time / Math.max(1, generations)) * (WIDTH - LEFT - 12);
  const y = (id) => 8 + rows.get(id) * step;
  const alive = survivors(lives, by);
  const strokes = [], nodes = [];
  const nodesShown = lives.length <= 600;
  for (const [id, parent, born, died, founder] of lives) {
    const start = x(born + 1), end = x(died < 0 ? generations : Math.max(born + 1, died + 1));
    const look = { class: alive.has(id) ? "life" : "life extinct", stroke: founderColour(founder, order) };
    if (parent >= 0) strokes.push(svg("path", { ...look, d: `M${start} ${y(parent)}V${y(id)}H${end}` }));
    else strokes.push(svg("path", { ...look, d: `M${start} ${y(id)}H${end}` }));
    if (!nodesShown || (died >= 0 && died <= born)) continue;
    const generation = born + 1;
    if (generation >= generations) continue;
    const choose = () => open(id, generation);
    nodes.push(svg("circle", {
      class: "node", cx: start, cy: y(id), r: Math.min(5.5, step / 2), fill: founderColour(founder, order), tabindex: 0, role: "button",
      "data-agent": id, "aria-label": `Agent ${id}, ${parent < 0 ? "a founder" : `child of agent ${parent}`}, from generation ${generation} on`,
      onclick: choose, onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } },
    }));
  }
  const said = found.whole ? `All ${lives.length} agents that ever lived; pale lines died out.`
    : `The ancestry of ${found.sampled} of ${found.living} living agents, evenly chosen: ${lives.length} agents.`;
  const drawn = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": "Tree of descent" }, strokes, nodes,
    svg("text", { x: LEFT, y: height - 6 }, "generation 0"), svg("text", { x: WIDTH - 8, y: height - 6, "text-anchor": "end" }, String(generations)));
  if (!nodesShown) drawn.addEventListener("click", (event) => nearest(event, drawn, lives, x, y, generations, open));
  replace(where, h("h2", {}, "Descent"),
    h("figcaption", {}, said, " A dot is an agent's first generation: choose one to see its genome and its answers."),
    nodesShown ? null : chooseByNumber(open), h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Tree of descent, scrolls" }, drawn));
}

function chooseByNumber(open) {
  const agent = h("input", { type: "number", min: 0, size: 8 }), generation = h("input", { type: "number", min: 0, size: 6 });
  return h("form", { class: "controls", onsubmit: (event) => { event.preventDefault(); open(agent.value, generation.value); } },
    h("label", {}, "Agent", agent), h("label", {}, "in generation", generation), h("button", {}, "Open"));
}

function survivors(lives, by) {
  const alive = new Set();
  for (const life of lives) {
    if (life[3] >= 0) continue;
    for (let id = life[0]; id >= 0 && !alive.has(id); id = by.get(id)[1]) alive.add(id);
  }
  return alive;
}

function nearest(event, drawn, lives, x, y, generations, open) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawn.getScreenCTM().inverse());
  let best = null, least = 20;
  for (const [id, , born, died] of lives) {
    const end = x(died < 0 ? generations : died + 1);
    if (point.x < x(born + 1) - 4 || point.x > end + 4) continue;
    const away = Math.abs(y(id) - point.y);
    if (away < least) [best, least] = [[id, Math.max(born + 1, Math.min(generations - 1, Math.floor(((point.x - LEFT) / (WIDTH - LEFT - 12)) * generations)))], away];
  }
  if (best && best[1] < generations) open(...best);
}
