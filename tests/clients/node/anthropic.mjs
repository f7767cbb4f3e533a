// Anthropic's own client for JavaScript; `node anthropic.mjs CASE` prints what one case came to as one line of JSON.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";

const model = process.env.MODEL;
const client = new Anthropic({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const question = { role: "user", content: "Which sea is calm?" };
const ask = { model, max_tokens: 1024, messages: [question] };
const Tide = z.object({ port: z.string(), height: z.number() });
const tools = [
  {
    name: "get_tide",
    input_schema: { type: "object", properties: { port: { type: "string" } }, required: ["port"] },
  },
];

function told(error) {
  return {
    name: error.constructor.name,
    status: error.status ?? null,
    type: error.type ?? null,
    has_request_id: Boolean(error.requestID),
  };
}

const cases = {
  async text() {
    const answer = await client.messages.create(ask);
    return { content: answer.content, stop: answer.stop_reason, usage: answer.usage };
  },

  async stream() {
    const stream = client.messages.stream(ask);
    const pieces = [];
    const kinds = [];
    stream.on("text", (piece) => pieces.push(piece));
    for await (const event of stream) if (kinds.at(-1) !== event.type) kinds.push(event.type);
    const answer = await stream.finalMessage();
    return { kinds, text: pieces.join(""), content: answer.content, stop: answer.stop_reason };
  },

  async tools() {
    const first = await client.messages.create({ ...ask, tools });
    const [call] = first.content.filter((block) => block.type === "tool_use");
    const result = { type: "tool_result", tool_use_id: call.id, content: "2.5 m" };
    const messages = [question, { role: "assistant", content: first.content }, { role: "user", content: [result] }];
    const second = await client.messages.create({ ...ask, tools, messages });
    return { stop: first.stop_reason, name: call.name, input: call.input, content: second.content };
  },

  async streamed_tools() {
    const stream = client.messages.stream({ ...ask, tools });
    const pieces = [];
    stream.on("inputJson", (piece) => pieces.push(piece));
    const answer = await stream.finalMessage();
    const [call] = answer.content.filter((block) => block.type === "tool_use");
    return { json: pieces.join(""), name: call.name, input: call.input, stop: answer.stop_reason };
  },

  async object() {
    const answer = await client.messages.parse({ ...ask, output_config: { format: zodOutputFormat(Tide) } });
    return answer.parsed_output;
  },

  async count() {
    return await client.messages.countTokens({ model, messages: [question] });
  },

  async error() {
    return told(await client.messages.create(ask).catch((error) => error));
  },

  async broken_stream() {
    const stream = client.messages.stream(ask);
    const pieces = [];
    stream.on("text", (piece) => pieces.push(piece));
    const error = await stream.finalMessage().catch((caught) => caught);
    return { pieces, error: told(error) };
  },
};

console.log(JSON.stringify(await cases[process.argv[2]]()));
