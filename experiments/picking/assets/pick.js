// The page where people pick: one question at a time, by mouse, finger or key.

import { h, replace } from "./dom.js";

const AGAIN_MS = 1500;
const token = location.hash.slice(1);
const content = document.getElementById("content"), heading = document.getElementById("heading");

const state = { told: null, acting: false, refreshing: Promise.resolve(), seen: 0, since: null };

async function ask(path, said) {
  const reply = await fetch(`/api/${path}`, {
    method: said ? "POST" : "GET",
    headers: { authorization: `Bearer ${token}`, ...(said ? { "content-type": "application/json" } : {}) },
    body: said ? JSON.stringify(said) : undefined,
  });
  const told = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(told.error), { status: reply.status });
  return told;
}

// Only what is before somebody's eyes counts: a page in the background does not.
function watchTheClock() {
  if (state.since !== null) state.seen += performance.now() - state.since;
  state.since = document.visibilityState === "visible" ? performance.now() : null;
}
document.addEventListener("visibilitychange", watchTheClock);

// What somebody does waits for what is asked by itself, and is done once, however often keys are hit.
async function acting(work) {
  if (state.acting) return;
  state.acting = true;
  await state.refreshing;
  await telling(work);
  state.acting = false;
}

function refresh() {
  if (!state.acting) state.refreshing = telling(() => ask("question"));
}

async function telling(work) {
  try {
    take(await work());
    away(false);
  } catch (error) {
    if (error.status === 409) await ask("question").then(take, () => away(true));
    else if (error.status === 401) stranger(error);
    else away(true);
  }
}

function pick(shown) {
  const question = state.told?.question;
  if (!question || (shown !== null && shown >= question.candidates.length)) return;
  watchTheClock();
  acting(() => ask("pick", { key: question.key, shown, seconds: state.seen / 1000 }));
}

const undo = () => state.told?.undo && acting(() => ask("undo", {}));

function take(told) {
  const same = state.told && state.told.question?.key === told.question?.key;
  state.told = told;
  if (same && told.question) return drawProgress(told);
  state.seen = 0;
  state.since = document.visibilityState === "visible" ? performance.now() : null;
  draw(told);
}

function draw(told) {
  document.getElementById("who").textContent = told.label;
  drawProgress(told);
  const { question } = told;
  heading.textContent = question ? "Which is best?" : told.total ? "All picked. Thank you." : "Nothing to pick now";
  const back = h("button", { onclick: undo, disabled: !told.undo }, "Undo ", h("kbd", { class: "keys" }, "U"));
  if (!question) {
    replace(content,
      h("p", {}, told.total
        ? "Your picks are kept. The run goes on once enough people have picked; the next questions come up here by themselves."
        : "The run is at work. Questions come up here by themselves: you can leave this page open, or close it and come back by the same link."),
      told.undo ? h("div", { class: "foot" }, back) : null);
    return;
  }
  const choice = (text, shown, key) => h("li", {},
    h("button", { onclick: () => pick(shown), class: shown === null ? "none" : null },
      h("kbd", { class: "keys", "aria-hidden": "true" }, key), h("span", { class: "text" }, text)));
  replace(content,
    told.note ? h("p", { class: "note" }, told.note) : null,
    h("div", { class: "question text", tabIndex: 0, role: "region", "aria-label": "Question" }, question.query || "(nothing)"),
    h("ol", { class: "choices", "aria-label": "Answers" },
      question.candidates.map((text, i) => choice(text || "(nothing)", i, i < 9 ? i + 1 : "")),
      choice("None of them", null, 0)),
    h("div", { class: "foot" }, back,
      h("p", { class: "muted keys" }, "Keys: ", h("kbd", {}, "1"), " … ", h("kbd", {}, Math.min(9, question.candidates.length)),
        " to pick, ", h("kbd", {}, "0"), " for none, ", h("kbd", {}, "U"), " to undo.")));
  if (document.activeElement === document.body) content.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function drawProgress(told) {
  replace(document.getElementById("progress"), told.total
    ? [h("progress", { max: told.total, value: told.done, "aria-label": "Picked" }), `${told.done} of ${told.total}`] : null);
  document.title = told.question ? `${told.done} of ${told.total}: which is best?` : "Nothing to pick now";
}

function away(is) {
  document.getElementById("connection").textContent = is ? "· the run is away; waiting for it" : "";
}

function stranger(error) {
  clearInterval(timer);
  heading.textContent = "This link is not of this run";
  replace(content, h("p", { class: "alarm", role: "alert" }, error.message));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "0") pick(null);
  else if (/^[1-9]$/.test(event.key)) pick(Number(event.key) - 1);
  else if (event.key === "u" || event.key === "U") undo();
  else return;
  event.preventDefault();
});

const timer = setInterval(refresh, AGAIN_MS);
refresh();
