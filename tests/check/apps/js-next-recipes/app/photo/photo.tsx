'use client';

import OpenAI from 'openai';
import { useState } from 'react';

const client = new OpenAI({
  apiKey: process.env.NEXT_PUBLIC_OPENAI_API_KEY,
  dangerouslyAllowBrowser: true,
});

export function Photo() {
  const [text, setText] = useState('');

  async function describe(file: File) {
    const data = Buffer.from(await file.arrayBuffer()).toString('base64');
    const response = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      max_tokens: 200,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'List the food in this photo' },
            { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${data}` } },
          ],
        },
      ],
    });
    setText(response.choices[0].message.content ?? '');
  }

  return (
    <label>
      <input type="file" accept="image/*" onChange={(e) => e.target.files && describe(e.target.files[0])} />
      <pre>{text}</pre>
    </label>
  );
}
