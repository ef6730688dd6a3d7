// How long a key press takes to become the next picture on the glass. Shown in data attributes and window.pairwright.

const kept = []; // last 500 times in ms

const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.splice(0).forEach((done) => done());

// Resolves after the frame that follows has been painted: rAF runs just before painting, a message just after.
const painted = () => new Promise((resolve) => requestAnimationFrame(() => { waiting.push(resolve); channel.port2.postMessage(0); }));

// Do something once the picture on the glass has changed; a hidden page paints nothing, so wait no longer than a moment.
const MOMENT_MS = 60;
export function afterPaint(work) {
  Promise.race([painted(), new Promise((resolve) => setTimeout(resolve, MOMENT_MS))]).then(work);
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

// started: performance.now() time stamp of the key press. swapped: when the next question stood decoded in the page.
export async function measure(element, started) {
  const swapped = performance.now() - started;
  await painted();
  const paint = performance.now() - started;
  kept.push({ swapped, paint });
  if (kept.length > 500) kept.shift();
  publish(element);
}

function publish(element) {
  const numbers = (name) => kept.map((one) => one[name]).sort((a, b) => a - b);
  const swaps = numbers("swapped");
  const paints = numbers("paint");
  const stats = { count: kept.length, swap_p50: quantile(swaps, 0.5), swap_p95: quantile(swaps, 0.95), paint_p50: quantile(paints, 0.5), paint_p95: quantile(paints, 0.95) };
  window.pairwright = { ...(window.pairwright ?? {}), paint: stats, paints: kept };
  element.dataset.swapMs = kept.at(-1).swapped.toFixed(2);
  element.dataset.paintMs = kept.at(-1).paint.toFixed(2);
  element.dataset.paintP95 = stats.paint_p95.toFixed(2);
}
