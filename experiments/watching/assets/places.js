// Where one is on the page, kept in its address: a view can be bookmarked and sent on.

const listeners = [];

export function place() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

export function go(changes, how = "push") {
  const now = { ...place(), ...changes };
  for (const [name, value] of Object.entries(now)) if (value === null || value === "") delete now[name];
  const hash = `#${new URLSearchParams(now)}`;
  if (hash === location.hash) return;
  history[how === "push" ? "pushState" : "replaceState"](null, "", hash);
  for (const listener of listeners) listener();
}

export function link(changes) {
  const now = { ...place(), ...changes };
  for (const [name, value] of Object.entries(now)) if (value === null || value === "") delete now[name];
  return `#${new URLSearchParams(now)}`;
}

export function onplace(listener) {
  listeners.push(listener);
  addEventListener("popstate", listener);
}
