// Uses seawall.js once, as the test says in JSON, and prints what a page would have seen of it.
import { pathToFileURL } from "node:url";

const { Seawall, EventSplitter } = await import(pathToFileURL(process.env.SEAWALL_JS));
const { url, key, question, options = {}, stored, stopAt, cancelAt, hidden } = JSON.parse(process.env.TOLD);
const seen = { texts: [], stages: [], notices: [] };
const kept = new Map(stored ? [[`seawall ${url}`, JSON.stringify(stored)]] : []);
const stopping = new AbortController();
let keys = 0;
let job;

globalThis.sessionStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
globalThis.document = { hidden, title: "Ask the sea" };
globalThis.Notification = class {
  static permission = "default";
  static requestPermission() {
    this.permission = "granted";
  }
  constructor(title, { body }) {
    seen.notices.push([title, body]);
  }
};

const asked = {
  ...options,
  signal: stopping.signal,
  onJob: (each) => (job = each),
  onStage: (told) => seen.stages.push(told),
  onText: (delta, whole) => {
    seen.texts.push([delta, whole]);
    seen.waiting ??= seawall.waiting();
    if (seen.texts.length === stopAt) stopping.abort();
    if (seen.texts.length === cancelAt) job.cancel();
  },
};
const seawall = new Seawall({ url: `${url}/v1/`, key: key ?? (async () => `token-${++keys}`), user: "ada", model: "demo" });

const cases = {
  async ask() {
    seen.answer = await seawall.ask(question, asked);
  },
  async resume() {
    const going = seawall.resume(asked);
    seen.answer = going && (await going);
  },
  split() {
    const frames = JSON.parse(process.env.FRAMES);
    const whole = new EventSplitter().feed(frames);
    const halves = [...frames].map((_, at) => {
      const splitter = new EventSplitter();
      return [...splitter.feed(frames.slice(0, at)), ...splitter.feed(frames.slice(at))];
    });
    const letters = new EventSplitter();
    seen.events = whole;
    seen.differing = halves.filter((each) => JSON.stringify(each) !== JSON.stringify(whole)).length;
    seen.byLetter = [...frames].flatMap((letter) => letters.feed(letter));
  },
};

try {
  await cases[process.argv[2]]();
} catch (error) {
  seen.error = { name: error.name, message: error.message, ...error };
}
console.log(JSON.stringify({ ...seen, left: seawall.waiting() }));
