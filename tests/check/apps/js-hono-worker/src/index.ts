import { Hono } from 'hono';
import { bearerAuth } from 'hono/bearer-auth';
import { cors } from 'hono/cors';
import { zValidator } from '@hono/zod-validator';
import { z } from 'zod';
import { describeImage, rewrite } from './openai';

export type Bindings = { OPENAI_API_KEY: string; API_TOKEN: string; CACHE: KVNamespace; DB: D1Database };

const app = new Hono<{ Bindings: Bindings }>();

app.use('*', cors({ origin: (origin) => origin, credentials: true }));

app.use('/v1/*', async (c, next) => bearerAuth({ token: c.env.API_TOKEN })(c, next));

app.get('/', (c) => c.text('alt-text api'));

app.post('/v1/describe', zValidator('json', z.object({ url: z.string().url().max(500) })), async (c) => {
  const { url } = c.req.valid('json');
  const cached = await c.env.CACHE.get(url);
  if (cached) return c.json({ text: cached });
  const text = await describeImage(c.env, url);
  await c.env.CACHE.put(url, text, { expirationTtl: 86400 });
  return c.json({ text });
});

app.post('/try', async (c) => {
  const { text, model } = await c.req.json();
  return c.json({ text: await rewrite(c.env, text, model) });
});

app.get('/history', async (c) => {
  const day = c.req.query('day');
  const { results } = await c.env.DB.prepare('SELECT url, text FROM calls WHERE day = ?').bind(day).all();
  return c.json(results);
});

app.get('/page/:slug', (c) => {
  const title = c.req.param('slug');
  return c.html(`<h1>${title}</h1><p>Nothing here yet.</p>`);
});

export default app;
