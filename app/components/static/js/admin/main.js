// The admin screen: people on the left, their tokens beside them, backups and who did what below. Only admins see it.

import { me } from "../bus.js";
import { empty, h } from "../dom.js";
import { Backups } from "./backups.js";
import { Log } from "./log.js";
import { People } from "./people.js";
import { Tokens } from "./tokens.js";

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  if (person.role !== "admin") return element.replaceChildren(h("div", { class: "pw" },
    empty("leave", "For admins", "Who may sign in, with which tokens, and who did what. Ask an admin for what you need.")));
  const log = new Log();
  const tokens = new Tokens({ changed: () => { people.load(); log.load(); } });
  const people = new People({ myself: person.name, chosen: (one) => tokens.show(one), changed: () => log.load() });
  const backups = new Backups({ changed: () => log.load() });
  element.replaceChildren(h("div", { class: "pw pw-admin" }, people.node, tokens.node, backups.node, log.node));
  const tab = document.querySelector("#pw-tab-admin");
  new IntersectionObserver(([seen]) => { if (seen.isIntersecting) { people.load(); backups.load(); log.load(); } }).observe(tab ?? element);
}
