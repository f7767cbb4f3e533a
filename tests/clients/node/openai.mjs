// OpenAI's own client for JavaScript; `node openai.mjs CASE` prints what one case came to as one line of JSON.

import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const messages = [{ role: "user", content: "Which sea is calm?" }];
const input = "Which sea is calm?";
const Tide = z.object({ port: z.string(), height: z.number() });
const parameters = {
  type: "object",
  properties: { port: { type: "string" } },
  required: ["port"],
  additionalProperties: false,
};

function told(error) {
  return {
    name: error.constructor.name,
    status: error.status ?? null,
    code: error.code ?? null,
    type: error.type ?? null,
    param: error.param ?? null,
    has_request_id: Boolean(error.requestID),
  };
}

const cases = {
  async chat_text() {
    const answer = await client.chat.completions.create({ model, messages });
    return { text: answer.choices[0].message.content, finish: answer.choices[0].finish_reason, usage: answer.usage };
  },

  async chat_stream() {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const pieces = [];
    let usage = null;
    for await (const chunk of stream) {
      const content = chunk.choices[0]?.delta.content;
      if (content) pieces.push(content);
      usage = chunk.usage ?? usage;
    }
    return { text: pieces.join(""), is_in_pieces: pieces.length > 2, output: usage.completion_tokens };
  },

  async chat_tools() {
    const heard = [];
    const runner = client.chat.completions.runTools({
      model,
      messages,
      tools: [
        {
          type: "function",
          function: {
            name: "get_tide",
            parameters,
            parse: JSON.parse,
            function: ({ port }) => {
              heard.push(port);
              return { height_m: 2.5 };
            },
          },
        },
      ],
    });
    return { text: await runner.finalContent(), heard, roles: runner.messages.map((message) => message.role) };
  },

  async chat_object() {
    const answer = await client.chat.completions.parse({
      model,
      messages,
      response_format: zodResponseFormat(Tide, "tide"),
    });
    return answer.choices[0].message.parsed;
  },

  async responses_text() {
    const answer = await client.responses.create({ model, input });
    return { text: answer.output_text, status: answer.status, usage: answer.usage };
  },

  async responses_stream() {
    const stream = client.responses.stream({ model, input });
    const kinds = [];
    for await (const event of stream) if (kinds.at(-1) !== event.type) kinds.push(event.type);
    return { kinds, text: (await stream.finalResponse()).output_text };
  },

  async responses_tools() {
    const tools = [{ type: "function", name: "get_tide", parameters, strict: true }];
    const first = await client.responses.create({ model, input, tools });
    const [call] = first.output.filter((item) => item.type === "function_call");
    const output = [{ type: "function_call_output", call_id: call.call_id, output: '{"height_m": 2.5}' }];
    const second = await client.responses.create({ model, tools, input: output, previous_response_id: first.id });
    return { name: call.name, arguments: call.arguments, text: second.output_text };
  },

  async responses_object() {
    const answer = await client.responses.parse({ model, input, text: { format: zodTextFormat(Tide, "tide") } });
    return answer.output_parsed;
  },

  async responses_stored() {
    const made = await client.responses.create({ model, input });
    const found = await client.responses.retrieve(made.id);
    const items = [];
    for await (const item of client.responses.inputItems.list(made.id)) items.push(item.content);
    await client.responses.delete(made.id);
    const gone = await client.responses.retrieve(made.id).catch(told);
    return { is_same: found.output_text === made.output_text, items, gone };
  },

  async embeddings() {
    const answer = await client.embeddings.create({ model, input: ["calm", "sea"], dimensions: 8 });
    return { sizes: answer.data.map((one) => one.embedding.length), index: answer.data.map((one) => one.index) };
  },

  async chat_error() {
    return told(await client.chat.completions.create({ model, messages }).catch((error) => error));
  },

  async chat_broken_stream() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    const pieces = [];
    try {
      for await (const chunk of stream) pieces.push(chunk.choices[0].delta.content);
    } catch (error) {
      return { pieces, error: told(error) };
    }
    return { pieces };
  },

  async responses_error() {
    return told(await client.responses.create({ model, input }).catch((error) => error));
  },
};

console.log(JSON.stringify(await cases[process.argv[2]]()));
