import { Router } from 'express';
import * as insights from '../controllers/insights.controller';

const router = Router();

router.get('/health', (_req, res) => res.json({ ok: true }));
router.post('/summary', insights.summary);

export default router;
