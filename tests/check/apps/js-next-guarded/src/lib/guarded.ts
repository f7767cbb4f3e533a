import { auth } from '@clerk/nextjs/server';
import { Ratelimit } from '@upstash/ratelimit';
import { Redis } from '@upstash/redis';

const ratelimit = new Ratelimit({ redis: Redis.fromEnv(), limiter: Ratelimit.slidingWindow(20, '1 h') });

type Context = { params: Promise<{ id: string }> };
type Handler = (req: Request, userId: string, context: Context) => Promise<Response>;

export function guarded(handler: Handler) {
  return async (req: Request, context: Context) => {
    const { userId } = await auth();
    if (!userId) return Response.json({ error: 'Please sign in' }, { status: 401 });
    const { success } = await ratelimit.limit(userId);
    if (!success) return Response.json({ error: 'Too many requests, try again in an hour' }, { status: 429 });
    try {
      return await handler(req, userId, context);
    } catch (error) {
      console.error('request failed', { userId, error });
      return Response.json({ error: 'Something went wrong' }, { status: 500 });
    }
  };
}
