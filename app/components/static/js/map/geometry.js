// Where the pointer is among many points: plain arithmetic on typed arrays, in the units of the map (0 to 1, y upwards).

const SIDE = 128; // cells of the index along each side

// Points sorted into square cells, so that what is near the pointer is found without looking at all of them.
export class Index {
  constructor(x, y) {
    this.x = x;
    this.y = y;
    this.starts = new Uint32Array(SIDE * SIDE + 1);
    const cells = new Uint16Array(x.length);
    for (let i = 0; i < x.length; i += 1) this.starts[(cells[i] = cell(x[i], y[i])) + 1] += 1;
    for (let at = 0; at < SIDE * SIDE; at += 1) this.starts[at + 1] += this.starts[at];
    this.order = new Uint32Array(x.length);
    const next = this.starts.slice();
    for (let i = 0; i < x.length; i += 1) this.order[next[cells[i]]++] = i;
  }

  // The nearest point within a distance for which keep(i) holds, or -1.
  nearest(x, y, distance, keep) {
    let best = -1;
    let least = distance * distance;
    this.around(x - distance, y - distance, x + distance, y + distance, (i) => {
      const far = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (far <= least && keep(i)) { least = far; best = i; }
    });
    return best;
  }

  // Calls found(i) for every point in the cells that a rectangle touches, and perhaps some beside it.
  around(left, bottom, right, top, found) {
    for (let row = clamp(bottom); row <= clamp(top); row += 1) {
      const from = this.starts[row * SIDE + clamp(left)];
      const to = this.starts[row * SIDE + clamp(right) + 1];
      for (let at = from; at < to; at += 1) found(this.order[at]);
    }
  }

  // Points inside a polygon [[x, y], ...], by the even-odd rule.
  inside(polygon, keep) {
    const xs = polygon.map((one) => one[0]);
    const ys = polygon.map((one) => one[1]);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const found = [];
    this.around(...box, (i) => { if (keep(i) && holds(polygon, this.x[i], this.y[i])) found.push(i); });
    return found.sort((a, b) => a - b);
  }
}

const clamp = (value) => Math.max(0, Math.min(SIDE - 1, Math.floor(value * SIDE)));
const cell = (x, y) => clamp(y) * SIDE + clamp(x);

// Whether a ray from the point crosses the polygon's edge an odd number of times.
export function holds(polygon, x, y) {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [ax, ay] = polygon[i];
    const [bx, by] = polygon[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
  }
  return within;
}

// Steps within one square box to units within another: [left, bottom, side].
export function unitsOf(steps, axis, own, shared) {
  const found = new Float32Array(steps.length);
  const scale = own[2] / 65535 / shared[2];
  const shift = (own[axis] - shared[axis]) / shared[2];
  for (let i = 0; i < steps.length; i += 1) found[i] = steps[i] * scale + shift;
  return found;
}

// The smallest square that holds two squares.
export function bothBoxes(a, b) {
  const left = Math.min(a[0], b[0]);
  const bottom = Math.min(a[1], b[1]);
  return [left, bottom, Math.max(a[0] + a[2] - left, b[0] + b[2] - left, a[1] + a[2] - bottom, b[1] + b[2] - bottom)];
}

// The place of every id of `wanted` in `known`, -1 where it is not; both rise.
export function places(known, wanted) {
  const found = new Int32Array(wanted.length).fill(-1);
  for (let i = 0, j = 0; i < wanted.length && j < known.length;) {
    if (known[j] < wanted[i]) j += 1;
    else { if (known[j] === wanted[i]) found[i] = j; i += 1; }
  }
  return found;
}
