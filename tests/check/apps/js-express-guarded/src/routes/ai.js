import { Router } from 'express';
import rateLimit from 'express-rate-limit';
import { advise } from '../gardener.js';

export const ai = Router();
const MODELS = new Map([['small', 'gpt-4o-mini'], ['large', 'gpt-4o']]);

ai.use(rateLimit({ windowMs: 3_600_000, limit: 10, keyGenerator: (req) => req.session.userId }));

ai.post('/advice', async (req, res) => {
  const { question, size } = req.body ?? {};
  if (typeof question !== 'string' || question.length > 600) {
    return res.status(400).json({ error: 'A question has at most 600 characters' });
  }
  const model = MODELS.get(size) ?? 'gpt-4o-mini';
  res.type('text/plain');
  for await (const text of advise(model, question)) res.write(text);
  return res.end();
});
