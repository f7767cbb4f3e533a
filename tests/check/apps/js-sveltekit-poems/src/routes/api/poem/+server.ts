import { json } from '@sveltejs/kit';
import { write } from '$lib/server/poet';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ request }) => {
  const { theme, model = 'gpt-4o' } = await request.json();
  return json({ poem: await write(theme, model) });
};
