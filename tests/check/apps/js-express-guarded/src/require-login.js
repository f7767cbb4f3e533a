export function requireLogin(req, res, next) {
  if (!req.session?.userId) {
    res.status(401).json({ error: 'Please log in' });
    return;
  }
  next();
}
