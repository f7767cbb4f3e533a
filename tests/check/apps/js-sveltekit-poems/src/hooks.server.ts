import type { Handle } from '@sveltejs/kit';
import { findUser } from '$lib/server/users';

export const handle: Handle = async ({ event, resolve }) => {
  const session = event.cookies.get('session');
  event.locals.user = session ? await findUser(session) : null;
  return resolve(event);
};
