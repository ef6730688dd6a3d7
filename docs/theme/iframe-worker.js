// Browsers start no worker from a file. Where the site is opened as files, without a server, the search runs in a hidden
// frame instead: this stands in for Worker as far as the search uses it.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #waiting = [];
    #inner = null;

    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.addEventListener("load", () => this.#start(frame.contentWindow, address), { once: true });
      document.body.append(frame); // some browsers load it at once, some put another document in its place first
    }

    #start(inner, address) {
      inner.postMessage = (data) => this.#say(data);
      inner.importScripts = (...addresses) => Promise.all(addresses.map((one) => this.#load(inner, one)));
      this.#load(inner, address).then(() => {
        this.#inner = inner;
        for (const data of this.#waiting.splice(0)) this.postMessage(data);
      });
    }

    postMessage(data) {
      if (this.#inner) this.#inner.dispatchEvent(new MessageEvent("message", { data }));
      else this.#waiting.push(data);
    }

    terminate() {}

    #say(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }

    #load(inner, address) {
      return new Promise((done, failed) => {
        const script = inner.document.createElement("script");
        script.src = address;
        script.onload = done;
        script.onerror = failed;
        inner.document.body.append(script);
      });
    }
  };
}
