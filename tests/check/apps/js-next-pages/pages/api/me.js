import jwt from 'jsonwebtoken';

export default function handler(req, res) {
  const token = (req.headers.authorization || '').replace('Bearer ', '');
  const user = jwt.decode(token);
  if (!user) return res.status(401).json({ error: 'Sign in first' });
  res.json({ id: user.sub, plan: user.plan, admin: user.role === 'admin' });
}
