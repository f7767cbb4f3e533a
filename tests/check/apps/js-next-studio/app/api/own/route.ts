import { createOpenAI } from '@ai-sdk/openai';
import { generateText } from 'ai';

export async function POST(req: Request) {
  const { baseURL, prompt } = await req.json();
  const provider = createOpenAI({ baseURL, apiKey: process.env.OPENAI_API_KEY });
  const { text } = await generateText({ model: provider('gpt-4o-mini'), prompt, maxTokens: 300 });
  return Response.json({ text });
}
