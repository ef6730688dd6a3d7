// The first visit: five short steps, a few seconds each, over the screen they speak of. Esc or "Skip" ends it for good.

import { h } from "../dom.js";
import { cap, keysOf } from "./keys.js";

const KEPT = "pairwright/tour";
const key = (action) => h("kbd", {}, cap(keysOf(action)[0]));
const STEPS = [
  { at: ".pw-prompt", title: "One question at a time", text: () => ["This sentence says what \u201csame\u201d means. Only you know; no pretrained model does."] },
  { at: ".pw-say", title: "Your fingers stay on the keys", text: () => [key("same"), " same, ", key("different"), " different, ", key("unsure"), " unsure, ", key("skip"), " skip. With many pictures, numbers tick and ", key("confirm"), " confirms."] },
  { at: ".pw-tools", title: "Nothing is final", text: () => [key("undo"), " takes back, without limit. ", key("background"), " says that only the background is alike. ", key("keys"), " shows every key and changes them."] },
  { at: ".pw-saved", title: "Saved means saved", text: () => ["You never wait for the server. This turns green only when your answer is in the database."] },
  { at: "#pw-tabs [role=tablist]", title: "The model learns beside you", text: () => ["After a few answers a new version asks better questions. See its progress under Training, how good the groups are under Quality."] },
];

export const wanted = () => { try { return !localStorage.getItem(KEPT); } catch { return false; } };

export function tour() {
  let at = 0;
  const ring = h("div", { class: "pw-ring", "aria-hidden": "true" });
  const title = h("h2", {});
  const text = h("p", {});
  const count = h("span", { class: "pw-muted pw-small pw-num" });
  const next = h("button", { type: "button", class: "pw-primary", onclick: () => go(at + 1) });
  const box = h("dialog", { class: "pw pw-tour", "aria-label": "A short tour", onclose: end }, title, text,
    h("div", { class: "pw-ends" }, count, h("span", {}, h("button", { type: "button", class: "pw-quiet", onclick: () => box.close() }, "Skip"), next)));

  function end() {
    try { localStorage.setItem(KEPT, "seen"); } catch { /* a private window: it comes again */ }
    ring.remove();
    box.remove();
  }
  function go(step) {
    while (step < STEPS.length && !visible(STEPS[step].at)) step += 1;
    if (step >= STEPS.length) return box.close();
    at = step;
    title.textContent = STEPS[at].title;
    text.replaceChildren(...STEPS[at].text());
    count.textContent = `${at + 1} of ${STEPS.length}`;
    next.textContent = at === STEPS.length - 1 ? "Begin" : "Next";
    next.focus();
    place();
    requestAnimationFrame(place); // fonts and line breaks settle with the first frame
  }
  function place() {
    const there = visible(STEPS[at].at)?.getBoundingClientRect();
    if (!there) return;
    Object.assign(ring.style, { left: `${there.left - 8}px`, top: `${there.top - 8}px`, width: `${there.width + 16}px`, height: `${there.height + 16}px` });
    const below = there.bottom + 20 + box.offsetHeight < innerHeight;
    Object.assign(box.style, { top: `${below ? there.bottom + 20 : Math.max(12, there.top - box.offsetHeight - 20)}px`, left: `${Math.min(Math.max(12, there.left), innerWidth - box.offsetWidth - 12)}px` });
  }
  document.body.append(ring, box);
  box.showModal();
  addEventListener("resize", place);
  go(0);
}

function visible(selector) {
  const shown = [...document.querySelectorAll(selector)].find((one) => one.getClientRects().length && !one.closest(".waiting"));
  return shown ?? null;
}
