import { Router } from 'express';
import { Contact } from '../models/contact';

const router = Router();

router.get('/', async (req, res) => {
  const q = String(req.query.q ?? '');
  res.json(await Contact.find({ name: { $regex: q.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), $options: 'i' } }).limit(50));
});

router.get('/:id', async (req, res) => {
  res.json(await Contact.findById(req.params.id));
});

router.post('/search', async (req, res) => {
  res.json(await Contact.find(req.body.filter));
});

export default router;
