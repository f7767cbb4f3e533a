import jwt from 'jsonwebtoken';

export function withUser(handler) {
  return async (req, res) => {
    try {
      const token = (req.headers.authorization || '').replace('Bearer ', '');
      req.user = jwt.verify(token, process.env.JWT_SECRET, { algorithms: ['HS256'] });
    } catch {
      return res.status(401).json({ error: 'Sign in first' });
    }
    return handler(req, res);
  };
}
