import { NextRequest } from 'next/server';
import { requireUser } from '@/lib/session';

const TARGETS: Record<string, string> = {
  notion: 'https://api.notion.com/v1/pages',
  docs: 'https://docs.googleapis.com/v1/documents',
};

export async function POST(request: NextRequest) {
  await requireUser();
  const { target, webhook, deck } = await request.json();
  if (target in TARGETS) {
    await fetch(TARGETS[target], { method: 'POST', body: JSON.stringify(deck) });
  } else {
    await fetch(webhook, { method: 'POST', body: JSON.stringify(deck) });
  }
  return Response.json({ ok: true });
}
