import 'server-only';
import OpenAI from 'openai';

const openai = new OpenAI();

export async function complete(prompt: string): Promise<string> {
  const response = await openai.responses.create({ model: 'gpt-4o-mini', input: prompt });
  return response.output_text;
}

export async function draw(prompt: string): Promise<string> {
  const image = await openai.images.generate({ model: 'dall-e-3', prompt, size: '1024x1024' });
  return image.data![0].url!;
}
