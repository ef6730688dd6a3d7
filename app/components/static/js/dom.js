// Small helpers to build a page. Text always goes in as text (never as HTML), so nothing a user wrote can run.

// h("button", {class: "x", onclick: f, data: {id: 3}}, "text", child) -> element. null and false children are left out.
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on") && typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (name === "data") Object.assign(node.dataset, value);
  else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
  else node.setAttribute(name, value === true ? "" : String(value));
}

const PATHS = {
  check: "M5 13l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  sun: "M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4M12 8a4 4 0 100 8 4 4 0 000-8",
  moon: "M20 14.5A8 8 0 019.5 4 8 8 0 1020 14.5z",
  leave: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  images: "M4 6h12v12H4zM8 3h12v12M4 15l4-4 3 3 2-2 3 3",
  spark: "M12 3l2.2 6.8L21 12l-6.8 2.2L12 21l-2.2-6.8L3 12l6.8-2.2z",
  clock: "M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4.5l3 2",
};

// A line icon; decorative, hidden from screen readers.
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2",
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", width: "18", height: "18" })) svg.setAttribute(key, value);
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

// The mark: two sheets that overlap; what they share is filled.
export function mark() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  const shapes = [["M12 6h-6a3 3 0 00-3 3v11a3 3 0 003 3h11a3 3 0 003-3v-1", "none"], ["M13 9h13a3 3 0 013 3v12a3 3 0 01-3 3H15a3 3 0 01-3-3V9z", "none"], ["M12 9h8v14h-8z", "currentColor"]];
  for (const [d, fill] of shapes) {
    const path = document.createElementNS(svg.namespaceURI, "path");
    for (const [key, value] of Object.entries({ d, fill, stroke: fill === "none" ? "currentColor" : "none", "stroke-width": "2.2", "stroke-linejoin": "round", "stroke-linecap": "round", opacity: fill === "none" ? "1" : ".5" })) path.setAttribute(key, value);
    svg.append(path);
  }
  svg.style.color = "var(--pw-accent)";
  return svg;
}

// An empty screen says what to do next.
export function empty(symbol, title, sentence, ...actions) {
  return h("div", { class: "pw-empty" }, icon(symbol), h("h2", {}, title), h("p", {}, sentence), ...actions);
}

export const plural = (n, one, many = `${one}s`) => `${n.toLocaleString()} ${n === 1 ? one : many}`;
