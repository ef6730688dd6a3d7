// What can be undone: this session's answers from memory, and before those everything this person ever said, from the log.

import { get } from "../api.js";

const PAGE = 20;

export class History {
  // widest: answers about more pairs are not handed out; whoever shows a question again cannot show them.
  constructor(widest = 12) {
    this.widest = widest;
    this.taken = new Set(); // ids of answers already handed out for undo: the log may not know yet
    this.unsaved = new Set(); // keys of those that have no id yet
    this.clear(null);
  }

  clear(criterion) {
    if (criterion === this.criterion) return;
    Object.assign(this, { stack: [], criterion, looking: false });
  }

  push(entry) { this.stack.push(entry); }

  // The log has acknowledged an answer: from now on it has a number.
  saved(key, id) {
    const entry = this.stack.find((one) => one.key === key);
    if (entry) entry.id = id;
    if (this.unsaved.delete(key)) this.taken.add(id);
  }

  // The latest answer that has not been undone, or null: nothing left, or (unsaved) something still on its way.
  async pop(criterion) {
    const last = this.stack.pop();
    if (last) {
      if (last.id) this.taken.add(last.id);
      else this.unsaved.add(last.key);
      return last;
    }
    if (!criterion || this.looking || this.unsaved.size) return null;
    this.looking = true;
    try {
      return await this.older(criterion);
    } finally {
      this.looking = false;
    }
  }

  // Look further back in the log, past what was handed out already.
  async older(criterion) {
    let before = null;
    do {
      const { answers, next } = await get("answers", { criterion, mine: true, limit: PAGE, before });
      const found = answers.find((one) => !this.taken.has(one.id) && one.verdicts.length <= this.widest);
      if (found) {
        const question = await get(`questions/${found.question}`);
        this.taken.add(found.id);
        return { id: found.id, key: null, question, verdicts: found.verdicts, criterion };
      }
      before = next;
    } while (before !== null);
    return null;
  }
}
