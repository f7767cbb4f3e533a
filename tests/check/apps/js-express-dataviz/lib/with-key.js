const crypto = require('crypto');

const expected = crypto.createHash('sha256').update(process.env.ACCESS_KEY || crypto.randomUUID()).digest();

exports.withKey = (req, res, next) => {
  const given = crypto.createHash('sha256').update(req.get('x-access-key') || '').digest();
  if (!crypto.timingSafeEqual(given, expected)) return res.status(401).json({ error: 'Access key missing' });
  next();
};
