import OpenAI from 'openai';
import { OPENAI_API_KEY } from '$env/static/private';

const openai = new OpenAI({ apiKey: OPENAI_API_KEY });

export async function write(theme: string, model: string) {
  const result = await openai.chat.completions.create({
    model,
    messages: [{ role: 'user', content: `A short poem about ${theme}, in Markdown` }],
  });
  return result.choices[0].message.content ?? '';
}

export async function title(poem: string) {
  const result = await openai.chat.completions.create({
    model: 'gpt-4o-mini',
    max_tokens: 15,
    messages: [{ role: 'user', content: `Title for: ${poem.slice(0, 500)}` }],
  });
  return result.choices[0].message.content ?? '';
}
