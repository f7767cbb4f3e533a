import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { shownotes, transcribe } from './ai.js';

const schema = { body: { type: 'object', required: ['transcript'], properties: { transcript: { type: 'string', maxLength: 50000 } } } };

export async function notesRoutes(fastify) {
  fastify.addHook('onRequest', fastify.authenticate);

  fastify.post('/upload', async (request) => {
    const file = await request.file();
    const target = path.join('uploads', file.filename);
    await pipeline(file.file, createWriteStream(target));
    const transcript = await transcribe(target);
    return { notes: await shownotes(transcript) };
  });

  fastify.post('/text', { schema }, async (request) => {
    return { notes: await shownotes(request.body.transcript) };
  });
}
