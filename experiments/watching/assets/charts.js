// Charts over generations: lines, a band about one of them, and the same in words below.

import { h, number, replace } from "./dom.js";

const COLOURS = ["--blue", "--orange", "--pink", "--grey", "--green"];
const HEIGHT = 250;

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// lines: [{ name, values, low, high, dash }], values by generation; null where there is none.
export class Chart {
  constructor(title, caption, options = {}) {
    this.options = options;
    this.plotted = h("div", { class: "plot", role: "img", "aria-label": title });
    this.legend = h("ul", { class: "legend" });
    this.element = h("figure", {}, h("h2", {}, title), h("figcaption", {}, caption), this.plotted, this.legend);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plotted);
  }

  draw(generations, lines) {
    this.data = [generations, lines];
    const shape = lines.map((line) => `${line.name}${line.low ? "b" : ""}`).join("|") + colour("--paper");
    if (this.uplot && this.shape === shape) this.uplot.setData(columns(generations, lines));
    else this.make(shape, generations, lines);
    replace(this.legend, lines.map((line, i) => {
      const last = latest(line.values);
      const swatch = h("span", { class: "swatch" });
      swatch.style.background = colour(line.colour ?? COLOURS[i % COLOURS.length]);
      return h("li", {}, swatch, `${line.name} ${number(last, this.options.digits ?? 3)}`);
    }));
  }

  make(shape, generations, lines) {
    this.uplot?.destroy();
    this.shape = shape;
    const series = [{}], bands = [];
    lines.forEach((line, i) => {
      const stroke = colour(line.colour ?? COLOURS[i % COLOURS.length]);
      series.push({ label: line.name, stroke, width: line.dash ? 1.6 : 2.4, dash: line.dash, points: { show: generations.length < 40, size: 5 } });
    });
    lines.forEach((line, i) => {
      if (!line.low) return;
      const stroke = colour(line.colour ?? COLOURS[i % COLOURS.length]);
      const place = series.length;
      series.push({ label: "", stroke: "transparent", width: 0, points: { show: false } },
        { label: "", stroke: "transparent", width: 0, points: { show: false } });
      bands.push({ series: [place + 1, place], fill: `${stroke}${line.dash ? "12" : "33"}` });
    });
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { stroke: colour("--grid"), width: 1 } };
    this.uplot = new uPlot({
      width: Math.max(240, this.plotted.clientWidth), height: HEIGHT, series, bands,
      scales: { x: { time: false }, y: this.options.scale ? { range: this.options.scale } : {} },
      axes: [{ ...axis, values: (u, splits) => splits.map((s) => (Number.isInteger(s) ? s : "")) }, { ...axis, size: 54 }],
      cursor: { y: false, points: { size: 7 } }, legend: { show: false }, padding: [8, 8, 0, 0],
    }, columns(generations, lines), this.plotted);
  }

  resize() {
    const width = this.plotted.clientWidth;
    if (this.uplot && width && Math.abs(width - this.uplot.width) > 2) this.uplot.setSize({ width, height: HEIGHT });
  }

  close() {
    this.observer.disconnect();
    this.uplot?.destroy();
  }
}

function columns(generations, lines) {
  const banded = lines.filter((line) => line.low).flatMap((line) => [line.low, line.high]);
  return [generations, ...lines.map((line) => line.values), ...banded];
}

export const latest = (values) => values.findLast((value) => value !== null && value !== undefined) ?? null;
