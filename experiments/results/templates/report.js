"use strict";
// Folding and filtering. Nothing here makes markup: what is shown was in the page before.
const opened = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  for (const part of target ? [target, ...target.querySelectorAll(":scope > details")] : [])
    for (let at = part; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", opened);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
opened();

const form = document.getElementById("filters");
if (form) {
  const PAGE = 20, list = document.querySelector(".answers ol"), all = [...list.children];
  const status = document.getElementById("shown"), more = document.getElementById("more");
  let most = PAGE;
  const draw = () => {
    const wanted = Object.fromEntries(new FormData(form)), text = wanted.text.toLowerCase();
    const order = wanted.order ? [...all].sort((a, b) => b.dataset.disputed - a.dataset.disputed) : all;
    const found = order.filter((one) =>
      (!wanted.group || one.dataset.group.split(" ").includes(wanted.group)) &&
      ["right", "accepted", "unread", "cut"].every((name) => !wanted[name] || one.dataset[name] === wanted[name]) &&
      (!text || one.textContent.toLowerCase().includes(text)));
    const shown = new Set(found.slice(0, most));
    for (const one of order) one.hidden = !shown.has(one);
    list.append(...order);
    status.textContent = found.length ? `${shown.size} of ${found.length} answers` : "No answer here is like that.";
    more.hidden = found.length <= most;
  };
  form.addEventListener("input", () => { most = PAGE; draw(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => { most += PAGE; draw(); });
  for (const one of [form, status]) one.hidden = false;
  document.querySelector(".answers").classList.add("paged");
  draw();
}
