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

export function plot(canvas) {
  const gl = canvas.getContext("webgl", { antialias: false, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: false });
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

class Plain {
  constructor(canvas) { Object.assign(this, { canvas, kind: "canvas", pen: canvas.getContext("2d") }); }

  points(from, to) { Object.assign(this, { from, to, count: from[0].length }); }

  tints(bytes) { this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4); this.bytes = bytes; }

  draw(view, part, size, raised) {
    const { pen, canvas } = this;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.count || !this.words) return;
    let last = -1;
    const dot = (i, wide) => {
      const word = this.words[i];
      if (!this.bytes[4 * i + 3]) return;
      if (word !== last) { last = word; pen.fillStyle = `rgb(${this.bytes[4 * i]} ${this.bytes[4 * i + 1]} ${this.bytes[4 * i + 2]} / ${this.bytes[4 * i + 3] / 255})`; }
      const x = this.from[0][i] + (this.to[0][i] - this.from[0][i]) * part;
      const y = this.from[1][i] + (this.to[1][i] - this.from[1][i]) * part;
      pen.fillRect((x - view.x) * view.scale + canvas.width / 2 - wide / 2, canvas.height / 2 - (y - view.y) * view.scale - wide / 2, wide, wide);
    };
    for (let i = 0; i < this.count; i += 1) dot(i, size);
    for (const i of raised) dot(i, size * 1.4);
  }
}

function pairs(x, y) {
  const both = new Float32Array(2 * x.length);
  for (let i = 0; i < x.length; i += 1) { both[2 * i] = x[i]; both[2 * i + 1] = y[i]; }
  return both;
}
