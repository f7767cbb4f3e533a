import { NextRequest, NextResponse } from 'next/server';
import { Prisma } from '@prisma/client';
import { requireUser } from '@/lib/session';
import { prisma } from '@/lib/prisma';

export async function GET(request: NextRequest) {
  const user = await requireUser();
  const q = request.nextUrl.searchParams.get('q') ?? '';
  const sort = request.nextUrl.searchParams.get('sort') ?? 'title';
  if (q) {
    const found = await prisma.$queryRaw(Prisma.sql`SELECT * FROM "Deck" WHERE "ownerId" = ${user.id} AND title ILIKE ${'%' + q + '%'}`);
    return NextResponse.json(found);
  }
  const decks = await prisma.$queryRawUnsafe(`SELECT * FROM "Deck" WHERE "ownerId" = $1 ORDER BY ${sort}`, user.id);
  return NextResponse.json(decks);
}
