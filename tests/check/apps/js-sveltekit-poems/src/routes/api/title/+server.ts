import { error, json } from '@sveltejs/kit';
import { title } from '$lib/server/poet';
import type { RequestHandler } from './$types';

export const POST: RequestHandler = async ({ request, locals }) => {
  if (!locals.user) throw error(401, 'Please sign in');
  const { poem } = await request.json();
  if (typeof poem !== 'string') throw error(400, 'A poem, please');
  return json({ title: await title(poem) });
};
