import { Request, Response } from 'express';
import { Contact } from '../models/contact';
import { AiService } from '../services/ai.service';

const ai = new AiService();

export async function summary(req: Request, res: Response) {
  const contact = await Contact.findOne({ email: req.body.email });
  if (!contact) return res.status(404).json({ error: 'Not found' });
  const text = await ai.summarise(contact.notes.slice(-20).join('\n'));
  return res.json({ text });
}
