// Merge? Two groups side by side, answered by key.

import { h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { title } from "./card.js";
import { shot } from "./chain.js";

const SAY = [["different", "Two groups", "D"], ["unsure", "Unsure", "U"], ["same", "One group", "S"]];

export function mergeQuestion([one, other], about, box, done) {
  const shown = performance.now();
  const side = (group) => h("section", {}, h("h3", {}, title(group), " ", h("span", { class: "pw-muted pw-small" }, plural(group.size, "picture"))), h("div", { class: "pw-merge-side" }, group.items.map((item) => shot(item))));
  const ids = (group) => [group.anchor, ...group.items.map((item) => item.id).filter((id) => id !== group.anchor)];
  const say = (verdict) => {
    const seconds = Math.round((performance.now() - shown) / 10) / 100;
    box.say("groups/merge", [{ criterion: about.id, a: ids(one), b: ids(other), verdict, seconds }], "the answer about two groups");
    dialog.close();
    toast(verdict === "same" ? "Merged: one group." : verdict === "different" ? "Kept apart: two groups." : "Noted as unsure.");
    done();
  };
  const dialog = h("dialog", { class: "pw pw-asking", "aria-label": "Are these two groups one?", onclose: () => dialog.remove(),
    onkeydown: (event) => { const found = SAY.find(([, , key]) => key.toLowerCase() === event.key.toLowerCase()); if (found && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); say(found[0]); } } },
  h("header", {}, h("h2", {}, about.prompt), h("button", { type: "button", class: "pw-quiet", onclick: () => dialog.close() }, "Cancel")),
  h("div", { class: "pw-merge-two" }, side(one), side(other)),
  h("div", { class: "pw-actions" }, h("div", {}, SAY.map(([verdict, text, key]) => h("button", { type: "button", class: verdict, "aria-keyshortcuts": key, onclick: () => say(verdict) }, h("span", {}, text), h("kbd", { "aria-hidden": "true" }, key))))));
  document.body.append(dialog);
  dialog.showModal();
}
