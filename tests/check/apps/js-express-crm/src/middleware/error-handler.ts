import { NextFunction, Request, Response } from 'express';

export function errorHandler(err: Error, req: Request, res: Response, _next: NextFunction) {
  console.error(err);
  res.status(500).json({ error: 'Something went wrong' });
}
