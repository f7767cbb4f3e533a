import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { streamText } from 'ai';
import { currentUser } from '@/lib/auth';

const openrouter = createOpenRouter({ apiKey: process.env.OPENROUTER_API_KEY });

export async function POST(req: Request) {
  const user = await currentUser(req);
  if (!user) return new Response('Unauthorized', { status: 401 });
  const { prompt, model } = await req.json();
  if (typeof prompt !== 'string' || prompt.length > 4000) return new Response('Too long', { status: 413 });
  const result = streamText({ model: openrouter(model), prompt, maxTokens: 1000 });
  return result.toDataStreamResponse();
}
