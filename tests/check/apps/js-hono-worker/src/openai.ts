import type { Bindings } from './index';

const ENDPOINT = 'https://api.openai.com/v1/chat/completions';

async function call(env: Bindings, body: unknown): Promise<string> {
  const response = await fetch(ENDPOINT, {
    method: 'POST',
    headers: { Authorization: `Bearer ${env.OPENAI_API_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`OpenAI said ${response.status}`);
  const json = (await response.json()) as { choices: { message: { content: string } }[] };
  return json.choices[0].message.content;
}

export function describeImage(env: Bindings, url: string): Promise<string> {
  return call(env, {
    model: 'gpt-4o-mini',
    max_tokens: 120,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Alt text for this image' }, { type: 'image_url', image_url: { url } }] }],
  });
}

export function rewrite(env: Bindings, text: string, model = 'gpt-4o-mini'): Promise<string> {
  return call(env, { model, max_tokens: 200, messages: [{ role: 'user', content: `Shorter: ${text}` }] });
}
