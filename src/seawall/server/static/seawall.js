/**
 * Ask models through a Seawall gateway from a web page: no library, no build step. docs/javascript.md has it all.
 *
 *   import { Seawall } from "https://gateway.example/seawall.js";
 *   const seawall = new Seawall({ url: "https://gateway.example", key: () => session.token(), model: "gpt-5-mini" });
 *   const { text } = await seawall.ask("Why is the sea salty?", { onText: (delta, whole) => show(whole) });
 */

const MORE_TRIES = 3;
const PATIENCE_MS = 30_000; // What asks us to wait for longer is for the person to decide.
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 10_000;
const SILENCE_MS = 45_000; // Three heartbeats that did not come: the line is dead, whatever the system says.

/** What went wrong. `say` is for people, `text` what had come before it. */
export class SeawallError extends Error {
  constructor(message, { status = 0, code = "", say, callId = null, retryAfter = null, canRetry = false } = {}) {
    super(message);
    this.name = "SeawallError";
    Object.assign(this, { status, code, say: say ?? message, callId, retryAfter, canRetry, text: "" });
  }
}

export class Seawall {
  #url;
  #key;
  #user;
  #usual;

  /** `key` is a text, or a function that returns a fresh one; other options are those of `ask`, for each call. */
  constructor({ url, key, user, ...usual }) {
    this.#url = url.replace(/\/+$/, "").replace(/\/v1$/, "");
    [this.#key, this.#user, this.#usual] = [key, user, usual];
  }

  /** Ask, and return { text, id, usage, response, headers }; see the page for `options`. */
  async ask(question, options = {}) {
    const told = { ...this.#usual, ...options };
    if (told.notify) askPermission();
    const asked = typeof question === "string" ? { messages: [{ role: "user", content: question }] } : question;
    const isChat = !("input" in asked);
    const path = isChat ? "/v1/chat/completions" : "/v1/responses";
    const usage = isChat ? { stream_options: { include_usage: true } } : {};
    const body = JSON.stringify({ ...(told.model && { model: told.model }), ...usage, ...asked, stream: true });
    const isLater = told.background === "auto" ? !(await this.#shown()).startsWith("swp-") : told.background;
    const headers = isLater ? { prefer: "respond-async" } : { "seawall-progress": "true" };
    const response = await this.#send(path, { method: "POST", body, headers, signal: told.signal });
    if (response.status !== 202) return announced(listen(response, told), told);
    const { id } = await read(response);
    this.#note(told, (ids) => [...ids, id]);
    return announced(this.#follow(id, told), told);
  }

  /** Go on with a background answer that this page asked for before it was loaded anew; null where there is none. */
  resume(options = {}) {
    const told = { ...this.#usual, ...options };
    const id = told.job ?? this.waiting(told).at(-1);
    return id ? announced(this.#follow(id, told), told) : null;
  }

  /** Return the ids of background answers that have not been taken yet, the oldest first. */
  waiting(options = {}) {
    try {
      const store = options.storage ?? this.#usual.storage ?? sessionStorage;
      return JSON.parse(store.getItem(`seawall ${this.#url}`)) ?? [];
    } catch {
      return []; // Storage is switched off, or somebody else wrote there.
    }
  }

  /** Follow a job to its end, over as many connections as it takes. */
  async #follow(id, told) {
    const { signal } = told;
    const cancel = () => this.#send(`/v1/jobs/${id}/cancel`, { method: "POST", keepalive: true });
    const stop = () => cancel().catch(() => {}); // Nobody waits for it any more.
    const story = new Story(told);
    let isWanted = false;
    told.onJob?.({ id, cancel });
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    try {
      const job = await this.#end(id, story, signal).catch((error) => {
        isWanted = !signal?.aborted && error.status !== 404; // Whoever logs in again can go on.
        throw error;
      });
      if (job.status === "failed" || job.status === "cancelled") throw failure(job, story.text);
      return story.answer(job.result);
    } finally {
      signal?.removeEventListener("abort", stop);
      if (!isWanted) this.#note(told, (ids) => ids.filter((each) => each !== id));
    }
  }

  /** Read the events of a job until it has ended, and return the job. */
  async #end(id, story, signal) {
    let last;
    let isOver = false;
    for (let tried = 0; ; tried++) {
      try {
        if (isOver) return await read(await this.#fetch(`/v1/jobs/${id}`, { signal }));
        const headers = last === undefined ? {} : { "last-event-id": last };
        const response = await this.#fetch(`/v1/jobs/${id}/events`, { headers, signal });
        for await (const event of eventsOf(response, signal, SILENCE_MS)) {
          tried = 0;
          last = event.id ?? last;
          isOver = event.name === "seawall.done";
          if (!isOver) story.take(event);
        }
        if (isOver) continue;
      } catch (error) {
        if (!error.canRetry && !(error.status >= 500)) throw error;
        if (error.retryAfter) await pause(error.retryAfter * 1000, signal);
      }
      await pause(backOff(tried), signal);
    }
  }

  /** Send a request; while nothing has been answered it is sent again, as the same one, so that it is paid once. */
  async #send(path, request) {
    const headers = { "idempotency-key": newKey(), ...request.headers };
    for (let tried = 0; ; tried++) {
      try {
        return await this.#fetch(path, { ...request, headers });
      } catch (error) {
        const told = (error.retryAfter ?? 0) * 1000;
        if (!error.canRetry || tried === MORE_TRIES || told > PATIENCE_MS) throw error;
        await pause(told + backOff(tried), request.signal);
      }
    }
  }

  async #fetch(path, { headers, ...request }) {
    const bearer = `Bearer ${await this.#shown()}`;
    const shown = { authorization: bearer, ...(this.#user && { "seawall-user": this.#user }), ...headers };
    if (request.body) shown["content-type"] = "application/json";
    const response = await fetch(this.#url + path, { ...request, headers: shown, cache: "no-store" }).catch((error) => {
      if (request.signal?.aborted) throw error;
      throw trouble("unreachable", "The gateway cannot be reached. Please try again.");
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async #shown() {
    return typeof this.#key === "function" ? this.#key() : this.#key;
  }

  #note(told, change) {
    try {
      const store = told.storage ?? sessionStorage;
      store.setItem(`seawall ${this.#url}`, JSON.stringify(change(this.waiting(told))));
    } catch {
      // Without storage a reload forgets the answer; it can be had by its id.
    }
  }
}

/** Read an answer that is streamed by itself; it is not asked for again once it has begun. */
async function listen(response, told) {
  const story = new Story(told);
  try {
    for await (const event of eventsOf(response, told.signal)) {
      story.take(event);
      if (story.error) throw errorOf(story.error, { status: 0, headers: response.headers });
    }
    if (!story.isWhole) throw brokenOff();
    return { ...story.answer(), headers: response.headers };
  } catch (error) {
    if (error instanceof SeawallError) error.text = story.text;
    throw error;
  }
}

/** Puts an answer together from its events, in chat completions or responses. */
class Story {
  text = "";
  isWhole = false;

  constructor({ onText, onStage }) {
    [this.onText, this.onStage] = [onText, onStage];
  }

  take({ name, data }) {
    if (data === "[DONE]") {
      this.isWhole = true;
      return;
    }
    const told = JSON.parse(data);
    if (told.run > 1 || told.type === "response.in_progress") this.#restart();
    if (name === "seawall.progress") {
      this.onStage?.(told);
      return;
    }
    this.error = told.error ?? told.response?.error ?? (told.type === "error" ? told : null);
    this.id = told.response?.id ?? told.id ?? this.id;
    this.response = told.response ?? this.response;
    this.usage = told.response?.usage ?? told.usage ?? this.usage;
    this.#add((told.type === "response.output_text.delta" ? told.delta : told.choices?.[0]?.delta?.content) ?? "");
  }

  answer(whole = this.response) {
    const { id = this.id, usage = this.usage } = whole ?? {};
    return { text: (whole && textOf(whole)) || this.text, id, usage, response: whole };
  }

  #add(delta) {
    if (!delta) return;
    this.text += delta;
    this.onText?.(delta, this.text);
  }

  /** Forget what an earlier run has said, whose worker died: this one begins at the first word. */
  #restart() {
    if (!this.text) return;
    this.text = "";
    this.onText?.("", "");
  }
}

function textOf(whole) {
  if (whole.choices) return whole.choices[0]?.message?.content;
  const parts = (whole.output ?? []).flatMap((item) => item.content ?? []);
  return parts.map((part) => (part.type === "output_text" ? part.text : "")).join("");
}

/** Yield the events of a response; the connection has broken off where nothing at all comes for so long. */
async function* eventsOf(response, signal, silenceMs) {
  const [reader, decoder, splitter] = [response.body.getReader(), new TextDecoder(), new EventSplitter()];
  const failed = (error) => {
    throw signal?.aborted ? error : brokenOff();
  };
  try {
    for (;;) {
      const timer = silenceMs && setTimeout(() => reader.cancel(), silenceMs);
      const { done, value } = await reader.read().catch(failed).finally(() => clearTimeout(timer));
      if (done) return;
      yield* splitter.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Splits server-sent events off a stream, wherever its pieces were split. */
export class EventSplitter {
  #rest = "";
  #event = { name: "message", data: [] };

  feed(piece) {
    const found = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/); // A CR at the end may be half a CRLF.
    this.#rest = lines.pop();
    for (const line of lines) {
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (line === "") {
        if (this.#event.data.length) found.push({ ...this.#event, data: this.#event.data.join("\n") });
        this.#event = { name: "message", data: [] };
      } else if (field === "data") this.#event.data.push(value);
      else if (field === "event") this.#event.name = value;
      else if (field === "id") this.#event.id = value;
    }
    return found;
  }
}

const trouble = (code, message) => new SeawallError(message, { code, canRetry: true });

const brokenOff = () => trouble("connection_lost", "The connection broke off.");

const read = (response) =>
  response.json().catch(() => {
    throw brokenOff();
  });

async function refusal(response) {
  const told = await response.json().catch(() => null);
  return errorOf(told?.error ?? {}, response);
}

function errorOf(told, { status, headers }) {
  const [after, afterMs, advice] = ["retry-after", "retry-after-ms", "x-should-retry"].map((name) => headers.get(name));
  const retryAfter = afterMs ? afterMs / 1000 : after ? Number(after) : null;
  const isPassing = [429, 502, 503].includes(status) || (status === 409 && retryAfter !== null);
  return new SeawallError(told.message ?? `The gateway answered ${status}.`, {
    status,
    code: told.code ?? "",
    say: told.details?.say,
    callId: told.call_id ?? headers.get("x-request-id"),
    retryAfter: Number.isNaN(retryAfter) ? null : retryAfter,
    canRetry: advice === null ? isPassing : advice === "true",
  });
}

function failure({ status, status_code, result, error }, text) {
  const told = { message: "It was cancelled.", code: status, ...error, ...result?.error };
  return Object.assign(errorOf(told, { status: status_code ?? 0, headers: new Headers() }), { text, canRetry: false });
}

const backOff = (tried) => Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** tried) * (1 + Math.random() / 4);

function pause(ms, signal) {
  return new Promise((done, failed) => {
    const stop = () => failed(signal.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    setTimeout(() => (signal?.removeEventListener("abort", stop), done()), ms);
  });
}

/** Not crypto.randomUUID, which pages without HTTPS do not have. */
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

function askPermission() {
  if (globalThis.Notification?.permission === "default") Notification.requestPermission();
}

/** Tell a person who looks at something else how it has ended; a text in place of `true` is what is said then. */
async function announced(answering, { notify, signal }) {
  const announce = (body) => {
    if (!notify || signal?.aborted || !document.hidden || globalThis.Notification?.permission !== "granted") return;
    try {
      new Notification(document.title, { body }).onclick = () => focus();
    } catch {
      // Some phones allow it to service workers only.
    }
  };
  try {
    const answer = await answering;
    announce(notify === true ? "Your answer is ready." : notify);
    return answer;
  } catch (error) {
    announce(error.say ?? error.message);
    throw error;
  }
}
