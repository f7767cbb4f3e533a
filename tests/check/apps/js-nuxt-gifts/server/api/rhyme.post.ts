import { z } from 'zod';

const Body = z.object({ name: z.string().max(60) });

// free: runs on the machine under the desk
export default defineEventHandler(async (event) => {
  const { name } = await readValidatedBody(event, Body.parse);
  const answer = await $fetch<{ response: string }>('http://localhost:11434/api/generate', {
    method: 'POST',
    body: { model: 'llama3.2', prompt: `A birthday rhyme for ${name}`, stream: false },
  });
  return { rhyme: answer.response };
});
