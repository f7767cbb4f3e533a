import cors from 'cors';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { verifySupabaseJwt } from './auth.js';
import { translateText } from './translate.js';

const app = express();
const limiter = rateLimit({ windowMs: 60 * 60 * 1000, limit: 30 });

app.use(cors({ origin: process.env.WEB_ORIGIN }));
app.use(express.json({ limit: '4kb' }));
app.get('/healthz', (_req, res) => { res.send('ok'); });

app.post('/translate', verifySupabaseJwt, limiter, async (req, res, next) => {
  const { text, to } = req.body as { text: unknown; to: unknown };
  if (typeof text !== 'string' || text.length > 500 || !['French', 'Polish', 'Turkish'].includes(String(to))) {
    res.status(400).json({ error: 'Bad request' });
    return;
  }
  try {
    res.json({ text: await translateText(text, String(to)) });
  } catch (error) {
    next(error);
  }
});

app.use((error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
  console.error(error);
  res.status(500).json({ error: 'Internal error' });
});

app.listen(8787);
