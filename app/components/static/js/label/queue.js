// The next questions, leased and with their pictures already decoded. The very next one stands laid out in the page.

import { key, post } from "../api.js";
import { build } from "./layouts.js";
import { afterPaint } from "./paint.js";

const DEPTH = 4; // current, next, and two more
const KINDS = ["pair", "tick_positives", "odd_ones_out", "missing_positives", "merge", "caption"];
const IDLE_MS = 2500; // ask again when the queue was empty and no event said that it filled
const RENEW_MS = 60_000;

// Tells this browser tab from another of the same person; survives a reload, so that held questions come back.
function tab() {
  const name = "pairwright/tab";
  if (!sessionStorage.getItem(name)) sessionStorage.setItem(name, key().slice(0, 16));
  return sessionStorage.getItem(name);
}

export class Queue {
  // stage: where questions are shown; onchange: called when a question arrives or the queue runs dry;
  // answered(id): whether this person's answer to a question is still on its way (after a reload it is held, but done).
  constructor(stage, { onchange, onproblem, answered }) {
    Object.assign(this, { stage, onchange, onproblem, answered, criterion: null, cards: [], turn: 0, filling: null, error: null, dry: 0 });
    setInterval(() => this.renew(), RENEW_MS);
  }

  get current() { return this.cards[0] ?? null; }

  // Another criterion: give everything back and start over.
  async start(criterion) {
    this.release(this.cards);
    this.turn += 1;
    this.criterion = criterion;
    this.cards = [];
    this.filling = null;
    this.fresh = true;
    this.dry = 0;
    this.show();
    await this.fill();
  }

  async fill() {
    if (this.filling || !this.criterion || this.cards.length >= DEPTH) return this.filling;
    const turn = this.turn;
    this.filling = this.claim(turn).finally(() => { if (turn === this.turn) this.filling = null; });
    return this.filling;
  }

  async claim(turn) {
    clearTimeout(this.timer);
    try {
      const { questions } = await post("questions/claim", { criterion: this.criterion, kinds: KINDS, count: DEPTH - this.cards.length, tab: tab(), resume: this.fresh });
      if (turn !== this.turn) return this.release(questions.map((question) => ({ question })));
      this.error = null;
      this.fresh = false;
      for (const question of questions) this.take(question);
      this.dry = questions.length || this.cards.length ? 0 : this.dry + 1;
    } catch (error) {
      this.error = error;
      this.onproblem(error);
    }
    this.show();
    if (this.cards.length < 2) this.timer = setTimeout(() => this.fill(), IDLE_MS);
  }

  // A question that is here already (undone a moment ago) only gains its lease.
  take(question) {
    const here = this.cards.find((card) => card.question.id === question.id);
    if (here) here.question.token = question.token;
    else if (!this.answered(question.id)) this.cards.push(build(question));
  }

  // Make the first card visible and lay the second one out underneath, hidden.
  show() {
    const [current, next] = this.cards;
    for (const card of [current, next]) {
      if (card && card.node.parentNode !== this.stage) this.stage.append(card.node);
    }
    for (const node of [...this.stage.children]) {
      if (node !== current?.node && node !== next?.node) node.remove();
    }
    if (next) { next.node.classList.add("waiting"); next.node.inert = true; }
    if (current) this.reveal(current, null);
    else this.onchange(null);
  }

  // The current question has been answered: the next one is on screen when this returns. It was laid out before; all
  // other work (taking the old one away, laying out the one after) waits until it has been painted.
  advance() {
    const answered = this.cards.shift();
    const next = this.current;
    if (next?.node.parentNode !== this.stage) this.show();
    else this.reveal(next, answered);
    afterPaint(() => { this.show(); this.fill(); });
    return answered;
  }

  reveal(card, instead) {
    instead?.node.classList.add("waiting");
    card.node.classList.remove("waiting");
    card.node.inert = false;
    card.shown ??= performance.now();
    this.onchange(card);
  }

  // An undone question comes back in front of everything else.
  putFirst(card) {
    this.cards = this.cards.filter((one) => one.question.id !== card.question.id);
    this.cards.unshift(card);
    card.shown = performance.now();
    this.show();
  }

  // The trainer has asked better questions: keep what is seen and the very next, take the others anew.
  async refresh() {
    if (this.filling) await this.filling;
    const stale = this.cards.splice(2);
    await this.fill(); // while the old ones are still held, so that they are not what comes back
    await this.release(stale);
  }

  async release(cards, keepalive = false) {
    const leased = cards.filter((card) => card.question.token);
    await Promise.allSettled(leased.map((card) => post(`questions/${card.question.id}/release`, { token: card.question.token }, { keepalive })));
  }

  // The page is going away: others may have the questions at once.
  leave() { return this.release(this.cards, true); }

  async renew() {
    if (document.hidden) return;
    for (const card of this.cards.filter((one) => one.question.token)) {
      post(`questions/${card.question.id}/renew`, { token: card.question.token }).catch((error) => {
        if (error.status === 409 && card !== this.current) this.cards = this.cards.filter((one) => one !== card);
      });
    }
  }
}
