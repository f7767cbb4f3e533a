import Replicate from 'replicate';
import { titleFor } from './ai.js';

const replicate = new Replicate({ auth: '{{key:replicate}}' });

export async function coverRoutes(fastify) {
  fastify.post('/', async (request) => {
    const output = await replicate.run('black-forest-labs/flux-schnell', { input: { prompt: request.body.prompt } });
    return { url: String(output[0]) };
  });

  fastify.post('/title', { config: { rateLimit: { max: 5, timeWindow: '1 minute' } } }, async (request) => {
    const about = String(request.body.about ?? '').slice(0, 500);
    return { title: await titleFor(about) };
  });
}
