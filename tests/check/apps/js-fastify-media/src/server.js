import Fastify from 'fastify';
import jwt from '@fastify/jwt';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import { coverRoutes } from './cover.js';
import { notesRoutes } from './notes.js';

const fastify = Fastify({ logger: true, bodyLimit: 1_000_000 });
await fastify.register(jwt, { secret: process.env.JWT_SECRET });
await fastify.register(multipart, { limits: { fileSize: 25_000_000 } });
await fastify.register(rateLimit, { global: false });

fastify.decorate('authenticate', async (request, reply) => {
  try {
    await request.jwtVerify();
  } catch {
    return reply.code(401).send({ error: 'Unauthorized' });
  }
});

fastify.setErrorHandler((error, request, reply) => {
  request.log.error(error);
  reply.code(error.validation ? 400 : 500).send({ error: error.validation ? error.message : 'Internal error' });
});

await fastify.register(notesRoutes, { prefix: '/notes' });
await fastify.register(coverRoutes, { prefix: '/cover' });
await fastify.listen({ port: 3000, host: '0.0.0.0' });
