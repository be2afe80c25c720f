// What the server is asked, and what it tells by itself.

export async function ask(path, query = {}) {
  const asked = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const reply = await fetch(`/api/${path}?${new URLSearchParams(asked)}`);
  const told = await reply.json();
  if (!reply.ok) throw new Error(told.error);
  return told;
}

// Events from a number on. The browser comes back by itself where the connection breaks, and says
// which event it had last.
export function listen(boot, last, onevent, onstate) {
  const source = new EventSource(`/api/events?last=${boot}-${last}`);
  source.onopen = () => onstate(true);
  source.onerror = () => onstate(false);
  source.onmessage = (message) => onevent(JSON.parse(message.data));
  return source;
}
