import { Router } from 'express';
import path from 'node:path';

const router = Router();
const ROOT = path.resolve('files');

router.get('/download', (req, res) => {
  res.sendFile(path.join(ROOT, String(req.query.name)));
});

router.get('/avatar/:id', (req, res) => {
  res.sendFile(`${Number(req.params.id)}.png`, { root: ROOT });
});

export default router;
