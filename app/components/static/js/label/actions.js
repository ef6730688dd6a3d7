// The buttons under the question, each with its key. They say the same as the keyboard does.

import { h } from "../dom.js";

const PAIR = [["different", "Different", "D", "\u2190"], ["not_comparable", "Not comparable", "N"], ["unsure", "Unsure", "U"], ["skip", "Skip", "K"], ["same", "Same", "S", "\u2192"]];
const MANY = [["not_comparable", "Not comparable", "N"], ["unsure", "Unsure", "U"], ["skip", "Skip", "K"], ["confirm", "", "Enter"]];
const TOOLS = [["background", "Background", "B"], ["swap", "Swap", "X"], ["undo", "Undo", "Z"]];

export function actions(act) {
  const node = h("div", { class: "pw-actions", role: "toolbar", "aria-label": "Answers" });
  let drawn = null;
  let buttons = {};

  function button([name, text, ...keys]) {
    const made = h("button", { type: "button", class: name, title: keys.join(" or "), "aria-keyshortcuts": keys[0], onclick: (event) => { act(name, event); made.blur(); } },
      h("span", {}, text), keys.map((one) => h("kbd", { "aria-hidden": "true" }, one)));
    if (name === "background") made.setAttribute("aria-pressed", "false");
    buttons[name] = made;
    return made;
  }

  function draw(kind) {
    buttons = {};
    const tools = TOOLS.filter(([name]) => name !== "swap" || kind === "pair").map(button);
    const answers = (kind === "pair" ? PAIR : MANY).map(button);
    node.replaceChildren(h("div", { class: "pw-say" }, answers), h("div", { class: "pw-tools" }, tools));
    drawn = kind;
  }

  return {
    node,
    show(card) {
      const kind = card?.question.kind ?? "pair";
      if ((kind === "pair") !== (drawn === "pair") || drawn === null) draw(kind);
      for (const [name, one] of Object.entries(buttons)) one.disabled = !card && name !== "undo";
      this.flag(Boolean(card?.state?.background));
      if (buttons.confirm) buttons.confirm.firstChild.textContent = confirmText(card);
    },
    flag(on) { buttons.background?.setAttribute("aria-pressed", String(on)); },
    pressed(name) {
      const one = buttons[name];
      one?.classList.add("pressed");
      setTimeout(() => one?.classList.remove("pressed"), 120);
    },
  };
}

function confirmText(card) {
  const n = card?.marked?.size ?? 0;
  if (card?.question.kind === "odd_ones_out") return n ? `${n} stranger${n > 1 ? "s" : ""}, the rest belong` : "All belong together";
  return n ? `${n} belong${n > 1 ? "" : "s"}, the rest do not` : "None of them belongs";
}
