// A question as something to look at. Each layout is a card: {question, node, press, verdicts, restore, state}.

import { picture } from "../api.js";
import { h, icon } from "../dom.js";

const CODES = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-", "="];
const TITLES = {
  tick_positives: "Tick every picture that belongs with this one",
  odd_ones_out: "These seem to belong together. Click the strangers",
  missing_positives: "The model keeps these apart from this one. Tick those that belong with it all the same",
};
const SIZE = { pair: 1024, anchor: 512, tile: 256 };

// A picture, decoding from this moment on; `decoded` of the card waits for all of them.
function image(item, size, alt, decoding) {
  const sharp = size < 1024 && devicePixelRatio > 1.2 ? size * 2 : size;
  const node = h("img", { src: picture(item.media, sharp), alt, draggable: "false", decoding: "sync", data: { media: item.media } });
  decoding.push(node.decode().catch(() => node.classList.add("failed")));
  return node;
}

const caption = (item) => [item.name, item.caption].filter(Boolean).join(" · ");
const prompt = (text) => h("h2", { class: "pw-prompt" }, text);

function why(question) {
  const seen = question.kind === "pair" && question.expected.length ? `the model says ${Math.round(question.expected[0] * 100)} % same` : null;
  const parts = [question.reason, seen].filter(Boolean);
  return h("p", { class: "pw-why", title: `asked by: ${question.proposer}` }, h("b", {}, "Why this one: "), parts.join(" · ") || `chosen by ${question.proposer}`);
}

function pair(question, text) {
  const decoding = [];
  const shot = (item, side) => h("figure", { class: "pw-shot" }, image(item, SIZE.pair, `${side} picture: ${caption(item)}`, decoding), h("figcaption", {}, caption(item)));
  const node = h("div", { class: "pw-question pw-pair" },
    h("header", {}, prompt(text), why(question)),
    h("div", { class: "pw-shots" }, shot(question.anchor, "left"), shot(question.candidates[0], "right")),
    h("span", { class: "pw-pill warn pw-background" }, "flagged: alike only because of the background"));
  const state = { swapped: false, background: false };
  const draw = () => { node.classList.toggle("swapped", state.swapped); node.classList.toggle("background", state.background); };
  return {
    question, node, state, decoded: Promise.all(decoding),
    swap() { state.swapped = !state.swapped; draw(); },
    flag() { state.background = !state.background; draw(); return state.background; },
    restore(verdicts) { state.background = verdicts.some((one) => one.background); draw(); },
    verdicts: (verdict) => [statement(question, question.candidates[0], verdict, state.background)],
  };
}

// Two groups side by side; one verdict for both. The first picture of each is its most typical one.
function merge(question, text) {
  const decoding = [];
  const group = (items, side) => h("section", { class: "pw-side-group", "aria-label": `${side} group`, style: { "--rows": Math.max(items.length - 1, 1) } },
    items.map((item, at) => h("figure", { class: "pw-shot" }, image(item, at ? SIZE.tile : SIZE.anchor, `${side} group: ${caption(item)}`, decoding), h("figcaption", {}, caption(item)))));
  const node = h("div", { class: "pw-question pw-merge" },
    h("header", {}, prompt(text), h("p", {}, "Two groups: is all of it the same thing?"), why(question)),
    h("div", { class: "pw-groups" }, group([question.anchor, ...question.context], "left"), group(question.candidates, "right")),
    h("span", { class: "pw-pill warn pw-background" }, "flagged: alike only because of the background"));
  const state = { background: false };
  const draw = () => node.classList.toggle("background", state.background);
  return {
    question, node, state, decoded: Promise.all(decoding), swap() {},
    flag() { state.background = !state.background; draw(); return state.background; },
    restore(verdicts) { state.background = verdicts.some((one) => one.background); draw(); },
    verdicts: (verdict) => [statement(question, question.candidates[0], verdict, state.background)],
  };
}

// A picture and the words beside it. The words are text, whatever is in them; no other words of the picture are shown.
function captioned(question, text) {
  const decoding = [];
  const size = question.text.length > 320 ? "long" : question.text.length > 90 ? "some" : "few";
  const node = h("div", { class: "pw-question pw-caption" },
    h("header", {}, prompt(text), why(question)),
    h("div", { class: "pw-captioned" },
      h("figure", { class: "pw-shot" }, image(question.anchor, SIZE.pair, `the picture: ${question.anchor.name}`, decoding), h("figcaption", {}, question.anchor.name)),
      h("section", { class: "pw-words", "aria-label": "Caption", tabindex: "0" }, h("p", { class: `pw-said ${size}`, dir: "auto" }, question.text))));
  return {
    question, node, state: {}, decoded: Promise.all(decoding), swap() {}, flag: () => false, restore() {},
    verdicts: (verdict) => [statement(question, question.anchor, verdict)],
  };
}

const statement = (question, candidate, verdict, background = false) => ({ a: question.anchor.id, b: candidate.id, verdict, background });

// How many columns let square pictures be largest: 12 as 4 x 3, 6 as 3 x 2 and so on.
const columns = (n) => (n <= 3 ? n : n <= 4 ? 2 : n <= 9 ? 3 : 4);

function many(question, text) {
  const odd = question.kind === "odd_ones_out";
  const decoding = [];
  const marked = new Set();
  const flagged = new Set();
  let last = null;
  const tiles = question.candidates.map((item, at) => tile(item, at));
  const node = h("div", { class: `pw-question pw-many ${odd ? "pw-odd" : "pw-tick"} pw-${question.kind}` },
    h("aside", {}, prompt(text), h("div", {}, h("p", {}, TITLES[question.kind]), why(question)),
      h("figure", { class: "pw-shot" }, h("span", { class: "pw-pill" }, odd ? "the group's picture" : "this one"), image(question.anchor, SIZE.anchor, `the picture to compare with: ${caption(question.anchor)}`, decoding), h("figcaption", {}, caption(question.anchor)))),
    h("div", { class: "pw-tiles", style: { "--columns": columns(tiles.length) }, role: "group", "aria-label": TITLES[question.kind] }, tiles));

  function tile(item, at) {
    const suspect = odd && question.expected.length > at && question.expected[at] < 0.5;
    return h("button", { type: "button", class: `pw-tile pw-shot${suspect ? " suspect" : ""}`, "aria-pressed": "false", title: suspect ? "the model doubts this one" : null, onclick: () => toggle(at) },
      h("kbd", { "aria-hidden": "true" }, CODES[at] ?? ""), h("span", { class: "pw-mark" }, icon(odd ? "cross" : "check")),
      image(item, SIZE.tile, `picture ${CODES[at] ?? at + 1}: ${caption(item)}`, decoding),
      h("span", { class: "pw-name" }, caption(item)), h("span", { class: "pw-pill warn pw-flag" }, "background"));
  }
  function toggle(at) {
    if (!tiles[at]) return;
    marked.has(at) ? marked.delete(at) : marked.add(at);
    last = at;
    draw(at);
    node.dispatchEvent(new CustomEvent("marked", { detail: marked.size, bubbles: true }));
  }
  function draw(at) {
    tiles[at].setAttribute("aria-pressed", String(marked.has(at)));
    tiles[at].classList.toggle("background", flagged.has(at));
  }
  // Enter: what was marked is one thing, all the rest the other. Any other verdict holds for every picture.
  const confirm = (at) => ((marked.has(at) === odd) ? "different" : "same");
  return {
    question, node, marked, toggle, decoded: Promise.all(decoding),
    press(code) { const at = CODES.indexOf(code); if (at < 0 || at >= tiles.length) return false; toggle(at); return true; },
    swap() {},
    flag() { if (last === null) return false; flagged.has(last) ? flagged.delete(last) : flagged.add(last); draw(last); return flagged.has(last); },
    restore(verdicts) {
      question.candidates.forEach((item, at) => {
        const said = verdicts.find((one) => one.a === item.id || one.b === item.id);
        if (said?.verdict === (odd ? "different" : "same")) marked.add(at);
        if (said?.background) flagged.add(at);
        draw(at);
      });
    },
    verdicts: (verdict) => question.candidates.map((item, at) => statement(question, item, verdict === "confirm" ? confirm(at) : verdict, flagged.has(at))),
  };
}

let words = "Do these belong together?";
export const ask = (text) => { words = text; };

const LAYOUTS = { pair, merge, caption: captioned };

export const build = (question) => (LAYOUTS[question.kind] ?? many)(question, words);
