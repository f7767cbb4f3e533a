import axios from 'axios';
import { withUser } from '../../lib/with-user';

async function handler(req, res) {
  const text = String(req.body.text || '').slice(0, 6000);
  const { data } = await axios.post(
    'https://api.openai.com/v1/chat/completions',
    {
      model: 'gpt-4o-mini',
      max_tokens: 800,
      messages: [{ role: 'user', content: `Improve this cover letter:\n${text}` }],
    },
    { headers: { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` } },
  );
  res.json({ letter: data.choices[0].message.content });
}

export default withUser(handler);
