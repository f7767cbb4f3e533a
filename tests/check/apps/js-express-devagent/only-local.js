const TOKEN = process.env.FIXIT_TOKEN;

exports.onlyLocal = (req, res, next) => {
  if (!TOKEN || req.get('x-token') !== TOKEN) return res.sendStatus(401);
  return next();
};
