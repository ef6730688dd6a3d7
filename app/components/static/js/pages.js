// Where a sheet's things come from. total: how many; at(place): the thing or undefined while it is not here;
// want(first, end): fetch what is missing there; changed(anew): called when something has come, anew if it was there before.

// Pages that can only be read in order: load(items so far) -> {items, end}.
export class InOrder {
  constructor(total, load) { Object.assign(this, { total, load, items: [], end: false, loading: null, changed: () => {} }); }

  at(place) { return this.items[place]; }

  async want(first, end) {
    if (end <= this.items.length || this.loading || this.end) return this.loading;
    return (this.loading = this.fetch());
  }

  async fetch() {
    try {
      const page = await this.load(this.items);
      this.items.push(...page.items);
      this.end = page.end;
    } catch { /* scrolling again tries again */ } finally {
      this.loading = null;
    }
    this.changed();
  }
}

const APART_MS = 1500; // before a page that failed is asked for again
const AT_ONCE = 2;

// Pages that can be read anywhere: a jump to the end loads the end, and nothing that was scrolled past meanwhile.
// before: the pages of an earlier reading are shown until they are read again.
export class Anywhere {
  constructor(total, load, { size = 200, before = null } = {}) {
    const pages = new Map(before?.pages);
    Object.assign(this, { total, load, size, pages, stale: new Set(pages.keys()), wanted: [0, 0], busy: 0, changed: () => {} });
  }

  at(place) { return this.pages.get(Math.floor(place / this.size))?.[place % this.size]; }

  give(page, items) { this.pages.set(page, items); this.stale.delete(page); }

  want(first, end) {
    this.wanted = [first, end];
    this.more();
  }

  more() {
    const [first, end] = this.wanted;
    for (let page = Math.floor(first / this.size); page * this.size < end && this.busy < AT_ONCE; page += 1) if (!this.pages.has(page) || this.stale.has(page)) this.fetch(page);
  }

  async fetch(page) {
    const anew = this.stale.delete(page);
    if (!anew) this.pages.set(page, null);
    this.busy += 1;
    try {
      this.pages.set(page, await this.load(page * this.size, this.size));
    } catch {
      setTimeout(() => { if (anew) this.stale.add(page); else this.pages.delete(page); this.changed(); }, APART_MS);
    }
    this.busy -= 1;
    this.changed(anew);
    this.more();
  }
}
