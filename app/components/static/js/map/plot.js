// Draws many points: with WebGL where there is one, else on a plain canvas. Each point lies between two places, and `part`
// says how far it is on its way, so that two maps of the same items can be told apart by watching.

const VERTEX = `
attribute vec2 from; attribute vec2 to; attribute vec4 tint;
uniform float part, size; uniform vec2 scale, shift; varying vec4 shown;
void main() {
  shown = tint;
  gl_Position = tint.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(mix(from, to, part) * scale + shift, 0.0, 1.0);
  gl_PointSize = size;
}`;
const FRAGMENT = `
precision mediump float; varying vec4 shown; uniform float soft;
void main() {
  vec2 off = gl_PointCoord * 2.0 - 1.0; float far = dot(off, off);
  if (far > 1.0) discard;
  float alpha = shown.a * smoothstep(1.0, soft, far);
  gl_FragColor = vec4(shown.rgb * alpha, alpha);
}`;

const TERMS = { antialias: false, alpha: true, premultipliedAlpha: true, failIfMajorPerformanceCaveat: true };

// A WebGL that is drawn by the processor is slower than writing the pixels ourselves: then it is not taken.
function quick() {
  const gl = document.createElement("canvas").getContext("webgl", TERMS);
  if (!gl) return false;
  const about = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(about ? about.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export function plot(canvas) {
  const gl = quick() ? canvas.getContext("webgl", TERMS) : null;
  return gl ? new Fast(canvas, gl) : new Plain(canvas);
}

class Fast {
  constructor(canvas, gl) {
    Object.assign(this, { canvas, gl, kind: "webgl" });
    canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); this.lost = true; });
    canvas.addEventListener("webglcontextrestored", () => { this.lost = false; this.begin(); if (this.given) { this.points(...this.given); this.tints(this.tinted); this.onrestored?.(); } });
    this.begin();
  }

  begin() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.at = Object.fromEntries(["part", "size", "scale", "shift", "soft"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.buffers = Object.fromEntries([["from", 2, gl.FLOAT], ["to", 2, gl.FLOAT], ["tint", 4, gl.UNSIGNED_BYTE]].map(([name, size, type]) => {
      const buffer = gl.createBuffer();
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, type, type === gl.UNSIGNED_BYTE, 0, 0);
      return [name, buffer];
    }));
    this.raised = gl.createBuffer();
  }

  fill(name, data) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[name]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data, this.gl.STATIC_DRAW);
  }

  // from, to: [x, y] Float32Arrays each
  points(from, to) {
    this.given = [from, to];
    this.count = from[0].length;
    this.fill("from", pairs(...from));
    this.fill("to", pairs(...to));
  }

  tints(bytes) { this.tinted = bytes; this.fill("tint", bytes); }

  // view: {x, y, scale} middle of the picture and pixels a unit. raised: places drawn once more, larger, on top.
  draw(view, part, size, raised) {
    const { gl, canvas } = this;
    if (this.lost || !this.count) return;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const wide = (2 * view.scale) / canvas.width;
    const high = (2 * view.scale) / canvas.height;
    gl.uniform1f(this.at.part, part);
    gl.uniform2f(this.at.scale, wide, high);
    gl.uniform2f(this.at.shift, -view.x * wide, -view.y * high);
    gl.uniform1f(this.at.size, size);
    gl.uniform1f(this.at.soft, size > 5 ? 0.6 : 0.2);
    gl.drawArrays(gl.POINTS, 0, this.count);
    if (!raised.length) return;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.raised);
    if (!gl.getExtension("OES_element_index_uint")) return;
    if (this.raisedNow !== raised) { gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, raised, gl.DYNAMIC_DRAW); this.raisedNow = raised; }
    gl.uniform1f(this.at.size, size * 1.4);
    gl.drawElements(gl.POINTS, raised.length, gl.UNSIGNED_INT, 0);
  }
}

// Every point is a disc of pixels written into one picture, which is then shown. every: draw each nth point only.
class Plain {
  constructor(canvas) { Object.assign(this, { canvas, kind: "canvas", pen: canvas.getContext("2d") }); }

  points(from, to) { Object.assign(this, { from, to, count: from[0].length }); }

  tints(bytes) { this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4); }

  draw(view, part, size, raised, every = 1) {
    const { width, height } = this.canvas;
    if (!this.count || !this.words || !width || !height) return;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = this.pen.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(0);
    this.dots(this.count, null, every, view, part, stamp(size, width));
    if (raised.length) this.dots(raised.length, raised, 1, view, part, stamp(size * 1.4, width));
    this.pen.putImageData(this.image, 0, 0);
  }

  // Everything the loop reads is at hand: it runs for every point of every frame.
  dots(count, rows, every, view, part, { core, rim, reach }) {
    const { words, pixels } = this;
    const { width, height } = this.image;
    const [fx, fy, tx, ty] = [...this.from, ...this.to];
    const { x: vx, y: vy, scale } = view;
    const [mx, my, right, low] = [width / 2 + 0.5, height / 2 + 0.5, width - reach, height - reach];
    for (let n = 0; n < count; n += every) {
      const i = rows ? rows[n] : n;
      const word = words[i];
      if (word >>> 24 === 0) continue;
      const x = ((part ? fx[i] + (tx[i] - fx[i]) * part : fx[i]) - vx) * scale + mx | 0;
      const y = my - ((part ? fy[i] + (ty[i] - fy[i]) * part : fy[i]) - vy) * scale | 0;
      if (x < reach || y < reach || x >= right || y >= low) continue;
      const at = y * width + x;
      const faint = (word & 0xffffff) | ((word >>> 25) << 24);
      for (let k = 0; k < core.length; k += 1) pixels[at + core[k]] = word;
      for (let k = 0; k < rim.length; k += 1) if (pixels[at + rim[k]] === 0) pixels[at + rim[k]] = faint;
    }
  }
}

// The pixels of a disc relative to its middle, in a picture of this width; those of its edge are drawn half through.
function stamp(size, width) {
  const reach = Math.ceil(size / 2) + 1;
  const core = [];
  const rim = [];
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const far = Math.hypot(dx, dy) - size / 2;
      if (far <= -0.25) core.push(dy * width + dx);
      else if (far <= 0.5) rim.push(dy * width + dx);
    }
  }
  return { core: Int32Array.from(core), rim: Int32Array.from(rim), reach };
}

function pairs(x, y) {
  const both = new Float32Array(2 * x.length);
  for (let i = 0; i < x.length; i += 1) { both[2 * i] = x[i]; both[2 * i + 1] = y[i]; }
  return both;
}
