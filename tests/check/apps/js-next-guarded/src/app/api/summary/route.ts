import { streamText } from 'ai';
import { z } from 'zod';
import { guarded } from '@/lib/guarded';
import { pickModel } from '@/lib/models';
import { RULES } from '@/lib/prompts';

const Body = z.object({
  text: z.string().min(1).max(20_000),
  quality: z.enum(['fast', 'best']).default('fast'),
});

export const POST = guarded(async (req, user) => {
  const parsed = Body.safeParse(await req.json());
  if (!parsed.success) {
    return Response.json({ error: 'Invalid request' }, { status: 400 });
  }
  const result = streamText({
    model: pickModel(parsed.data.quality),
    system: RULES,
    prompt: `<contract>${parsed.data.text}</contract>`,
    maxTokens: 900,
    experimental_telemetry: { isEnabled: true, metadata: { user } },
  });
  return result.toDataStreamResponse();
});
