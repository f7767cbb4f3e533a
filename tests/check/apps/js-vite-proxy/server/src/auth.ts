import type { NextFunction, Request, Response } from 'express';
import { jwtVerify } from 'jose';

const secret = new TextEncoder().encode(process.env.SUPABASE_JWT_SECRET);

export async function verifySupabaseJwt(req: Request, res: Response, next: NextFunction) {
  const token = req.header('authorization')?.replace(/^Bearer /, '') ?? '';
  try {
    const { payload } = await jwtVerify(token, secret, { audience: 'authenticated' });
    res.locals.user = payload.sub;
  } catch {
    res.status(401).json({ error: 'Please sign in' });
    return;
  }
  next();
}
