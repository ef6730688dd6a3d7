// What can be undone: this session's answers from memory, and before those everything this person ever said, from the log.

import { get } from "../api.js";

export class History {
  constructor(owner) {
    Object.assign(this, { owner, stack: [], criterion: null, before: undefined });
  }

  clear(criterion) {
    if (criterion === this.criterion) return;
    Object.assign(this, { stack: [], criterion, before: undefined, oldest: null });
  }

  push(entry) { this.stack.push(entry); }

  // The log has acknowledged an answer: from now on it has a number.
  saved(key, id) {
    const entry = this.stack.find((one) => one.key === key);
    if (entry) entry.id = id;
    this.oldest = Math.min(this.oldest ?? id, id);
  }

  // The latest answer that has not been undone, or null.
  async pop(criterion) {
    if (this.stack.length) return this.stack.pop();
    if (!criterion || this.looking) return null;
    this.looking = true;
    try {
      return await this.older(criterion);
    } catch {
      return null;
    } finally {
      this.looking = false;
    }
  }

  async older(criterion) {
    const before = this.before ?? this.oldest ?? undefined;
    const { answers } = await get("answers", { criterion, mine: true, limit: 1, before });
    const found = answers[0];
    if (!found) return null;
    this.before = found.id;
    const question = await get(`questions/${found.question}`);
    return { id: found.id, key: null, question, verdicts: found.verdicts, criterion };
  }
}
