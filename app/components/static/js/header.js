// The header: brand, criterion picker, light or dark, who is signed in, the way out.

import { address } from "./api.js";
import { choose, criterion, loadCriteria, me, on } from "./bus.js";
import { h, icon, mark } from "./dom.js";
import { apply, dark, toggle } from "./theme.js";

export function start(element) {
  apply();
  const picker = h("select", { "aria-label": "What 'same' means", onchange: (event) => { choose(event.target.value); event.target.blur(); } });
  const theme = h("button", { type: "button", class: "pw-quiet", onclick: () => { toggle(); draw(theme); } });
  const who = h("span", { class: "pw-who" });
  draw(theme);
  element.replaceChildren(h("div", { class: "pw pw-header" },
    h("div", { class: "pw-brand" }, mark(), h("span", {}, "Pairwright")), h("div", { class: "pw-space" }),
    h("label", { class: "pw-picker" }, h("span", {}, "Teaching"), picker), who, theme, leave()));
  on("criteria", (all) => fill(picker, all));
  on("criterion", (one) => { if (one) picker.value = String(one.id); });
  on("tab", (name) => tabs().find((tab) => tab.textContent.trim() === name)?.click());
  me().then((person) => {
    who.textContent = person.name;
    if (person.role !== "admin") tabs().find((tab) => tab.textContent.trim() === "Admin")?.remove();
  }).catch(() => {});
  loadCriteria().catch(() => fill(picker, []));
}

const tabs = () => [...document.querySelectorAll('#pw-tabs [role="tab"]')];

function draw(button) {
  button.replaceChildren(icon(dark() ? "sun" : "moon"));
  button.setAttribute("aria-label", dark() ? "Switch to light" : "Switch to dark");
  button.title = button.getAttribute("aria-label");
}

function fill(picker, all) {
  const options = all.map((one) => h("option", { value: one.id }, one.name));
  picker.replaceChildren(...(options.length ? options : [h("option", { value: "" }, "nothing yet")]));
  picker.disabled = options.length === 0;
  if (criterion()) picker.value = String(criterion().id);
}

function leave() {
  const out = async () => {
    await fetch(address("../../logout"), { method: "POST", credentials: "same-origin" }).catch(() => {});
    location.assign("/login");
  };
  return h("button", { type: "button", class: "pw-quiet", title: "Sign out", "aria-label": "Sign out", onclick: out }, icon("leave"));
}
