// One model version as a row: what it is, what it has learnt from, how it scores, what can be done with it.

import { h } from "../dom.js";

const WORDS = { promoted: ["asking now", "good"], candidate: ["candidate", "warn"], kept: ["kept", ""], retired: ["retired", ""] };
const NAMES = { heldout_f1_before: "held-out F1 before", heldout_f1_after: "held-out F1 after", heldout_pairs: "held-out pairs", seconds: "seconds", loss: "loss" };
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const date = (text) => (text ? DATE.format(new Date(text)) : "");

const shown = (value) => (typeof value !== "number" ? String(value) : Number.isInteger(value) ? value.toLocaleString() : value.toFixed(3));

// Numbers only; sentences are shown as such, nested values are for programs.
export const metrics = (given) =>
  Object.entries(given ?? {}).filter(([, value]) => typeof value === "number").map(([name, value]) => [NAMES[name] ?? name.replaceAll("_", " "), shown(value)]);

// can: whether this person may promote. act("promote" | "rollback", version) does it.
export function row(version, { can, older, act }) {
  const [word, tone] = WORDS[version.status] ?? [version.status, ""];
  const buttons = [
    version.status !== "promoted" && h("button", { type: "button", disabled: !can, onclick: () => act("promote", version) }, "Promote"),
    version.status === "promoted" && older && h("button", { type: "button", disabled: !can, onclick: () => act("rollback", version) }, "Roll back"),
  ];
  return h("li", { class: `pw-version ${version.status}`, data: { version: version.id, status: version.status } },
    h("div", { class: "pw-version-head" }, h("h3", {}, `Version ${version.id}`), h("span", { class: `pw-pill ${tone}` }, word),
      h("span", { class: "pw-muted pw-small" }, version.parent ? `from version ${version.parent}` : "the start: nothing learnt yet"),
      h("span", { class: "pw-grow" }), buttons),
    h("p", { class: "pw-muted pw-small" }, `${date(version.created_at)} · has learnt up to event ${version.last_event}`),
    typeof version.metrics.reason === "string" && h("p", { class: "pw-reason" }, version.metrics.reason),
    h("dl", { class: "pw-metrics" }, metrics(version.metrics).slice(0, 8).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "pw-num" }, value)))));
}
