#!/usr/bin/env -S npx tsx
/** Tidies a folder of PDFs: asks Claude for titles, shows the plan, renames after a yes. */
import { readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline/promises';
import { Librarian } from './librarian.js';
import { firstPage } from './pdf.js';

const folder = path.resolve(process.argv[2] ?? '.');
const librarian = new Librarian();
const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });

if (!process.env.ANTHROPIC_API_KEY) {
  console.error('Set ANTHROPIC_API_KEY first (sk-ant-…)');
  process.exit(1);
}

for (const name of (await readdir(folder)).filter((n) => n.endsWith('.pdf')).slice(0, 200)) {
  const title = await librarian.titleOf(await firstPage(path.join(folder, name)));
  const safe = title.replace(/[^\p{L}\p{N} -]/gu, '').trim().slice(0, 80);
  if (!safe) continue;
  const target = path.join(folder, path.basename(`${safe}.pdf`));
  const answer = await terminal.question(`${name} -> ${path.basename(target)} [y/N] `);
  if (answer.trim().toLowerCase() === 'y') await rename(path.join(folder, name), target);
}

while (true) {
  const question = await terminal.question('Ask (empty to leave): ');
  if (!question.trim()) break;
  console.log(await librarian.ask(question));
}
terminal.close();
