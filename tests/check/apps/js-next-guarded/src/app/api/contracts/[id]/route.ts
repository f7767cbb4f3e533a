import { and, eq, sql } from 'drizzle-orm';
import { generateText } from 'ai';
import { db } from '@/lib/db';
import { guarded } from '@/lib/guarded';
import { pickModel } from '@/lib/models';
import { contracts } from '@/lib/schema';
import { RULES } from '@/lib/prompts';

export const GET = guarded(async (req, user, { params }) => {
  const { id } = await params;
  const rows = await db.execute(sql`select id, title from contracts where id = ${id} and owner = ${user}`);
  return Response.json(rows);
});

export const PATCH = guarded(async (req, user, { params }) => {
  const { id } = await params;
  const [contract] = await db.select().from(contracts).where(and(eq(contracts.id, id), eq(contracts.owner, user)));
  if (!contract) return Response.json({ error: 'Not found' }, { status: 404 });
  const { text } = await generateText({
    model: pickModel('fast'),
    system: RULES,
    prompt: `A title of at most eight words for:\n${contract.body.slice(0, 4000)}`,
    maxTokens: 30,
  });
  await db.update(contracts).set({ title: text }).where(eq(contracts.id, id));
  return Response.json({ title: text });
});
