import { jwtVerify } from 'jose';

const secret = new TextEncoder().encode(process.env.AUTH_SECRET);

export async function currentUser(req: Request): Promise<string | null> {
  const token = req.headers.get('authorization')?.slice('Bearer '.length);
  if (!token) return null;
  try {
    const { payload } = await jwtVerify(token, secret);
    return payload.sub ?? null;
  } catch {
    return null;
  }
}
