// The buttons under the question, each with its key. They say the same as the keyboard does.

import { h } from "../dom.js";
import { cap, keysOf, twoSided } from "./keys.js";
import { sureness } from "./sure.js";

const PAIR = [["different", "Different"], ["not_comparable", "Not comparable"], ["unsure", "Unsure"], ["skip", "Skip"], ["same", "Same"]];
const WORDS = [["different", "Does not belong"], ["not_comparable", "Cannot be judged"], ["unsure", "Unsure"], ["skip", "Skip"], ["same", "Belongs"]];
const MANY = [["not_comparable", "Not comparable"], ["unsure", "Unsure"], ["skip", "Skip"], ["confirm", ""]];
const TOOLS = [["background", "Background"], ["confidence", "How sure"], ["swap", "Swap"], ["undo", "Undo"], ["keys", ""]];

const KINDS = ["tick_positives", "odd_ones_out", "missing_positives", "merge", "caption"];
const UNFIT = { swap: KINDS, background: ["caption"] }; // tools that mean nothing in a layout
const bar = (kind) => (twoSided(kind) ? kind : "many"); // layouts with the same buttons

export function actions(act) {
  const node = h("div", { class: "pw-actions", role: "toolbar", "aria-label": "Answers" });
  let drawn = null;
  let buttons = {};

  function button([name, text]) {
    const caps = keysOf(name).slice(0, name === "undo" ? 1 : 2).map(cap);
    const made = h("button", { type: "button", class: name, title: text ? caps.join(" or ") : "All keys", "aria-label": text ? null : "All keys", "aria-keyshortcuts": caps[0], onclick: (event) => { act(name, event); made.blur(); } },
      h("span", {}, text), caps.map((one) => h("kbd", { "aria-hidden": "true" }, one)));
    if (name === "background") made.setAttribute("aria-pressed", "false");
    buttons[name] = made;
    return made;
  }

  function draw(kind) {
    buttons = {};
    const tools = TOOLS.filter(([name]) => !(UNFIT[name] ?? []).includes(kind)).map(button);
    const answers = (kind === "caption" ? WORDS : twoSided(kind) ? PAIR : MANY).map(button);
    node.replaceChildren(h("div", { class: "pw-say" }, answers), h("div", { class: "pw-tools" }, tools));
    drawn = kind;
  }

  let last = null;
  const shown = {
    node,
    show(card) {
      last = card;
      const kind = card?.question.kind ?? "pair";
      if (drawn === null || bar(kind) !== bar(drawn)) draw(kind);
      for (const [name, one] of Object.entries(buttons)) one.disabled = !card && !["undo", "keys"].includes(name);
      this.flag(Boolean(card?.state?.background));
      this.sure(card?.sure ?? null);
      if (buttons.confirm) buttons.confirm.firstChild.textContent = confirmText(card);
    },
    flag(on) { buttons.background?.setAttribute("aria-pressed", String(on)); },
    sure(value) {
      buttons.confidence.firstChild.textContent = sureness(value);
      buttons.confidence.setAttribute("aria-pressed", String(value !== null));
    },
    pressed(name) {
      const one = buttons[name];
      one?.classList.add("pressed");
      setTimeout(() => one?.classList.remove("pressed"), 120);
    },
  };
  document.addEventListener("pw-keys", () => { drawn = null; shown.show(last); });
  return shown;
}

function confirmText(card) {
  const n = card?.marked?.size ?? 0;
  if (card?.question.kind === "odd_ones_out") return n ? `${n} stranger${n > 1 ? "s" : ""}, the rest belong` : "All belong together";
  return n ? `${n} belong${n > 1 ? "" : "s"}, the rest do not` : "None of them belongs";
}
