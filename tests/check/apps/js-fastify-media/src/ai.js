import { createReadStream } from 'node:fs';
import OpenAI from 'openai';

const openai = new OpenAI();

export async function transcribe(file) {
  const result = await openai.audio.transcriptions.create({ file: createReadStream(file), model: 'whisper-1' });
  return result.text;
}

export async function shownotes(transcript) {
  const response = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages: [
      { role: 'system', content: 'Write show notes with chapters for this podcast.' },
      { role: 'user', content: transcript.slice(0, 50000) },
    ],
  });
  return response.choices[0].message.content;
}

export async function titleFor(about) {
  const response = await openai.responses.create({ model: 'gpt-4o-mini', input: `Podcast title about ${about}`, max_output_tokens: 20 });
  return response.output_text;
}
