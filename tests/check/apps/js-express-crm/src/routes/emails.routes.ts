import { Router } from 'express';
import rateLimit from 'express-rate-limit';
import { z } from 'zod';
import { AiService } from '../services/ai.service';

const router = Router();
const ai = new AiService();
const Draft = z.object({ to: z.string().email(), points: z.string().max(1000) });

router.use(rateLimit({ windowMs: 60_000, limit: 10 }));

router.post('/draft', async (req, res, next) => {
  try {
    const draft = Draft.parse(req.body);
    res.setHeader('Content-Type', 'text/plain');
    for await (const piece of ai.draft(draft.points)) res.write(piece);
    res.end();
  } catch (error) {
    next(error);
  }
});

export default router;
