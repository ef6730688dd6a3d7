// The labelling screen: a question, a key, the next question. Saving happens behind it and is never waited for.

import { key } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { empty, h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { actions } from "./actions.js";
import { advice } from "./advice.js";
import { History } from "./history.js";
import { listen } from "./keys.js";
import { keysheet } from "./keysheet.js";
import { ask, build } from "./layouts.js";
import { Outbox } from "./outbox.js";
import { afterPaint, measure } from "./paint.js";
import { Queue } from "./queue.js";
import { Status } from "./status.js";
import { surer } from "./sure.js";
import { tour, wanted } from "./tour.js";
import { zoom } from "./zoom.js";

const REFRESH_MS = 500;
const CALM = 3; // times in a row that no question came
const withSureness = (verdicts, sure) => (sure ? verdicts.map((one) => ({ ...one, confidence: sure })) : verdicts);

export async function start(element) {
  const person = await me().catch(() => ({ name: "somebody", role: "viewer" }));
  new Label(element, person);
}

class Label {
  constructor(element, person) {
    this.stage = h("section", { class: "pw-stage", "aria-label": "Question", "aria-live": "off" });
    this.status = new Status();
    this.bar = actions((name) => this.act(name));
    this.root = h("div", { class: "pw pw-label" }, this.stage, this.bar.node, this.status.node);
    element.replaceChildren(this.root);
    this.hideZoom = zoom(this.stage);
    this.history = new History();
    this.outbox = new Outbox(person.name, this.saving());
    this.queue = new Queue(this.stage, { onchange: (card) => this.changed(card), onproblem: (error) => this.problem(error), answered: (id) => this.outbox.holds(id) });
    listen(() => this.root.offsetParent !== null, () => this.queue.current?.question.kind ?? null, (name, event) => this.act(name, event));
    this.stage.addEventListener("marked", () => this.bar.show(this.queue.current));
    this.wire();
  }

  wire() {
    on("criterion", (chosen) => this.begin(chosen));
    on("questions", (event) => this.asked(event));
    on("held", (id) => { if (id === criterion()?.id) this.begin(criterion()); }); // questions that another screen put into this tab's hands
    on("online", () => { this.outbox.now(); this.queue.fill(); });
    on("answer", (event) => { if (event.criterion === criterion()?.id) this.status.refresh(criterion().id); });
    on("version", (event) => { if (event.criterion === criterion()?.id) this.status.refresh(criterion().id); });
    on("job", (event) => this.job(event));
    addEventListener("pagehide", () => this.queue.leave());
    addEventListener("online", () => this.outbox.now());
    addEventListener("pageshow", (event) => { if (event.persisted && criterion()) this.begin(criterion()); });
    this.outbox.flush();
    this.status.waiting(this.outbox.size, false);
    if (criterion()) this.begin(criterion());
    else this.changed(null);
  }

  saving() {
    return {
      changed: () => this.status.waiting(this.outbox.size, this.everSaved),
      saved: (entry, receipt) => {
        this.everSaved = true;
        if (entry.kind === "answer") { this.history.saved(entry.key, receipt.id); this.outbox.resolve(entry.key, receipt.id); }
        this.status.waiting(this.outbox.size, true);
        if (criterion()) this.status.refresh(criterion().id);
      },
      refused: (entry, error) => toast(`${entry.kind === "undo" ? "This undo" : "An answer"} was not accepted: ${error.message}`, { bad: true }),
      signedOut: () => this.signedOut(),
    };
  }

  begin(chosen) {
    this.history.clear(chosen?.id);
    this.asking = true;
    if (!chosen) { this.queue.start(null); return; }
    ask(chosen.prompt);
    this.queue.start(chosen.id).finally(() => { this.asking = false; this.changed(this.queue.current); });
    this.status.refresh(chosen.id);
  }

  // The trainer has replaced the queue; several such events in a row cost one refresh.
  asked(event) {
    if (event.criterion !== criterion()?.id) return;
    this.pending ??= setTimeout(() => { this.pending = null; this.queue.refresh(); }, REFRESH_MS);
  }

  // While the queue is empty, say how far the trainer's first look at the pictures is.
  job(event) {
    if (event.kind !== "embed") return;
    this.looking = event.state === "running" ? event.note : null;
    if (!this.queue.current) this.changed(null);
  }

  changed(card) {
    this.bar.show(card);
    this.bar.node.style.visibility = card || criterion() ? "" : "hidden";
    this.root.dataset.question = card ? String(card.question.id) : "";
    this.root.dataset.kind = card?.question.kind ?? "";
    if (card) { this.blank?.remove(); this.blank = null; this.welcome(); return; }
    const found = this.message();
    this.blank?.remove();
    this.blank = found;
    found.classList.add("pw-question");
    this.stage.append(this.blank);
  }

  // The tour waits for the first question ever seen, with its pictures.
  welcome() {
    if (this.welcomed || this.root.offsetParent === null) return;
    this.welcomed = true;
    if (wanted()) this.queue.current.decoded.then(() => this.root.offsetParent !== null && tour());
  }

  message() {
    const to = (tab) => h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", tab) }, "Go to Data");
    if (this.queue?.error && !this.queue.error.passing) return empty("clock", "No question for you here", this.queue.error.message);
    if (this.queue?.error) return empty("clock", "The server does not answer", "It may be restarting. This page tries again by itself, and your answers are kept here until then.");
    if (!criterion()) return empty("images", "Nothing to ask yet", "Import some pictures, then say in one sentence what \u201csame\u201d means. Questions follow by themselves.", to("Data"));
    if (this.asking) return empty("spark", "Fetching questions\u2026", "One moment.");
    if (this.queue.dry >= CALM && this.status.answers && !this.looking) return this.calm();
    return empty("spark", "The next questions are being chosen", "The trainer looks at every picture once before its first question; that takes a moment after an import. They appear here by themselves.",
      this.looking && h("span", { class: "pw-pill good pw-num" }, this.looking));
  }

  // Nothing left that is worth a person's time: say why, and what else there is to do.
  calm() {
    const to = (tab) => h("button", { type: "button", onclick: () => emit("tab", tab) }, `See ${tab}`);
    const review = this.status.review;
    const why = review ? review.words : `Every pair that could still change a group follows from the ${plural(this.status.answers, "answer")} given so far. New pictures, or a model that has learnt more, bring new questions here by themselves.`;
    const found = empty("check", "Nothing worth asking now", why, h("div", { class: "pw-ends" }, to("Quality"), to("Training")));
    if (!review) advice(criterion().id).then((words) => words && found.querySelector("p")?.after(h("p", { class: "pw-calm-word" }, words))).catch(() => {});
    return found;
  }

  act(name, event = null) {
    const started = event ? Math.min(event.timeStamp, performance.now()) : performance.now();
    const card = this.queue.current;
    if (name === "undo") return this.undo();
    if (name === "keys") return keysheet();
    if (!card) return;
    if (name === "confidence") { card.sure = surer(card.sure ?? null); return this.bar.sure(card.sure); }
    if (name === "swap") return card.swap();
    if (name === "background") { this.bar.flag(card.flag()); return; }
    if (name.startsWith("mark:")) return card.press(name.slice(5));
    this.answer(card, name, started);
  }

  // Optimistic: the next question is on screen before anything is sent.
  answer(card, verdict, started) {
    this.hideZoom();
    this.status.dropped.close();
    const verdicts = withSureness(card.verdicts(verdict), card.sure);
    const seconds = Math.max(0, (performance.now() - card.shown) / 1000);
    const body = { question: card.question.id, verdicts, seconds: Math.round(seconds * 100) / 100, lease: card.question.token ?? null };
    const answerKey = key();
    this.outbox.keep(answerKey, body); // on disk before the next picture: a crash right now loses nothing
    this.status.waiting(this.outbox.size, this.everSaved);
    this.queue.advance();
    measure(this.root, started);
    this.history.push({ key: answerKey, question: card.question, verdicts, criterion: card.question.criterion });
    afterPaint(() => {
      this.status.answer();
      this.outbox.flush();
    });
    this.bar.pressed(verdict);
  }

  async undo() {
    const last = await this.history.pop(criterion()?.id).catch(() => undefined);
    if (last === undefined) return toast("The server does not answer; older answers can be undone when it is back.");
    if (!last) return toast(this.outbox.size ? "Still saving; press Z again in a moment." : "Nothing left to undo here.");
    if (last.criterion !== criterion()?.id) return;
    this.outbox.undo(last.id ? { answerId: last.id } : { answerKey: last.key });
    const card = build({ ...last.question, token: null });
    card.restore(last.verdicts);
    card.sure = last.verdicts[0]?.confidence ?? null;
    this.queue.putFirst(card);
    this.status.undo();
  }

  problem(error) {
    if (error.status === 401) this.signedOut();
  }

  signedOut() {
    if (this.told) return;
    this.told = true;
    toast("You are signed out. Your answers are kept here; sign in again to save them.", { bad: true, action: { href: "/login", text: "Sign in" } });
  }
}
