// Short messages in the corner. A refusal stays until dismissed; anything else leaves by itself.

import { h } from "./dom.js";

let shelf = null;

export function toast(text, { bad = false, action = null } = {}) {
  shelf ??= document.body.appendChild(h("div", { class: "pw pw-toasts", role: "status", "aria-live": "polite" }));
  const close = h("button", { type: "button", onclick: () => note.remove() }, "Dismiss");
  const more = action && h("a", { href: action.href }, action.text);
  const note = h("div", { class: `pw-toast${bad ? " bad" : ""}` }, h("span", {}, text), more, bad && close);
  shelf.append(note);
  if (!bad) setTimeout(() => note.remove(), 5000);
  return note;
}
