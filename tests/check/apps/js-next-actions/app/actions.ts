'use server';

import { revalidatePath } from 'next/cache';
import { redirect } from 'next/navigation';
import { z } from 'zod';
import { requireUser } from '@/lib/session';
import { complete, draw } from '@/lib/openai';
import { prisma } from '@/lib/prisma';

const Slide = z.object({ deck: z.string().cuid(), topic: z.string().max(200) });

export async function generateTagline(formData: FormData) {
  const idea = formData.get('idea');
  const tagline = await complete(`Write a tagline for this startup idea: ${idea}`);
  return { tagline };
}

export async function addSlide(formData: FormData) {
  const user = await requireUser();
  const { deck, topic } = Slide.parse(Object.fromEntries(formData));
  const text = await complete(`Three bullet points about ${topic}`);
  await prisma.slide.create({ data: { deckId: deck, ownerId: user.id, text } });
  revalidatePath(`/decks/${deck}`);
}

export async function illustrate(slideId: string) {
  const user = await requireUser();
  const slide = await prisma.slide.findFirstOrThrow({ where: { id: slideId, ownerId: user.id } });
  const image = await draw(slide.text.slice(0, 800));
  await prisma.slide.update({ where: { id: slideId }, data: { image } });
  redirect(`/decks/${slide.deckId}`);
}
