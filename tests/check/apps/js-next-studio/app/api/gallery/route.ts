import { jwtDecode } from 'jwt-decode';
import { listImages } from '@/lib/images';

export async function GET(req: Request) {
  const token = req.headers.get('authorization')?.slice(7) ?? '';
  const { sub } = jwtDecode<{ sub: string }>(token);
  return Response.json(await listImages(sub));
}
