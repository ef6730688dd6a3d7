// The sheet of keys: what each one does, and another one on request. Opens with "?".

import { h } from "../dom.js";
import { NAMES, USUAL, cap, keysOf, rebind, refused, reset } from "./keys.js";

export function keysheet() {
  const said = h("p", { class: "pw-small pw-muted", role: "status", "aria-live": "polite" }, "Click a key, then press the one you want. Numbers tick pictures, Esc closes.");
  const list = h("ul", { class: "pw-keys" });
  const dialog = h("dialog", { class: "pw pw-once pw-keysheet", "aria-label": "Keys", onclose: () => dialog.remove() },
    h("h2", {}, "Keys"), list, said,
    h("div", { class: "pw-ends" }, h("button", { type: "button", class: "pw-quiet", onclick: () => { reset(); say("The usual keys are back."); draw(); } }, "Usual keys"),
      h("form", { method: "dialog" }, h("button", { class: "pw-primary" }, "Done"))));
  let waiting = null;

  const say = (text) => { said.textContent = text; };
  function draw() {
    list.replaceChildren(...Object.keys(USUAL).map((action) => h("li", {}, h("span", {}, NAMES[action]),
      h("button", { type: "button", class: "pw-keycap", data: { action }, "aria-label": `${NAMES[action]}: ${cap(keysOf(action)[0])}. Change`, onclick: (event) => wait(action, event.currentTarget) }, h("kbd", {}, cap(keysOf(action)[0]))),
      h("span", { class: "pw-muted pw-small" }, keysOf(action).slice(1).map((one) => `or ${cap(one)}`).join(" ")))));
  }
  function wait(action, button) {
    waiting = action;
    draw();
    const here = list.querySelector(`[data-action="${action}"]`) ?? button;
    here.replaceChildren(h("kbd", {}, "\u2026"));
    here.focus();
    say(`Press the key for \u201c${NAMES[action]}\u201d.`);
  }
  dialog.addEventListener("keydown", (event) => {
    if (!waiting || event.key === "Tab" || event.key === "Escape") { waiting = null; return; }
    event.preventDefault();
    event.stopPropagation();
    const key = event.key.toLowerCase();
    const why = refused(key);
    if (why) return say(why);
    const action = waiting;
    waiting = null;
    const other = rebind(action, key);
    say(other ? `${NAMES[action]} is ${cap(key)} now, ${NAMES[other]} is ${cap(keysOf(other)[0])}.` : `${NAMES[action]} is ${cap(key)} now.`);
    draw();
    list.querySelector(`[data-action="${action}"]`).focus();
  }, true);
  draw();
  document.body.append(dialog);
  dialog.showModal();
}
