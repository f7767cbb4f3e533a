import { NextResponse } from 'next/server';
import { tagsFor } from '@/lib/ai';

export async function POST(req: Request) {
  const { body } = await req.json();
  return NextResponse.json({ tags: await tagsFor(body) });
}
