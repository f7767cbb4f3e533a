// Vercel's AI SDK with four of its models; `node ai_sdk.mjs CASE` prints what one case came to as one line of JSON.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";

const settings = { baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY };
const openai = createOpenAI(settings);
const compatible = createOpenAICompatible({
  ...settings,
  name: "seawall",
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const models = {
  chat: openai.chat,
  responses: openai.responses,
  compatible: compatible.chatModel,
  anthropic: createAnthropic(settings),
};
const model = models[process.env.KIND]?.(process.env.MODEL);
const ask = { model, prompt: "Which sea is calm?", maxRetries: 0 };

function told(error) {
  return { name: error.name, status: error.statusCode ?? null, is_retryable: error.isRetryable ?? null };
}

const cases = {
  async text() {
    const { text, finishReason, usage } = await generateText(ask);
    return { text, finish: finishReason, input: usage.inputTokens, output: usage.outputTokens };
  },

  async stream() {
    const result = streamText(ask);
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    return {
      text: pieces.join(""),
      is_in_pieces: pieces.length > 2,
      finish: await result.finishReason,
      output: (await result.usage).outputTokens,
    };
  },

  async tools() {
    const get_tide = tool({
      description: "Says how high the tide is.",
      inputSchema: z.object({ port: z.string() }),
      execute: async ({ port }) => ({ port, height_m: 2.5 }),
    });
    const { text, steps } = await generateText({ ...ask, tools: { get_tide }, stopWhen: isStepCount(3) });
    return { text, results: steps.flatMap((step) => step.toolResults.map((result) => result.output)) };
  },

  async streamed_tools() {
    const get_tide = tool({
      inputSchema: z.object({ port: z.string() }),
      execute: async ({ port }) => ({ port, height_m: 2.5 }),
    });
    const result = streamText({ ...ask, tools: { get_tide }, stopWhen: isStepCount(3) });
    await result.consumeStream();
    const steps = await result.steps;
    return { text: await result.text, results: steps.flatMap((step) => step.toolResults.map((one) => one.output)) };
  },

  async object() {
    const schema = z.object({ port: z.string(), height: z.number() });
    const { output } = await generateText({ ...ask, output: Output.object({ schema }) });
    return output;
  },

  async streamed_object() {
    const schema = z.object({ port: z.string(), height: z.number() });
    const result = streamText({ ...ask, output: Output.object({ schema }) });
    let last = null;
    for await (const partial of result.partialOutputStream) last = partial;
    return last;
  },

  async embeddings() {
    const { embeddings, usage } = await embedMany({
      model: openai.embedding(process.env.MODEL),
      values: ["calm", "sea"],
      maxRetries: 0,
    });
    return { sizes: embeddings.map((one) => one.length), has_usage: usage.tokens > 0 };
  },

  async error() {
    return told(await generateText(ask).catch((error) => error));
  },

  async broken_stream() {
    const errors = [];
    const result = streamText({ ...ask, onError: ({ error }) => void errors.push(error) });
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    return { pieces, errors: errors.length };
  },
};

console.log(JSON.stringify(await cases[process.argv[2]]()));
