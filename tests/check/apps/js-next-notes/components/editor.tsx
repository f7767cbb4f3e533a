'use client';

import { useEffect, useState } from 'react';
import { admin, supabase } from '@/lib/supabase-browser';

export default function Editor({ id }: { id: string }) {
  const [body, setBody] = useState('');
  const [tags, setTags] = useState<string[]>([]);

  useEffect(() => {
    supabase.from('notes').select('body').eq('id', id).single().then(({ data }) => setBody(data?.body ?? ''));
  }, [id]);

  async function save() {
    await admin.from('notes').update({ body }).eq('id', id);
    const response = await fetch('/api/tags', { method: 'POST', body: JSON.stringify({ body }) });
    setTags((await response.json()).tags);
  }

  return (
    <section>
      <textarea value={body} onChange={(e) => setBody(e.target.value)} />
      <button onClick={save}>Save</button>
      <ul>{tags.map((t) => <li key={t}>{t}</li>)}</ul>
    </section>
  );
}
