// The quality screen: how good the groups are, how sure that is, whether to stop, what more answers would bring.
// Measuring takes seconds and happens on the server in the background; this asks for it when answers came since.

import { get, post } from "../api.js";
import { criterion, emit, me, on } from "../bus.js";
import { empty, h, plural } from "../dom.js";
import { toast } from "../toast.js";
import { chart } from "./chart.js";
import { card, percent, range } from "./figures.js";
import { people } from "./people.js";

const KINDS = new Set(["quality", "forecast"]);
const APART_MS = 20_000; // between two measurements that nobody asked for

export async function start(element) {
  const person = await me().catch(() => ({ role: "viewer" }));
  new Quality(element, person.role !== "viewer");
}

class Quality {
  constructor(element, may) {
    Object.assign(this, { may, state: null, askedFor: null, askedAt: -APART_MS });
    this.body = h("div", { class: "pw pw-quality" });
    this.progress = h("i");
    element.replaceChildren(this.body);
    on("criterion", () => this.reload());
    on("online", () => this.reload());
    for (const kind of ["answer", "undo", "promotion"]) on(kind, () => this.shown() && this.reload(3000));
    on("job", (event) => this.job(event));
    this.width = 0;
    new ResizeObserver(() => this.resized()).observe(this.body);
    this.reload();
  }

  shown() { return this.body.offsetParent !== null; }

  // Also called when the tab comes into view, for the width changes then.
  resized() {
    const width = this.body.clientWidth;
    if (!width || width === this.width) return;
    const hidden = this.width === 0;
    this.width = width;
    if (hidden) this.reload(); else if (this.state?.measured) this.draw();
  }

  reload(pause = 120) {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.load().catch((error) => toast(error.message, { bad: true })), pause);
  }

  async load() {
    const chosen = criterion();
    if (!chosen) return this.nothing("spark", "Nothing to measure yet", "Import pictures and add a criterion on the Data tab, then answer some questions.");
    const state = await get("quality", { criterion: chosen.id });
    if (chosen.id !== criterion()?.id) return;
    this.state = state;
    this.draw();
    this.keepFresh();
  }

  // Measure by ourselves once per state of the log, while somebody looks.
  keepFresh() {
    const { ready, answers, measured, job } = this.state;
    if (!this.may || !ready || !answers || job || !this.shown() || (measured && !measured.stale)) return;
    const state = `${this.state.criterion}/${answers}/${measured?.version ?? ""}`;
    if (state === this.askedFor) return;
    const wait = this.askedAt + APART_MS - performance.now();
    if (wait > 0) return this.reload(wait);
    Object.assign(this, { askedFor: state, askedAt: performance.now() });
    this.ask("measure");
  }

  async ask(what) {
    try {
      this.state.job = await post(`quality/${what}`, { criterion: this.state.criterion });
      this.draw();
    } catch (error) {
      toast(error.message, { bad: true });
    }
  }

  // event: {job, kind, state, progress, note}
  job(event) {
    if (!KINDS.has(event.kind)) return;
    if (event.state === "running" && this.state?.job?.id === event.job) this.progress.style.width = `${Math.round(100 * event.progress)}%`;
    else if (event.state !== "running") this.reload();
    if (event.state === "failed" && this.state?.job?.id === event.job) toast(event.note, { bad: true });
  }

  nothing(symbol, title, sentence, ...actions) {
    this.body.replaceChildren(h("section", { class: "pw-card" }, empty(symbol, title, sentence, ...actions)));
  }

  draw() {
    const { ready, answers, measured, job } = this.state;
    if (!ready) return this.nothing("images", "Looking at the pictures first", "Quality is measured once every picture has been looked at and a first model stands.");
    if (!answers && !measured) {
      return this.nothing("spark", "Answer some questions first", "About every tenth question is an audit, drawn by chance. From those this screen estimates how good the groups are.",
        h("button", { type: "button", class: "pw-primary", onclick: () => emit("tab", "Label") }, "Go to Label"));
    }
    if (!measured) {
      return this.nothing("clock", job ? "Measuring\u2026" : "Not measured yet", `${plural(answers, "answer")} so far, ${plural(this.state.audits, "audit")} among them. The first measurement takes some seconds.`,
        job ? this.bar() : this.button("Measure now", "measure", "pw-primary"));
    }
    this.body.replaceChildren(this.advice(measured), this.figures(measured), this.ahead(measured), people(measured.annotators));
    this.body.dataset.answers = String(measured.answers);
  }

  button(text, what, kind = "") { return this.may && h("button", { type: "button", class: kind, disabled: Boolean(this.state.job), onclick: () => this.ask(what) }, text); }

  bar() { return h("div", { class: "pw-bar", role: "progressbar", "aria-label": "under way" }, this.progress); }

  advice(measured) {
    const { advice } = measured;
    const early = advice.answers < 10;
    const [word, tone] = early ? ["Too early to say", ""] : advice.stop ? ["You can stop", "good"] : ["Go on", "warn"];
    const since = this.state.answers - measured.answers;
    const when = since > 0 ? `${plural(since, "answer")} came since` : measured.stale ? "changed since" : "up to date";
    return h("section", { class: "pw-card pw-advice", data: { stop: String(advice.stop) } },
      h("div", { class: "pw-advice-words" }, h("span", { class: `pw-pill ${tone}` }, word), h("p", {}, advice.words)),
      h("dl", {}, h("div", {}, h("dt", {}, "next answer changes a group"), h("dd", { class: "pw-num" }, percent(advice.mean), " ", h("span", { class: "pw-muted pw-range" }, range(advice))))),
      h("div", { class: "pw-measure" }, this.state.job ? [h("span", { class: "pw-small pw-muted" }, this.state.job.kind === "forecast" ? "playing answers through\u2026" : "measuring\u2026"), this.bar()]
        : [h("span", { class: "pw-small pw-muted" }, `at ${plural(measured.answers, "answer")}, ${when}`), this.button("Measure now", "measure")]));
  }

  figures({ audit, target, level }) {
    return h("div", { class: "pw-figures" },
      card("Pair precision", "of two pictures in one group belong together", audit.precision, { name: "precision", level }),
      card("Pair recall", "of two pictures that belong together are in one group", audit.recall, { name: "recall", level }),
      card("Pair F1", `both at once; the target is ${percent(target)}`, audit.f1, { name: "f1", goal: target, level }),
      card("Pairs left that match", "of the pairs no answer settles are \u201csame\u201d", audit.positives, { name: "positives", level }));
  }

  ahead(measured) {
    const { forecast, versions } = this.state;
    const past = measured.curve.length ? measured.curve : [{ answers: measured.answers, f1: measured.audit.f1 }];
    const known = past.filter((one) => one.f1.value !== null).map((one) => ({ x: one.answers, y: one.f1.value, low: one.f1.low, high: one.f1.high }));
    const later = forecast ? forecast.points.map((one) => ({ x: forecast.answers + one.screens, y: one.f1, low: one.low, high: one.high })) : [];
    const marks = versions.map((one) => ({ x: one.answers, y: one.f1, version: one.version }));
    const figure = h("figure", { class: "pw-figure" });
    const legend = h("figcaption", { class: "pw-legend pw-small" }, known.length > 0 && h("span", { class: "past" }, "audited, with interval"),
      later.length > 0 && h("span", { class: "ahead" }, "forecast"), marks.length > 0 && h("span", { class: "version" }, "each version on held-out pairs"));
    const section = h("section", { class: "pw-card pw-way" }, h("div", { class: "pw-way-head" }, h("h2", {}, "Pair F1 by answers"), this.button(forecast ? "Forecast again" : "Forecast", "forecast")),
      this.foretold(forecast), known.length || later.length || marks.length ? figure : h("p", { class: "pw-muted" }, "The curve begins with the first audits."));
    figure.append(legend, chart({ past: known, ahead: later, versions: marks, target: measured.target }, Math.max(320, this.body.clientWidth * (this.body.clientWidth > 900 ? 0.68 : 1) - 96)));
    return h("div", { class: "pw-ahead" }, section, this.left(measured));
  }

  foretold(forecast) {
    if (!forecast) return h("p", { class: "pw-muted pw-small" }, "A forecast plays the next 200 questions through with scripted answers, several times over, each time against another truth that the answers so far allow, and shows how far they would get.");
    const small = forecast.items < forecast.of_items && ` Played on ${forecast.items.toLocaleString()} of ${forecast.of_items.toLocaleString()} pictures: the whole takes more.`;
    return h("p", { class: "pw-small pw-foretold" }, forecast.words, small, forecast.stale && h("span", { class: "pw-muted" }, ` (made at ${plural(forecast.answers, "answer")})`));
  }

  // What a fresh forecast says, which played the answers through; else a guess from the pace of the last answers.
  needed({ needed, target }) {
    const { forecast } = this.state;
    const number = (value) => Math.round(value).toLocaleString();
    const goal = `a pair F1 of ${percent(target)}`;
    const played = forecast && !forecast.stale && forecast.target === target && forecast.points.at(-1);
    if (played && forecast.need.screens === null) {
      return h("p", { data: { figure: "needed", known: "yes" } }, h("b", { class: "pw-big pw-num" }, `over ${number(played.screens)}`), h("br"), h("span", { class: "pw-small" }, `more answers to ${goal}, by the forecast`));
    }
    if (!played && needed.value === null) {
      return h("p", { class: "pw-small pw-muted pw-sentence", data: { figure: "needed", known: "no" } }, `Answers to ${goal}: not known. It ${needed.reason}.`.replace("It the", "The").replace("It no", "No").replace("It not", "Not"));
    }
    const { value, low, high, from } = played ? { value: forecast.need.screens, low: forecast.need.low, high: forecast.need.high, from: "by the forecast" }
      : { ...needed, from: `a rough guess by the pace of the last ${needed.answers}; a forecast knows more` };
    return h("p", { data: { figure: "needed", known: "yes" } }, h("b", { class: "pw-big pw-num" }, `about ${number(value)}`), h("br"), h("span", { class: "pw-small" }, `more answers to ${goal}, ${from}`), h("br"),
      h("span", { class: "pw-small pw-muted" }, `${number(low ?? 0)} to ${high === null ? (played ? `more than ${number(played.screens)}` : "no known end") : number(high)}`));
  }

  left(measured) {
    const { coverage } = measured;
    const share = (part) => part / Math.max(1, coverage.items);
    const rows = [["shown in a question", coverage.asked], ["in doubt, will be asked again", coverage.pending], ["placed by answers", coverage.placed], ["settled, by answers or by looks", coverage.sure]];
    return h("section", { class: "pw-card pw-left" }, h("h2", {}, "What is left"), this.needed(measured),
      h("dl", { class: "pw-shares" }, rows.map(([text, count]) => h("div", {}, h("dt", {}, text), h("dd", { class: "pw-num" }, `${count.toLocaleString()} of ${coverage.items.toLocaleString()}`), h("dd", { class: "pw-bar", "aria-hidden": "true" }, h("i", { style: { width: `${100 * share(count)}%` } }))))),
      h("p", { class: "pw-small pw-muted" }, `${plural(coverage.groups, "group")}; ${percent(coverage.implied / Math.max(1, coverage.pairs))} of all pairs follow from the answers.`));
  }
}
