import OpenAI from 'https://deno.land/x/openai@v4.69.0/mod.ts';
import { createClient } from 'https://esm.sh/@supabase/supabase-js@2';
import { corsHeaders } from '../_shared/cors.ts';

const openai = new OpenAI({ apiKey: Deno.env.get('OPENAI_API_KEY') });
const admin = createClient(Deno.env.get('SUPABASE_URL')!, Deno.env.get('SUPABASE_SERVICE_ROLE_KEY')!);

Deno.serve(async (req) => {
  if (req.method === 'OPTIONS') return new Response('ok', { headers: corsHeaders });
  try {
    const { topic, url } = await req.json();
    let material = topic;
    if (url) {
      const page = await fetch(url);
      material = (await page.text()).slice(0, 8000);
    }
    const completion = await openai.chat.completions.create({
      model: 'gpt-4o-mini',
      response_format: { type: 'json_object' },
      messages: [
        { role: 'system', content: 'Make a quiz of five questions as JSON.' },
        { role: 'user', content: material },
      ],
    });
    const quiz = JSON.parse(completion.choices[0].message.content!);
    await admin.from('quizzes').insert({ topic, quiz });
    return new Response(JSON.stringify(quiz), { headers: { ...corsHeaders, 'Content-Type': 'application/json' } });
  } catch (error) {
    return new Response(JSON.stringify({ error: error.message }), { status: 500, headers: corsHeaders });
  }
});
