import { mistral } from '../lib/mistral';

export default defineEventHandler(async (event) => {
  const body = await readBody(event);
  const text = await mistral(`Five gift ideas for ${body.person}, who likes ${body.likes}`);
  return { ideas: text.split('\n') };
});
